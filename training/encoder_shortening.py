"""A shorter encoder: some of its layers are kept, and an affine map stands where others were.

What a block of a transformer adds is to a large part linear in what it is given, so that a matrix fitted by least
squares can stand for several of them (Shopkhoev et al. 2025, "ReplaceMe: network simplification via depth pruning and
transformer block linearization"). It is fitted token by token, on texts like those that will be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.domain.errors import InputError

Array = NDArray[np.float64]

_RIDGE = 1e-3
"""Of the mean variance of what a map is given."""
_TEXTS_AT_ONCE = 32


def shortened(transformer: Any, tokenizer: Any, layers: Sequence[int], texts: Sequence[str], max_tokens: int) -> Any:
    """Return a transformer with some of its layers, and with maps that stand for the others.

    Parameters
    ----------
    layers : sequence of int
        The layers that are kept, counted from 0, rising.
    texts : sequence of str
        What the maps are fitted on: some thousand texts like those that will be read.
    max_tokens : int
        Longer texts are cut.

    Raises
    ------
    InputError
        If the transformer's layers are not found, or it has not these.
    """
    _require_among(layers, len(_stack(transformer)))
    short = deepcopy(transformer).eval()
    stack = torch.nn.ModuleList([_stack(short)[i] for i in layers])
    short.encoder.layer, short.config.num_hidden_layers = stack, len(layers)
    batches = list(_batches(tokenizer, texts, max_tokens))
    for place, (before, layer) in enumerate(pairwise([-1, *layers])):
        if layer != before + 1:
            given, wanted = (_states(*of, batches) for of in ((short, place), (transformer, layer)))
            stack[place] = _Mapped(_affine(given, wanted), stack[place])
    return short


class _Mapped(torch.nn.Module):  # type: ignore[misc]
    """A layer behind an affine map."""

    def __init__(self, affine: Any, layer: Any) -> None:
        super().__init__()
        self.affine, self.layer = affine, layer

    def forward(self, hidden: Any, *others: Any, **named: Any) -> Any:
        return self.layer(self.affine(hidden), *others, **named)


def _stack(transformer: Any) -> Any:
    stack = getattr(getattr(transformer, "encoder", None), "layer", None)
    if not isinstance(stack, torch.nn.ModuleList):
        raise InputError(
            f"the layers of {type(transformer).__name__} are not where BERT has them",
            place="--layers",
            hint="keep all layers of this encoder",
        )
    return stack


def _require_among(layers: Sequence[int], count: int) -> None:
    rising = list(layers) == sorted(set(layers))
    if not layers or not rising or layers[0] < 0 or layers[-1] != count - 1:
        raise InputError(
            f"layers {','.join(map(str, layers)) or 'none'}",
            place="--layers",
            hint=f"name some of 0 to {count - 1}, rising, each once, and {count - 1} among them",
        )


def _batches(tokenizer: Any, texts: Sequence[str], max_tokens: int) -> Iterator[dict[str, Any]]:
    """Yield padded batches of texts of nearly equal length."""
    ordered = sorted(texts, key=len)
    for start in range(0, len(ordered), _TEXTS_AT_ONCE):
        some = ordered[start : start + _TEXTS_AT_ONCE]
        read = tokenizer(some, padding=True, truncation=True, max_length=max_tokens, return_tensors="pt")
        yield {name: read[name] for name in ("input_ids", "attention_mask")}


def _states(transformer: Any, count: int, batches: Sequence[dict[str, Any]]) -> Iterator[Array]:
    """Yield what the first layers make of each batch, shape (tokens, dimension), without padding."""
    first = deepcopy(transformer)
    first.encoder.layer = first.encoder.layer[:count]
    for batch in batches:
        with torch.no_grad():
            hidden = first(**batch).last_hidden_state
        yield hidden[batch["attention_mask"].bool()].numpy().astype(np.float64)


def _affine(given: Iterator[Array], wanted: Iterator[Array]) -> Any:
    """Return the affine map from some vectors to others, by ridge regression from their moments."""
    count, sums = 0, None
    for x, y in zip(given, wanted, strict=True):
        moments = (x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y)
        sums = moments if sums is None else tuple(a + b for a, b in zip(sums, moments, strict=True))
        count += len(x)
    assert sums is not None
    mean_x, mean_y = sums[0] / count, sums[1] / count
    spread = sums[2] / count - np.outer(mean_x, mean_x)
    common = sums[3] / count - np.outer(mean_x, mean_y)
    ridge = _RIDGE * np.trace(spread) / len(spread)
    matrix = np.linalg.solve(spread + ridge * np.eye(len(spread)), common)
    result = torch.nn.Linear(*matrix.shape)
    with torch.no_grad():
        result.weight.copy_(torch.from_numpy(matrix.T))
        result.bias.copy_(torch.from_numpy(mean_y - mean_x @ matrix))
    return result

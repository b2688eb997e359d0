"""What captions are worth: the same listings with their captions taken out, judged by the same model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.classifier.classifier import Predictions
from models.domain.alert import Example
from models.domain.listing import Listing
from training.comparison import Rivalry, compare
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ALL = "all with captions"
REMOVED = "captions removed"
_LEAST = 30
"""Fewest listings with captions of a source that gets rows of its own."""


class _Predicts(Protocol):
    def predict(self, listings: list[Listing], /) -> Predictions: ...


def with_captions(examples: Sequence[Example], rows: Index) -> Index:
    """Return those of the rows whose example has a caption."""
    has = np.array([any(map(str.strip, example.captions)) for example in examples], dtype=bool)
    chosen: Index = rows[has[rows]]
    return chosen


def caption_effect(
    model: _Predicts, scored: Scored, rows: Index, thresholds: Array, *, resamples: int = 500, seed: int = 0
) -> list[dict[str, Any]]:
    """Compare listings as they are with the same listings without their captions.

    Returns
    -------
    list of dict
        For all listings with captions, and for each source of which there are at least 30: ``part``, ``n`` and
        ``rows``, two rows of `compare`. A difference above 0 is what captions add. Empty without captions.
    """
    chosen = with_captions(scored.examples, rows)
    if not len(chosen):
        return []
    kept = scored.part(chosen)
    bare = [replace(example, captions=()) for example in kept.examples]
    predictions = model.predict([example.to_listing() for example in bare])
    own = Rivalry("as uploaded", "the listings with their captions", kept, thresholds)
    removed = Rivalry(REMOVED, "the same listings without them", replace(kept, predictions=predictions), thresholds)
    table = []
    for part, index in _parts(kept.examples).items():
        rows_of_part = compare(own, [removed], index, resamples=resamples, seed=seed)
        table.append({"part": part, "n": len(index), "rows": rows_of_part})
    return table


def _parts(examples: Sequence[Example]) -> dict[str, Index]:
    sources = np.array([example.source for example in examples], dtype=object).astype(str)
    parts = {ALL: np.arange(len(examples))}
    for source in np.unique(sources):
        index = np.flatnonzero(sources == source)
        if source and _LEAST <= len(index) < len(examples):
            parts[f"source {source}"] = index
    return parts

"""The sentence encoder: ONNX graph and tokenizer in, token vectors and their mean out.

Every text runs alone, several at once on several threads. Dynamic int8 quantisation takes its scale from the whole
input tensor, so that in a padded batch the answer to one listing would depend on its neighbours (by up to 0.03 in a
unit vector). Alone, equal text gives equal bits whatever the load, and on CPU it is as fast as batching. A text that
has the machine to itself may be shared by the cores, operator by operator: a quarter sooner, with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.classifier.graph_weights import Weights, largest_weights
from models.domain.errors import ArtifactError

Vector = NDArray[np.float32]

_SLOWER_FUSED = ["SkipLayerNormFusion"]
"""On CPU the fused sum and layer normalisation takes four times as long as the two one after the other."""
_TOKENS_AT_ONCE = 512
_MOST_SHARING = 4
"""Cores that share a text: one of fifty tokens has no work for more."""


@dataclass(frozen=True)
class Encoding:
    """One text as the encoder sees it.

    Parameters
    ----------
    tokens : array of shape (n, dimension)
        Last hidden states, special tokens included.
    offsets : list of (start, end)
        Span of each token in the text, in code points; (0, 0) for special tokens.
    truncated : bool
        The text was longer than the encoder reads.
    """

    tokens: Vector
    offsets: list[tuple[int, int]]
    truncated: bool

    @cached_property
    def _mean(self) -> Vector:
        total: Vector = np.add.reduce(self.tokens, axis=0)
        return np.true_divide(total, np.intp(len(self.tokens)), out=total, casting="unsafe")

    @cached_property
    def norm(self) -> float:
        """Length of the mean token vector."""
        return max(float(np.sqrt(self._mean @ self._mean)), 1e-12)

    @cached_property
    def embedding(self) -> Vector:
        """Mean of the token vectors, of length 1."""
        return self._mean / np.float32(self.norm)


EncodeSome = Callable[[Sequence[str]], list[Encoding]]

NO_ENCODING = Encoding(np.zeros((0, 0), dtype=np.float32), [], False)
"""Of a text that the encoder has not read."""


class _SharedWeights:
    """Weights that sessions read where they lie: it must live as long as the sessions do."""

    def __init__(self, weights: Weights) -> None:
        self.name, self._values = weights
        self.value = ort.OrtValue.ortvalue_from_numpy(self._values)


def _session(graph: Path, width: int, shared: _SharedWeights | None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = width
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A plan of memory for every length of a text, each session's own, is no faster than asking for it.
    options.enable_mem_pattern = False
    # Helping threads wait busily for the next operator, which takes but microseconds, and sleep between texts.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if shared is not None:
        options.add_initializer(shared.name, shared.value)
    return ort.InferenceSession(
        str(graph), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER_FUSED
    )


class OnnxEncoder:
    """A mean-pooled transformer on ONNX Runtime.

    Parameters
    ----------
    graph : path
        ONNX file with input `input_ids`, and `attention_mask` where it has one, and output `hidden` of shape
        (batch, tokens, dimension).
    tokenizer : path
        `tokenizer.json`.
    max_tokens : int
        Longer texts are cut.
    threads : int
        Texts encoded at once.
    """

    def __init__(self, graph: Path, tokenizer: Path, max_tokens: int = 128, threads: int = 2) -> None:
        self.threads = max(1, threads)
        widths = sorted({1, min(self.threads, _MOST_SHARING)})
        try:
            weights = largest_weights(graph) if len(widths) > 1 else None
            self._weights = None if weights is None else _SharedWeights(weights)
            with ThreadPoolExecutor(len(widths)) as pool:
                sessions = list(pool.map(lambda width: _session(graph, width, self._weights), widths))
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:
            raise ArtifactError(f"not readable as an encoder: {error}", place=str(graph)) from error
        self._session, self._shared = sessions[0], sessions[-1]
        self._masked = any(given.name == "attention_mask" for given in self._session.get_inputs())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self.max_tokens = max_tokens
        self.dimension = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, text: str, *, alone: bool = False) -> Encoding:
        """Encode one text; at most `max_tokens` tokens of it.

        Parameters
        ----------
        alone : bool
            No other text waits: let the cores share this one. It changes the time and no bit of the result.
        """
        encoded = self._tokenizer.encode(text)
        ids = np.array([encoded.ids], dtype=np.int64)
        session = self._shared if alone else self._session
        hidden = session.run(None, self._inputs(ids))[0][0]
        return Encoding(np.asarray(hidden, dtype=np.float32), encoded.offsets, bool(encoded.overflowing))

    @contextmanager
    def encoding(self) -> Iterator[EncodeSome]:
        """Give what encodes several texts, as many at once as there are threads; each alone, as `encode` does."""
        if self.threads == 1:  # handing a text over to another thread takes a twentieth of its time
            yield lambda texts: [self.encode(text) for text in texts]
            return
        with ThreadPoolExecutor(self.threads) as pool:
            yield lambda texts: list(pool.map(self.encode, texts))

    def _inputs(self, ids: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)} if self._masked else {"input_ids": ids}

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of texts as the encoder reads them: cut, with the special ones."""
        return [encoded.ids for encoded in self._tokenizer.encode_batch(list(texts))]

    def tokens_alone(self) -> Vector:
        """Return what the encoder makes of each token alone between the special ones, shape (tokens, dimension)."""
        begin, end = (self.tokens([""])[0][i] for i in (0, -1))
        count = self._tokenizer.get_vocab_size()
        result = np.empty((count, self.dimension), dtype=np.float32)
        for start in range(0, count, _TOKENS_AT_ONCE):
            some = np.arange(start, min(count, start + _TOKENS_AT_ONCE))
            ids = np.column_stack([np.full_like(some, begin), some, np.full_like(some, end)])
            result[some] = self._session.run(None, self._inputs(ids))[0][:, 1]
        return result

    def embed(self, texts: Sequence[str], progress: Callable[[int], object] | None = None) -> Vector:
        """Return the unit embeddings of many texts, shape (n, dimension); equal texts are encoded once.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of texts done since the last call.
        """
        unique = list(dict.fromkeys(texts))
        place = {text: i for i, text in enumerate(unique)}
        result = np.empty((len(unique), self.dimension), dtype=np.float32)

        def encode_at(i: int) -> int:
            result[i] = self.encode(unique[i]).embedding
            return i

        with ThreadPoolExecutor(self.threads) as pool:
            for _ in pool.map(encode_at, range(len(unique))):
                if progress is not None:
                    progress(1)
        if progress is not None and len(texts) > len(unique):
            progress(len(texts) - len(unique))
        return result[[place[text] for text in texts]]

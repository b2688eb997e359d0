"""The first look of many queries at a few rows, all at once: most have nothing to look for there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.matching.combiner import Combiner, Floats
from models.matching.comparison import meaning_of
from models.matching.features import COLUMN
from models.matching.screening import SLACK
from models.matching.shelf import Block, Rows
from models.matching.signature import Signature
from models.matching.sought import Part, strong_weights

_AT_ONCE = 512
"""Queries whose bounds are worked out together: with a thousand rows, some megabytes each."""
_NEVER_LOOKED_UP = ("hazards", "country")


class FirstLook:
    """Queries, side by side.

    Bounds the logits as `models.matching.screening.reachable` does, by sums over keys, here as products of sparse
    matrices; the meaning is that of each pair, as vectors of few rows cost nothing.

    Parameters
    ----------
    queries : sequence of Signature
    """

    def __init__(self, combiner: Combiner, alert_asks: bool, queries: Sequence[Signature]) -> None:
        self._weight = {name: float(combiner.weights[column]) for name, column in COLUMN.items()}
        names = ("title_words", "name_words") if alert_asks else ("name_words", "title_words")
        self._theirs, self._mine = (self._weight[name] for name in names)
        self._bias = combiner.bias
        self.queries = queries
        sought = [query.sought for query in queries]
        empty = np.zeros(0, dtype=np.uint64)
        self._keys, columns = np.unique(np.concatenate([empty, *(s.keys for s in sought)]), return_inverse=True)
        owners = np.repeat(np.arange(len(queries)), [len(s.keys) for s in sought])
        parts = np.concatenate([empty, *(s.parts for s in sought)]).astype(np.uint8)
        weights = np.concatenate([empty, *(s.weights for s in sought)]).astype(np.float32)
        strong = np.zeros(len(Part), dtype=np.float32)
        for part, more in strong_weights(self._weight).items():
            strong[part] = more

        def matrix(where: NDArray[np.bool_], values: Floats) -> csr_matrix:
            shape = (len(queries), len(self._keys))
            return csr_matrix((values[where], (owners[where], columns[where])), shape=shape)

        self._in_titles = matrix(parts == Part.IN_TITLE, weights)
        self._in_bodies = matrix(parts == Part.IN_BODY, weights)
        self._strong = matrix(parts > Part.IN_BODY, strong[parts])
        self._of_title = _one_over([query.words_weight for query in queries])
        self._of_text = np.sqrt(_one_over([query.text_weight for query in queries]))

    def reachable(self, block: Block, reserve: float, least: float) -> Iterator[tuple[int, Rows]]:
        """Yield the numbers of the queries that have rows whose logit may reach a limit, with these rows in order."""
        begins, ends = block.spans(self._keys)
        counts = (ends - begins).astype(np.int64)
        rows = np.concatenate([block.rows[:0], *(block.rows[b:e] for b, e in zip(begins, ends, strict=True) if b < e)])
        of_key = csr_matrix(
            (np.ones(len(rows), dtype=np.float32), rows, np.concatenate(([0], np.cumsum(counts)))),
            shape=(len(self._keys), len(block)),
        )
        limit = np.float32(least - self._bias - reserve - SLACK - sum(self._weight[name] for name in _NEVER_LOOKED_UP))
        every = np.arange(len(block), dtype=np.uint32)
        for start in range(0, len(self.queries), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            in_titles, words, highest = (
                (matrix[part] @ of_key).toarray() for matrix in (self._in_titles, self._in_bodies, self._strong)
            )
            words += in_titles
            highest += words * (self._of_title[part, None] * np.float32(self._mine))
            highest += words * (self._of_text[part, None] * np.float32(self._weight["text_words"])) * block.text_scale
            highest += in_titles * (block.title_scale * np.float32(self._theirs))
            meanings = np.stack([block.meanings(query, every) for query in self.queries[part]])
            highest += np.float32(self._weight["meaning"]) * meaning_of(meanings)
            for query in np.flatnonzero((highest >= limit).any(axis=1)).tolist():
                yield start + query, np.flatnonzero(highest[query] >= limit).astype(np.uint32)


def _one_over(weights: Sequence[int]) -> Floats:
    """Return one over each, and 0 for 0."""
    whole = np.array(weights, dtype=np.float32)
    return np.divide(1, whole, out=np.zeros(len(whole), dtype=np.float32), where=whole > 0)

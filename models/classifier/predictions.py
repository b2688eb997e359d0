"""The figures of many listings as arrays, for evaluation."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.scenarios import median_level

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """Figures of n listings.

    Parameters
    ----------
    given_unsafe, hazards : array of shape (n, risk types)
        P(hazard | unsafe, listing), and that times `concern`.
    levels : array of shape (n, 5)
        P(none), P(low), P(medium), P(high), P(serious).
    unsafe : array of shape (n,)
        P(unsafe), calibrated under the prior of the training.
    familiarity : array of shape (n,)
        See `KindJudgement`.
    """

    given_unsafe: Array
    hazards: Array
    levels: Array
    unsafe: Array
    familiarity: Array
    languages: list[str]
    kinds: list[str]

    def part(self, rows: NDArray[np.int64]) -> Predictions:
        """Return the figures of some listings."""
        columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        chosen: dict[str, Any] = {
            name: column[rows] if isinstance(column, np.ndarray) else [column[i] for i in rows]
            for name, column in columns.items()
        }
        return replace(self, **chosen)

    @property
    def risk_score(self) -> Array:
        """P(high or serious), shape (n,)."""
        score: Array = self.levels[:, 3] + self.levels[:, 4]
        return score

    @property
    def level_ranks(self) -> NDArray[np.int64]:
        """Rank of the median level, shape (n,)."""
        return np.array([median_level(row).rank for row in self.levels], dtype=np.int64)

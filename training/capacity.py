"""What a reviewer finds who can look at a small share of the listings, the riskiest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.intervals import bootstrap_intervals
from training.metrics import HIGH, NOT_KNOWN, LevelStatistics, rounded

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CAPACITIES = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of the listings that a reviewer can look at."""


@dataclass(frozen=True)
class CapacityStatistics:
    """Precision and recall at each capacity as a function of the listings' weights.

    Parameters
    ----------
    dangerous : array of bool, shape (n,)
        Whether a person gave the level high or serious.
    score : array of float, shape (n,)
        Reviewed from the highest down.
    """

    dangerous: NDArray[np.bool_]
    score: Array
    capacities: tuple[float, ...] = CAPACITIES

    def __call__(self, weights: Array | None = None) -> dict[str, float]:
        """Return ``precision@C`` and ``recall@C``; NaN where undefined.

        Notes
        -----
        A reviewer looks at one listing at least. Of listings with equal scores, of which only some fit, the share that
        fits is counted: the expected value over all orders.
        """
        w = np.ones(len(self.score)) if weights is None else np.asarray(weights, dtype=np.float64)
        order = np.argsort(-self.score, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(self.score[order])), len(order) - 1) if len(order) else order
        seen = np.append(0.0, w[order].cumsum()[ends])
        hits = np.append(0.0, (w * self.dangerous)[order].cumsum()[ends])
        found = {}
        for capacity in self.capacities:
            budget = min(max(capacity * seen[-1], 1.0), seen[-1])
            hit = float(np.interp(budget, seen, hits))
            found[f"precision@{capacity:g}"] = hit / budget if budget else NOT_KNOWN
            found[f"recall@{capacity:g}"] = hit / hits[-1] if hits[-1] else NOT_KNOWN
        return found


def review_capacity(levels: LevelStatistics, groups: Index, resamples: int, seed: int) -> dict[str, Any]:
    """Return the table of capacities as plain values for JSON.

    Parameters
    ----------
    groups : array of int, shape (n,)
        Product group of each listing, for the intervals.

    Returns
    -------
    dict
        ``n``, ``dangerous``, and ``rows``: one a capacity, empty where no level is known.
    """
    dangerous = levels.truth >= HIGH
    result: dict[str, Any] = {"n": len(dangerous), "dangerous": int(dangerous.sum()), "rows": []}
    if not dangerous.any():
        return result
    statistics = CapacityStatistics(dangerous, levels.risk_score)
    figures = statistics()
    intervals = bootstrap_intervals(statistics, groups, resamples=resamples, seed=seed)
    for capacity in CAPACITIES:
        row: dict[str, Any] = {"share": capacity, "listings": max(1, round(capacity * len(dangerous)))}
        for name in ("precision", "recall"):
            key = f"{name}@{capacity:g}"
            row |= rounded({name: figures[key]})
            if key in intervals:
                limits = rounded({"low": intervals[key].low, "high": intervals[key].high})
                row[f"{name}_interval"] = list(limits.values())
        result["rows"].append(row)
    return result

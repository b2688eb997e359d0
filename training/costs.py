"""What a threshold on the risk score costs: dangerous listings that it misses, harmless ones that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import HIGH, LevelStatistics, rounded

Array = NDArray[np.float64]

RATIOS = (5.0, 20.0, 100.0)
"""Cost of a missed high-or-serious listing, in units of a wrongly held one."""


@dataclass(frozen=True)
class CostCurve:
    """Cost per 1,000 listings at every threshold, in units of one wrongly held listing.

    Parameters
    ----------
    thresholds : array of shape (k,)
        Rising; listings at or above one are held. The last holds nothing.
    missed, held_wrongly : array of shape (k,)
        Listings per 1,000.
    """

    thresholds: Array
    missed: Array
    held_wrongly: Array

    @classmethod
    def of(cls, levels: LevelStatistics) -> CostCurve:
        """Return the curve over all distinct risk scores, with 0 (hold everything) and above 1 (hold nothing)."""
        dangerous = levels.truth >= HIGH
        thresholds = np.unique(np.concatenate([[0.0], levels.risk_score, [np.nextafter(1.0, 2.0)]]))
        per = 1000 / max(len(dangerous), 1)
        bad, good = np.sort(levels.risk_score[dangerous]), np.sort(levels.risk_score[~dangerous])
        missed = np.searchsorted(bad, thresholds, side="left") * per
        held = (len(good) - np.searchsorted(good, thresholds, side="left")) * per
        return cls(thresholds, missed.astype(np.float64), held.astype(np.float64))

    def cost(self, ratio: float) -> Array:
        """Return the cost at every threshold, shape (k,)."""
        total: Array = ratio * self.missed + self.held_wrongly
        return total

    def at(self, threshold: float) -> int:
        """Return the place of the curve that a threshold falls on."""
        return min(int(np.searchsorted(self.thresholds, threshold, side="left")), len(self.thresholds) - 1)


def cost_table(levels: LevelStatistics) -> dict[str, Any]:
    """Return the costs for each ratio as plain values for JSON.

    Notes
    -----
    Where probabilities are calibrated, the cheapest rule is to hold a listing whose risk score reaches
    1 / (1 + ratio): Elkan, "The foundations of cost-sensitive learning", IJCAI 2001. Its cost beside that of the best
    threshold seen on these very examples (which flatters) says what calibration is worth.

    Returns
    -------
    dict
        ``n``, ``dangerous_share`` and ``rows``; no row where no level is known, or all are on one side.
    """
    dangerous = levels.truth >= HIGH
    result: dict[str, Any] = {"n": len(dangerous), "dangerous_share": None, "rows": []}
    if not dangerous.any() or dangerous.all():
        return result
    result["dangerous_share"] = round(float(dangerous.mean()), 6)
    curve = CostCurve.of(levels)
    by_level = levels.predicted >= HIGH
    per = 1000 / len(dangerous)
    for ratio in RATIOS:
        cost = curve.cost(ratio)
        best, rule = int(cost.argmin()), curve.at(1 / (1 + ratio))
        decided = (ratio * (dangerous & ~by_level).sum() + (~dangerous & by_level).sum()) * per
        result["rows"].append(
            {
                "ratio": ratio,
                "rule_threshold": round(1 / (1 + ratio), 6),
                "best_threshold": round(float(min(curve.thresholds[best], 1.0)), 6),
                **rounded(
                    {
                        "rule_cost": cost[rule],
                        "rule_missed": curve.missed[rule],
                        "rule_held_wrongly": curve.held_wrongly[rule],
                        "best_cost": cost[best],
                        "level_cost": decided,
                        "hold_nothing": cost[-1],
                        "hold_everything": cost[0],
                    },
                    4,
                ),
            }
        )
    return result

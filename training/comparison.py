"""Two models, or one model on two texts, on the same examples: figures side by side, differences with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.intervals import Interval, bootstrap_intervals
from training.metrics import HazardStatistics, LevelStatistics, rounded
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]

HAZARD_FIGURES = ("macro_f1", "map", "micro_f1", "top1")
LEVEL_FIGURES = ("auroc", "kappa")


@dataclass(frozen=True)
class Rivalry:
    """Another opinion on the same examples.

    Parameters
    ----------
    name, about : str
        For the table, and what it is in one sentence.
    scored : Scored
        The same examples in the same order.
    thresholds : array of shape (risk types,)
    hazards, levels : bool
        Whether it has an opinion on them.
    given_unsafe : bool
        Judge P(hazard | unsafe) instead of the served probability.
    """

    name: str
    about: str
    scored: Scored
    thresholds: Array
    hazards: bool = True
    levels: bool = True
    given_unsafe: bool = False


@dataclass(frozen=True)
class _Both:
    """Hazard and level statistics as one function of the weights of all rows."""

    hazards: HazardStatistics | None
    levels: LevelStatistics | None
    labelled: NDArray[np.bool_]
    levelled: NDArray[np.bool_]

    @classmethod
    def of(cls, rivalry: Rivalry, rows: Index) -> _Both:
        scored = rivalry.scored
        labelled, levelled = scored.labelled[rows], scored.levelled[rows]
        asked = rows[labelled]
        scores = scored.predictions.given_unsafe if rivalry.given_unsafe else scored.predictions.hazards
        hazards = HazardStatistics(scored.truth[asked], scores[asked], rivalry.thresholds)
        levels = scored.level_statistics(rows)
        return cls(
            hazards if rivalry.hazards and len(asked) else None,
            levels if rivalry.levels and levelled.any() else None,
            labelled,
            levelled,
        )

    def __call__(self, weights: Array) -> dict[str, float]:
        found: dict[str, float] = {}
        if self.hazards is not None:
            values = self.hazards(weights[self.labelled])
            found |= {name: values[name] for name in HAZARD_FIGURES}
        if self.levels is not None:
            values = self.levels(weights[self.levelled])
            found |= {name: values[name] for name in LEVEL_FIGURES}
        return found


def compare(
    own: Rivalry, others: Sequence[Rivalry], rows: Index, *, resamples: int = 500, seed: int = 0
) -> list[dict[str, Any]]:
    """Return one row for the model and one for each rival, as plain values for JSON.

    Parameters
    ----------
    own : Rivalry
        The model that is evaluated.
    rows : array of int
        Examples that count.

    Returns
    -------
    list of dict
        ``name``, ``about``, ``n``, ``figures`` and, but for the model itself, ``differences``: metric -> value and
        95 % interval of the model's figure minus the rival's. Each resample of product groups is scored by both, so
        that what is easy or hard about it cancels (the paired bootstrap; Efron and Tibshirani 1993, chapter 13).
    """
    mine, theirs = _Both.of(own, rows), [_Both.of(other, rows) for other in others]
    ones = np.ones(len(rows))

    def differences(weights: Array) -> dict[str, float]:
        base = mine(weights)
        return {
            f"{i}|{name}": base[name] - value
            for i, statistic in enumerate(theirs)
            for name, value in statistic(weights).items()
            if name in base
        }

    intervals = bootstrap_intervals(differences, own.scored.groups[rows], resamples=resamples, seed=seed)
    values = differences(ones)
    table: list[dict[str, Any]] = [_row(own, len(rows), mine(ones))]
    for i, (other, statistic) in enumerate(zip(others, theirs, strict=True)):
        row = _row(other, len(rows), statistic(ones))
        row["differences"] = {
            name: _difference(values[f"{i}|{name}"], intervals.get(f"{i}|{name}"))
            for name in row["figures"]
            if f"{i}|{name}" in values
        }
        table.append(row)
    return table


def not_compared(name: str, about: str, reason: str) -> dict[str, Any]:
    """Return the row of a rival that could not be compared, and why."""
    return {"name": name, "about": about, "n": 0, "figures": {}, "differences": {}, "not_compared": reason}


def figures_of(table: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """Return the figures of a rival by its name, None where it is not in the table or could not be compared."""
    return next((row["figures"] for row in table if row["name"] == name and row["figures"]), None)


def _row(rivalry: Rivalry, n: int, figures: Mapping[str, float]) -> dict[str, Any]:
    return {"name": rivalry.name, "about": rivalry.about, "n": n, "figures": rounded(figures)}


def _difference(value: float, interval: Interval | None) -> dict[str, float | None]:
    limits = interval or Interval(float("nan"), float("nan"))
    return rounded({"value": value, "low": limits.low, "high": limits.high})

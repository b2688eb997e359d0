"""The headline figures of some rows: hazards, levels and calibration, each with what it rests on and its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.intervals import Interval, bootstrap_intervals
from training.metrics import HIGH, rounded
from training.reliability import brier_score, classwise_calibration_error, expected_calibration_error
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def headline(scored: Scored, rows: Index, thresholds: Array, resamples: int, seed: int) -> dict[str, Any]:
    """Return the figures of some rows as plain values for JSON.

    Parameters
    ----------
    thresholds : array of shape (risk types,)
        Of the served hazard probabilities.
    resamples : int
        Bootstrap resamples of product groups; 0 leaves the intervals out.
    """
    labelled, levelled = rows[scored.labelled[rows]], rows[scored.levelled[rows]]
    hazards, levels = scored.hazards(rows, thresholds), scored.level_statistics(rows)
    hazard_intervals = bootstrap_intervals(hazards, scored.groups[labelled], resamples=resamples, seed=seed)
    given_unsafe = scored.hazards_given_unsafe(rows, thresholds)
    level_intervals = bootstrap_intervals(levels, scored.groups[levelled], resamples=resamples, seed=seed)
    return {
        "n": len(rows),
        "hazards": {
            **rounded({**hazards(), "map_by_chance": hazards.chance_map(seed=seed)}),
            "n": len(labelled),
            "with_labels": int(hazards.labelled.sum()),
            "classes_counted": len(hazards.counted),
            "intervals": plain_intervals(hazard_intervals),
        },
        "hazards_given_unsafe": {**rounded(given_unsafe()), "n": int(given_unsafe.labelled.sum())},
        "calibration": _calibration(scored, labelled, levelled),
        "levels": {
            **rounded(levels()),
            "n": len(levelled),
            "dangerous": int((levels.truth >= HIGH).sum()),
            "confusion": levels.confusion().astype(int).tolist(),
            "intervals": plain_intervals(level_intervals),
        },
    }


def _calibration(scored: Scored, labelled: Index, levelled: Index) -> dict[str, Any]:
    """Each probability on the rows that can judge it: P(hazard | unsafe) where a hazard is known to be there."""
    unsafe = labelled[scored.truth[labelled].any(axis=1)]
    truth, given = scored.truth[unsafe], scored.predictions.given_unsafe[unsafe]
    concern = 1.0 - scored.predictions.levels[levelled, 0]
    pairs = {
        "given_unsafe": (truth, given),
        "risk_score": (scored.levels[levelled] >= HIGH, scored.predictions.risk_score[levelled]),
        "concern": (scored.levels[levelled] > 0, concern),
    }
    result: dict[str, Any] = {
        name: {"n": len(y), **rounded({"ece": expected_calibration_error(y, unit(p)), "brier": brier_score(y, p)})}
        for name, (y, p) in pairs.items()
    }
    result["given_unsafe"] |= rounded({"ece_classwise": classwise_calibration_error(truth, unit(given))})
    return result


def unit(probabilities: Array) -> Array:
    """Return probabilities cut to 0 to 1: sums of level probabilities pass 1 by a rounding error."""
    clipped: Array = np.clip(probabilities, 0.0, 1.0)
    return clipped


def plain_intervals(intervals: dict[str, Interval]) -> dict[str, list[float | None]]:
    """Return intervals for JSON: metric -> [low, high], None where undefined."""
    return {name: list(rounded({"low": i.low, "high": i.high}).values()) for name, i in intervals.items()}

"""Which pictures an evaluation shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import plots, review_plots
from training.costs import CostCurve
from training.headline import unit
from training.metrics import HIGH, ClassRow
from training.reliability import reliability_curve
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def pictures(
    scored: Scored, rows: Index, thresholds: Array, table: Sequence[ClassRow], metrics: Mapping[str, Any]
) -> dict[str, bytes]:
    """Return name -> PNG; what cannot be drawn from these examples is left out or says so."""
    hazards, levels = scored.hazards(rows, thresholds), scored.level_statistics(rows)
    unsafe = rows[scored.truth[rows].any(axis=1)]
    given = unit(scored.predictions.given_unsafe[unsafe])
    curves = {"hazards, given an unsafe product": reliability_curve(scored.truth[unsafe], given)}
    if len(levels.truth):
        curves["level high or serious"] = reliability_curve(levels.truth >= HIGH, unit(levels.risk_score))
    names = [row.name for row in table]
    drawn = {
        "reliability": plots.reliability_plot(curves),
        "precision_recall": plots.precision_recall_plot(hazards.truth, hazards.scores, table),
        "per_class": plots.class_bars_plot(table),
        "hazard_confusion": plots.hazard_confusion_plot(hazards.truth, hazards.scores, names),
        "level_confusion": plots.level_confusion_plot(levels.confusion()),
    }
    if metrics["capacity"]["rows"]:
        drawn["capacity"] = review_plots.capacity_plot(metrics["capacity"])
    if metrics["costs"]["rows"]:
        drawn["costs"] = review_plots.cost_plot(CostCurve.of(levels))
    if any(row.get("differences") for row in metrics["comparisons"]):
        drawn["comparison"] = review_plots.comparison_plot(metrics["comparisons"])
    return drawn

"""The evaluation as one HTML page that stands alone: words, tables, and plots inside the file."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from models.domain.risk import RiskLevel
from training.metrics import LEAST_POSITIVES, ClassRow
from training.worst_errors import WorstError

HAZARD_WORDS = {
    "macro_f1": (
        "Hazards, macro-F1",
        "F1 of each risk type at its threshold, then the mean: rare risk types count as much as common ones.",
    ),
    "map": (
        "Hazards, mAP",
        "Average precision of each risk type, then the mean: how well the scores order the listings, whatever the "
        "thresholds.",
    ),
    "micro_f1": ("Hazards, micro-F1", "F1 over all decisions together: common risk types count most."),
    "top1": ("Top-1", "Share of listings with a known hazard whose highest-scored risk type is one of theirs."),
}
LEVEL_WORDS = {
    "auroc": (
        "AUROC of high or serious",
        "Chance that a listing of level high or serious has a higher risk score than another one; 0.5 is a coin.",
    ),
    "kappa": (
        "Quadratic-weighted kappa",
        "Agreement on the level beyond chance, large disagreements weighing most; 1 is perfect.",
    ),
    "accuracy": ("Level, accuracy", "Share of listings that get exactly the level a person gave."),
    "dangerous_recall": (
        "Recall of high or serious",
        "Share of the listings of level high or serious that the model puts at high or serious.",
    ),
    "flagged_share": (
        "Share at high or serious",
        "Share of all listings that the model puts at high or serious: the work it makes.",
    ),
}
BASES = {"top1": "with_labels", "dangerous_recall": "dangerous"}
"""The count that a figure rests on, where it is not all n."""
CALIBRATION_WORDS = {
    "given_unsafe": ("P(hazard | unsafe product)", "On listings with a known hazard, all risk types pooled."),
    "risk_score": ("Risk score, P(high or serious)", "On listings whose level a person gave."),
    "concern": ("P(level is not none)", "On listings whose level a person gave."),
}
PLOT_WORDS = {
    "per_class": "F1 and average precision of each risk type. n is the number of listings with that hazard; few cases "
    "make a bar unsure.",
    "reliability": "Predicted against observed shares. On the dotted line, 30 % means 30 %; below it the model warns "
    "too much, above it too little.",
    "precision_recall": "What share of the flagged listings is right (precision) for each share of cases found "
    "(recall). The dot is the threshold in use, the dotted line what flagging at random would give.",
    "level_confusion": "Known levels against predicted levels. Right answers lie on the diagonal; below it the model "
    "is too mild.",
}


def render_report(
    metrics: Mapping[str, Any],
    classes: Sequence[ClassRow],
    slices: Sequence[Mapping[str, Any]],
    errors: Sequence[WorstError],
    plots: Mapping[str, bytes],
) -> str:
    """Return the report as HTML without any outside reference; every text of a listing is escaped."""
    environment = Environment(
        loader=PackageLoader("training", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "count": lambda n: f"{n:,}".replace(",", "\u202f")}
    return environment.get_template("report.html").render(
        metrics=metrics,
        errors=errors,
        least=LEAST_POSITIVES,
        levels=[level.value for level in RiskLevel],
        classes=sorted(classes, key=lambda row: (-row.n, row.name)),
        slices=[(name, list(rows)) for name, rows in groupby(slices, key=lambda row: row["dimension"])],
        plots=[(words, base64.b64encode(plots[name]).decode()) for name, words in PLOT_WORDS.items() if name in plots],
        bases=BASES,
        hazard_words=HAZARD_WORDS,
        level_words=LEVEL_WORDS,
        calibration_words=CALIBRATION_WORDS,
    )


def _figure(value: float | None, digits: int = 3) -> str:
    """A number for reading, a dash where it is undefined."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"

"""The evaluation as one HTML page that stands alone: words, tables, and plots inside the file."""

from __future__ import annotations

import base64
import csv
import math
from itertools import groupby
from pathlib import Path

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from training.evaluation import Evaluation
from training.metrics import LEAST_POSITIVES, ClassRow, row_dict
from training.review_plots import FIGURE_NAMES

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
    "hazard_confusion": "Known risk types against the one that the model scores highest. A listing with two hazards "
    "stands in two rows, so a count beside the diagonal need not be an error.",
    "level_confusion": "Known levels against predicted levels. Right answers lie on the diagonal; below it the model "
    "is too mild.",
    "capacity": "Precision and recall with 95 % intervals, when a reviewer looks at the riskiest share of the "
    "listings.",
    "costs": "Cost of every threshold, relative to the cheaper of holding nothing and holding everything: below 1 the "
    "model pays.",
    "comparison": "This model minus the other, with 95 % intervals. Blue: better; orange: worse; grey: it may be "
    "chance.",
}
CONTENTS = (
    ("hazards", "Hazards"),
    ("level", "Risk level"),
    ("comparison", "Comparison"),
    ("captions", "Captions removed"),
    ("capacity", "Review capacity"),
    ("costs", "Costs"),
    ("calibration", "Calibration"),
    ("types", "Risk types"),
    ("confusion", "Confusion"),
    ("slices", "Slices"),
    ("errors", "Worst errors"),
    ("labels", "Labels to look at again"),
)


def write_report(evaluation: Evaluation, directory: Path) -> list[Path]:
    """Write ``metrics.json``, ``per_class.csv``, the plots and the self-contained ``report.html``.

    Returns
    -------
    list of Path
        The files written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = {
        **evaluation.metrics,
        "per_class": [row_dict(row) for row in evaluation.classes],
        "slices": evaluation.slices,
        "worst_errors": [error.as_dict() for error in evaluation.errors],
        "label_issues": [issue.as_dict() for issue in evaluation.label_issues],
    }
    files = {
        "metrics.json": orjson.dumps(content, option=orjson.OPT_INDENT_2),
        "report.html": render_report(evaluation).encode(),
        **{f"{name}.png": png for name, png in evaluation.plots.items()},
    }
    for name, data in files.items():
        (directory / name).write_bytes(data)
    table = directory / "per_class.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(ClassRow.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(row_dict(row) for row in evaluation.classes)
    return [directory / name for name in files] + [table]


def render_report(evaluation: Evaluation) -> str:
    """Return the report as HTML without any outside reference; every text of a listing is escaped."""
    return (
        page_templates()
        .get_template("report.html")
        .render(
            metrics=evaluation.metrics,
            errors=evaluation.errors,
            label_issues=evaluation.label_issues,
            least=LEAST_POSITIVES,
            classes=sorted(evaluation.classes, key=lambda row: (-row.n, row.name)),
            slices=[(name, list(rows)) for name, rows in groupby(evaluation.slices, key=lambda row: row["dimension"])],
            plots={name: base64.b64encode(png).decode() for name, png in evaluation.plots.items()},
            plot_words=PLOT_WORDS,
            contents=CONTENTS,
            bases=BASES,
            hazard_words=HAZARD_WORDS,
            level_words=LEVEL_WORDS,
            calibration_words=CALIBRATION_WORDS,
            figure_names=FIGURE_NAMES,
        )
    )


def page_templates() -> Environment:
    """Return the templates of the pages, with the filters that they use; texts are escaped."""
    environment = Environment(
        loader=PackageLoader("training", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": _figure,
        "signed": lambda value: f"{value:+.3f}",
        "count": lambda n: f"{n:,}".replace(",", "\u202f"),
    }
    return environment


def _figure(value: float | None, digits: int = 3) -> str:
    """A number for reading, a dash where it is undefined."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"

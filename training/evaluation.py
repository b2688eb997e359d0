"""Evaluation of a model on labelled examples: what it gets right, how sure one can be of that, and where it fails."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from models.classifier.classifier import Predictions
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.domain.taxonomy import Taxonomy
from training import plots
from training.intervals import Interval, bootstrap_intervals
from training.metrics import HIGH, ClassRow, HazardStatistics, rounded, row_dict
from training.reliability import (
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    reliability_curve,
)
from training.report import render_report
from training.scored import Scored
from training.slices import slice_indices
from training.worst_errors import WorstError, worst_errors

Array = NDArray[np.float64]
Index = NDArray[np.int64]

VEHICLES = "Motor vehicles"


class Model(Protocol):
    """What is evaluated; `HazardClassifier` is one."""

    @property
    def version(self) -> str:
        """Version of the model."""

    @property
    def thresholds(self) -> Array:
        """Threshold of each risk type."""

    @property
    def taxonomy(self) -> Taxonomy:
        """The label set."""

    def predict(self, listings: Iterable[Listing], progress: Callable[[int], object] | None = None) -> Predictions:
        """Return the figures of many listings."""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation: everything that report, tracking and gates need.

    Parameters
    ----------
    metrics : dict
        Plain values for JSON. ``headline`` leaves the apart category out; ``apart`` holds that category.
    classes : list of ClassRow
        Per risk type, of the headline examples.
    slices : list of dict
        One row a slice: dimension, value, n and metrics.
    errors : list of WorstError
        To be read one by one, worst first.
    plots : dict
        Name -> PNG.
    """

    metrics: dict[str, Any]
    classes: list[ClassRow]
    slices: list[dict[str, Any]]
    errors: list[WorstError]
    plots: dict[str, bytes] = field(repr=False)

    def named(self, model_version: str) -> Evaluation:
        """Return the same evaluation under the version that its model got when it was saved."""
        return replace(self, metrics={**self.metrics, "model_version": model_version})


def evaluate(
    model: Model,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    *,
    thresholds: Array | None = None,
    groups: Index | None = None,
    apart: str = VEHICLES,
    resamples: int = 500,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Evaluate a model on examples that it has not seen.

    Parameters
    ----------
    examples : sequence of Example
        Hazards count where labels are known (an empty tuple is known: none), levels where a person gave one.
    taxonomy : Taxonomy
        Label set of the examples; it must be the model's.
    thresholds : array of shape (risk types,), optional
        Of the served hazard probabilities; by default the model's own.
    groups : array of int, shape (n,), optional
        Product group of each example, for the intervals; by default equal ids.
    apart : str
        Category that is reported apart and enters no headline figure; empty for none.
    resamples : int
        Bootstrap resamples; 0 leaves the intervals out.

    Raises
    ------
    InputError
        If there is no example, or the taxonomies differ.
    """
    if not examples:
        raise InputError("there is no example to evaluate on", hint="give a table with labels or risk levels")
    if taxonomy.names != model.taxonomy.names:
        raise InputError(
            f"the examples use taxonomy {taxonomy.id}, the model {model.taxonomy.id}",
            hint="give the taxonomy that the model was trained with",
        )
    limits = model.thresholds if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    predictions = model.predict((example.to_listing() for example in examples), progress)
    scored = Scored.of(examples, predictions, taxonomy, groups)
    aside = np.array([bool(apart) and e.category.strip().casefold() == apart.casefold() for e in examples])
    rows = np.flatnonzero(~aside)
    hazards = scored.hazards(rows, limits)
    metrics = {
        "model_version": model.version,
        "taxonomy": taxonomy.id,
        "evaluation_sha256": examples_fingerprint(examples),
        "n": len(examples),
        "apart_category": apart,
        "headline": _metrics(scored, rows, limits, resamples, seed),
        "apart": _metrics(scored, np.flatnonzero(aside), limits, 0, seed),
    }
    table = hazards.table(taxonomy.names)
    return Evaluation(
        metrics,
        table,
        _slices(scored, rows, limits),
        worst_errors(scored, rows, taxonomy.names, limits),
        _plots(scored, rows, hazards, table),
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
    }
    files = {
        "metrics.json": orjson.dumps(content, option=orjson.OPT_INDENT_2),
        "report.html": render_report(
            evaluation.metrics, evaluation.classes, evaluation.slices, evaluation.errors, evaluation.plots
        ).encode(),
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


def examples_fingerprint(examples: Sequence[Example]) -> str:
    """Return a SHA-256 (hex) of a set of examples, whatever their order: metrics on equal sets may be compared."""
    lines = sorted(f"{example.id}\x1f{example.fingerprint()}" for example in examples)
    return hashlib.sha256("\x1e".join(lines).encode("utf-8", "replace")).hexdigest()


def _metrics(scored: Scored, rows: Index, thresholds: Array, resamples: int, seed: int) -> dict[str, Any]:
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
            "intervals": _plain(hazard_intervals),
        },
        "hazards_given_unsafe": {**rounded(given_unsafe()), "n": int(given_unsafe.labelled.sum())},
        "calibration": _calibration(scored, labelled, levelled),
        "levels": {
            **rounded(levels()),
            "n": len(levelled),
            "dangerous": int((levels.truth >= HIGH).sum()),
            "confusion": levels.confusion().astype(int).tolist(),
            "intervals": _plain(level_intervals),
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
        name: {"n": len(y), **rounded({"ece": expected_calibration_error(y, _unit(p)), "brier": brier_score(y, p)})}
        for name, (y, p) in pairs.items()
    }
    result["given_unsafe"] |= rounded({"ece_classwise": classwise_calibration_error(truth, _unit(given))})
    return result


def _slices(scored: Scored, rows: Index, thresholds: Array) -> list[dict[str, Any]]:
    languages = [scored.predictions.languages[i] for i in rows]
    table = []
    for dimension, values in slice_indices([scored.examples[i] for i in rows], languages).items():
        for value, index in values.items():
            part = rows[index]
            hazards, levels = scored.hazards(part, thresholds), scored.level_statistics(part)
            table.append(
                {
                    "dimension": dimension,
                    "value": value,
                    "n": len(part),
                    "n_labelled": len(hazards.truth),
                    "classes_counted": len(hazards.counted),
                    **rounded(hazards(), 4),
                    "n_levelled": len(levels.truth),
                    **rounded(levels(), 4),
                }
            )
    return table


def _plots(scored: Scored, rows: Index, hazards: HazardStatistics, table: list[ClassRow]) -> dict[str, bytes]:
    unsafe = rows[scored.truth[rows].any(axis=1)]
    levels = scored.level_statistics(rows)
    curves = {
        "hazards, given an unsafe product": reliability_curve(
            scored.truth[unsafe], _unit(scored.predictions.given_unsafe[unsafe])
        )
    }
    if len(levels.truth):
        curves["level high or serious"] = reliability_curve(levels.truth >= HIGH, _unit(levels.risk_score))
    return {
        "reliability": plots.reliability_plot(curves),
        "precision_recall": plots.precision_recall_plot(hazards.truth, hazards.scores, table),
        "per_class": plots.class_bars_plot(table),
        "level_confusion": plots.level_confusion_plot(levels.confusion()),
    }


def _unit(probabilities: Array) -> Array:
    # Sums of level probabilities pass 1 by a rounding error.
    clipped: Array = np.clip(probabilities, 0.0, 1.0)
    return clipped


def _plain(intervals: dict[str, Interval]) -> dict[str, list[float | None]]:
    return {name: list(rounded({"low": i.low, "high": i.high}).values()) for name, i in intervals.items()}

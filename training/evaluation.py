"""Evaluation of a model on labelled examples: what it gets right, how sure one can be of that, and where it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from training.capacity import review_capacity
from training.captions import caption_effect
from training.comparison import Rivalry, compare, not_compared
from training.costs import cost_table
from training.data_profile import profile
from training.headline import headline
from training.label_noise import LabelIssue, LabelNoise, label_noise
from training.metrics import ClassRow, rounded
from training.pictures import pictures
from training.rivals import Rival
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
        Plain values for JSON. ``headline`` leaves the apart category out; ``apart`` holds that category. ``capacity``,
        ``costs``, ``captions``, ``comparisons`` and ``label_noise`` rest on the headline's examples.
    classes : list of ClassRow
        Per risk type, of the headline examples.
    slices : list of dict
        One row a slice: dimension, value, n and metrics.
    errors : list of WorstError
        To be read one by one, worst first.
    plots : dict
        Name -> PNG.
    label_issues : list of LabelIssue
        Labels that a person should look at again, least credible first.
    profile : dict
        What the examples hold; see `training.data_profile.profile`.
    """

    metrics: dict[str, Any]
    classes: list[ClassRow]
    slices: list[dict[str, Any]]
    errors: list[WorstError]
    plots: dict[str, bytes] = field(repr=False)
    label_issues: list[LabelIssue] = field(default_factory=list, repr=False)
    profile: dict[str, Any] = field(default_factory=dict, repr=False)

    def named(self, model_version: str) -> Evaluation:
        """Return the same evaluation under the version that its model got when it was saved."""
        return replace(self, metrics={**self.metrics, "model_version": model_version})


def evaluate(
    model: Model,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    *,
    predictions: Predictions | None = None,
    thresholds: Array | None = None,
    groups: Index | None = None,
    apart: str = VEHICLES,
    knowledge: Knowledge | None = None,
    rivals: Sequence[Rival] = (),
    closely: bool = True,
    draw: bool = True,
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
    predictions : Predictions, optional
        The model's figures of the examples, where they are at hand; by default it is asked.
    thresholds : array of shape (risk types,), optional
        Of the served hazard probabilities; by default the model's own.
    groups : array of int, shape (n,), optional
        Product group of each example, for the intervals; by default equal ids.
    apart : str
        Category that is reported apart and enters no headline figure; empty for none.
    knowledge : Knowledge, optional
        Tells the consumer group of each predicted product kind, for the slices.
    rivals : sequence of Rival
        Models to compare with on the same examples.
    closely : bool
        Also measure what captions are worth and look for labels that may be wrong.
    draw : bool
        Draw the pictures, which takes a second or two.
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
    if predictions is None:
        predictions = model.predict((example.to_listing() for example in examples), progress)
    scored = Scored.of(examples, predictions, taxonomy, groups)
    aside = np.array([bool(apart) and e.category.strip().casefold() == apart.casefold() for e in examples])
    rows = np.flatnonzero(~aside)
    levels = scored.level_statistics(rows)
    noise = label_noise(scored, rows, taxonomy.names) if closely else LabelNoise(0, 0, {}, [])
    metrics = {
        "model_version": model.version,
        "taxonomy": taxonomy.id,
        "evaluation_sha256": examples_fingerprint(examples),
        "n": len(examples),
        "apart_category": apart,
        "headline": headline(scored, rows, limits, resamples, seed),
        "apart": headline(scored, np.flatnonzero(aside), limits, 0, seed),
        "capacity": review_capacity(levels, scored.groups[rows[scored.levelled[rows]]], resamples, seed),
        "costs": cost_table(levels),
        "captions": caption_effect(model, scored, rows, limits, resamples=resamples, seed=seed) if closely else [],
        "comparisons": _comparisons(scored, rows, limits, rivals, taxonomy, resamples, seed),
        "label_noise": noise.summary(),
    }
    table = scored.hazards(rows, limits).table(taxonomy.names)
    return Evaluation(
        metrics,
        table,
        _slices(scored, rows, limits, knowledge),
        worst_errors(scored, rows, taxonomy.names, limits),
        pictures(scored, rows, limits, table, metrics) if draw else {},
        noise.issues,
        profile(examples),
    )


def examples_fingerprint(examples: Sequence[Example]) -> str:
    """Return a SHA-256 (hex) of a set of examples, whatever their order: metrics on equal sets may be compared."""
    lines = sorted(f"{example.id}\x1f{example.fingerprint()}" for example in examples)
    return hashlib.sha256("\x1e".join(lines).encode("utf-8", "replace")).hexdigest()


def _comparisons(
    scored: Scored,
    rows: Index,
    limits: Array,
    rivals: Sequence[Rival],
    taxonomy: Taxonomy,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """The model beside its rivals; alone it is no table."""
    if not rivals:
        return []
    others, missing = [], []
    for rival in rivals:
        if rival.model is None:
            missing.append(not_compared(rival.name, rival.about, rival.missing))
            continue
        answers = rival.model.predict(example.to_listing() for example in scored.examples)
        beside = Scored.of(scored.examples, answers, taxonomy, scored.groups)
        others.append(Rivalry(rival.name, rival.about, beside, rival.model.thresholds, levels=rival.levels))
    own = Rivalry("this model", "hazards and levels as they are served", scored, limits)
    return [*compare(own, others, rows, resamples=resamples, seed=seed), *missing]


def _slices(scored: Scored, rows: Index, thresholds: Array, knowledge: Knowledge | None) -> list[dict[str, Any]]:
    languages = [scored.predictions.languages[i] for i in rows]
    consumers = _consumers(scored, rows, knowledge) if knowledge is not None else None
    table = []
    for dimension, values in slice_indices([scored.examples[i] for i in rows], languages, consumers).items():
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


def _consumers(scored: Scored, rows: Index, knowledge: Knowledge) -> list[str]:
    """Consumer group of each row's product kind: the kind it was written from, else the predicted one."""
    group = {kind.id: kind.consumers for kind in knowledge.kinds}
    kinds = (scored.examples[i].extra.get("kind") or scored.predictions.kinds[i] for i in rows)
    return [group.get(kind, "") for kind in kinds]

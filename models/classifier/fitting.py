"""Fitting: corpus listings teach the product kinds, labelled examples the hazards, the market what is offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.calibrating import f1_thresholds, fit_calibration
from models.classifier.classifier import HazardClassifier
from models.classifier.composing import Boilerplate
from models.classifier.encoder import OnnxEncoder
from models.classifier.fit_settings import FitSettings
from models.classifier.head_fitting import Progress, cross_fitted_logits, fit_heads
from models.classifier.heads import Blocks
from models.classifier.kind_model import KindModel, name_strengths
from models.classifier.market_evidence import market_evidence
from models.classifier.reading import ReadListing
from models.classifier.scenarios import ScenarioModel
from models.classifier.settings import Settings
from models.classifier.sparse import SparseFeatures
from models.classifier.unsafe_calibration import fit_unsafe_calibration
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KindSample:
    """A corpus listing, read, whose product kind is known."""

    read: ReadListing
    kind: str


@dataclass(frozen=True)
class HazardSample:
    """A listing of an unsafe product, read, with its hazards.

    Parameters
    ----------
    kind : str
        Product kind of a corpus listing, empty for a real example, whose kind nobody knows.
    expected : mapping of risk type to probability
        Of a corpus listing, whose labels are one draw of these; of a real example the labels are what is known.
    later : bool
        The sample belongs to the latest part, by which the training of an encoder is stopped.
    group : int
        Samples of one group (near-duplicates, translations) never stand on both sides of a fold.
    """

    read: ReadListing
    labels: tuple[str, ...]
    group: int = 0
    weight: float = 1.0
    later: bool = False
    kind: str = ""
    expected: Mapping[str, float] = field(default_factory=dict)

    def probability(self, risk_type: str) -> float:
        """Return how probably the sample has a risk type."""
        return self.expected.get(risk_type, 0.0) if self.expected else float(risk_type in self.labels)


def fit_classifier(
    taxonomy: Taxonomy,
    taxonomy_source: Mapping[str, Any],
    knowledge: Knowledge,
    boilerplate: Boilerplate,
    encoder: OnnxEncoder,
    kinds: Sequence[KindSample],
    hazards: Sequence[HazardSample],
    settings: Settings | None = None,
    fit: FitSettings | None = None,
    progress: Progress | None = None,
    ordinary: Sequence[ReadListing] = (),
    original: OnnxEncoder | None = None,
) -> HazardClassifier:
    """Fit a classifier.

    Parameters
    ----------
    kinds : sequence of KindSample
        At least one listing of every kind of the knowledge base.
    hazards : sequence of HazardSample
        Unsafe products with their hazards: they teach P(hazard | unsafe, listing). Calibration and thresholds come
        from cross-fitting, every sample scored by heads that have not seen it.
    progress : callable, optional
        Called with (stage, done, total).
    ordinary : sequence of ReadListing
        What the market offers: beside the real examples among `hazards` they tell how often each kind is unsafe.
    original : OnnxEncoder, optional
        Where the encoder was trained on the samples' hazards: the encoder before that. Calibration sees its vectors,
        since the trained one knows the answers to the samples. Holding the latest samples back from the encoder
        instead leaves few to calibrate on: within the training part of the Safety Gate alerts, thresholds from
        the latest 550 gave macro-F1 0.650 on what came next, thresholds from cross-fitting all of them 0.675.

    Raises
    ------
    InputError
        If a kind has no listing, or no hazard sample has a label.
    """
    if not any(sample.labels for sample in hazards):
        raise InputError("no example has a label", hint="give examples with risk types in the column `labels`")
    settings, fit = settings or Settings(max_tokens=encoder.max_tokens), fit or FitSettings()
    kind_model = KindModel.fit(
        _embed(encoder, "product kinds", [sample.read for sample in kinds], progress),
        np.array([knowledge.kind_column[sample.kind] for sample in kinds]),
        len(knowledge.kinds),
        fit.kind_temperature,
        fit.name_bonus,
    )
    offered = np.zeros((0, len(knowledge.kinds)))
    if ordinary:
        offer_embeddings = _embed(encoder, "ordinary listings", ordinary, progress)
        kind_model = kind_model.with_background(_posteriors(ordinary, offer_embeddings, kind_model, knowledge))
        offered = _posteriors(ordinary, offer_embeddings, kind_model, knowledge)
    read = [sample.read for sample in hazards]
    embeddings = _embed(encoder, "hazards", read, progress)
    posteriors = _posteriors(read, embeddings, kind_model, knowledge)
    real = np.array([not sample.kind for sample in hazards])
    evidence = market_evidence(posteriors[real], offered)
    scenarios = ScenarioModel(knowledge, taxonomy, settings.spread, evidence)
    texts = [r.text.text for r in read]
    sparse = SparseFeatures.fit(texts)
    blocks = Blocks(
        embeddings,
        sparse.transform(texts),
        scenarios.hazard_log_odds(posteriors, [scenarios.risks(r.facts()) for r in read]),
    )
    labels = np.array([[name in sample.labels for name in taxonomy.names] for sample in hazards])
    weights = _weights(hazards, posteriors[real].sum(axis=0), knowledge, fit)
    expected = np.array([[sample.probability(name) for name in taxonomy.names] for sample in hazards])
    groups = np.array([sample.group for sample in hazards])
    heads = fit_heads(blocks, expected, weights, fit, progress, real)
    unseen = blocks if original is None else replace(blocks, dense=_embed(original, "calibration", read, progress))
    logits = cross_fitted_logits(unseen, expected, weights, groups, fit, progress, real)
    calibration = fit_calibration(logits, labels, weights)
    thresholds = f1_thresholds(calibration.probabilities(logits), labels)
    return HazardClassifier(
        taxonomy,
        knowledge,
        boilerplate,
        encoder,
        sparse,
        kind_model,
        heads,
        calibration,
        thresholds,
        settings,
        taxonomy_source,
        market_evidence=evidence,
        unsafe_calibration=fit_unsafe_calibration(
            posteriors[real],
            [r for r, is_real in zip(read, real, strict=True) if is_real],
            offered,
            ordinary,
            lambda found: ScenarioModel(knowledge, taxonomy, settings.spread, found),
            settings.prior_unsafe,
            fit,
        ),
    )


def _weights(hazards: Sequence[HazardSample], alerts: Array, knowledge: Knowledge, fit: FitSettings) -> Array:
    """Weigh the corpus where the alerts are silent: a kind without alerts keeps its written listings' full weight."""
    weights = np.array([sample.weight for sample in hazards])
    if not alerts.sum():
        return weights
    for i, sample in enumerate(hazards):
        if sample.kind:
            weights[i] *= fit.corpus_cases / (fit.corpus_cases + alerts[knowledge.kind_column[sample.kind]])
    return weights


def _posteriors(
    read: Sequence[ReadListing], embeddings: NDArray[np.float32], kind_model: KindModel, knowledge: Knowledge
) -> Array:
    posteriors = np.zeros((len(read), len(knowledge.kinds)))
    for start in range(0, len(read), 1000):
        part = slice(start, start + 1000)
        names = name_strengths([r.text for r in read[part]], knowledge)
        posteriors[part] = kind_model.judge(embeddings[part], names).posterior
    return posteriors


def _embed(
    encoder: OnnxEncoder, stage: str, read: Sequence[ReadListing], progress: Progress | None
) -> NDArray[np.float32]:
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if progress and (done % 200 == 0 or done == len(read)):
            progress(f"encoding {stage}", done, len(read))

    return encoder.embed([r.text.text for r in read], advance)

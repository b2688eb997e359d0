"""Fitting: corpus listings teach the product kinds, labelled examples teach the hazards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import GroupKFold

from models.classifier.classifier import HazardClassifier, Settings, usable_cores
from models.classifier.composing import Boilerplate
from models.classifier.encoder import OnnxEncoder
from models.classifier.heads import Blocks, Calibration, LinearHeads
from models.classifier.kind_model import KindModel, name_strengths
from models.classifier.reading import ReadListing
from models.classifier.scenarios import ScenarioModel, log_odds
from models.classifier.sparse import SparseFeatures
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""

_FEW = 50
"""A risk type with fewer positives than this takes no threshold from its own best F1: that would be noise."""


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
    later : bool
        The sample belongs to the latest part, which the encoder has not been trained on: calibration rests on it.
    group : int
        Samples of one group (near-duplicates, translations) never stand on both sides of a fold.
    """

    read: ReadListing
    labels: tuple[str, ...]
    group: int = 0
    weight: float = 1.0
    later: bool = False


@dataclass(frozen=True)
class FitSettings:
    """How to fit.

    Parameters
    ----------
    penalties : dict
        Inverse regularisation strength of each block's logistic regression.
    mixture : dict
        Weight of each block's logit in the sum. Chosen by five-fold cross-validation on the training part of the
        Safety Gate alerts of 2009-2011, see the ablation in the report.
    folds : int
        Folds of the cross-fitted calibration.
    """

    penalties: Mapping[str, float] = field(default_factory=lambda: {"dense": 10.0, "sparse": 30.0, "knowledge": 1.0})
    mixture: Mapping[str, float] = field(default_factory=lambda: {"dense": 0.25, "sparse": 0.5, "knowledge": 0.25})
    folds: int = 3
    seed: int = 0
    kind_temperature: float = 5.0
    name_bonus: float = 3.0


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
) -> HazardClassifier:
    """Fit a classifier.

    Parameters
    ----------
    kinds : sequence of KindSample
        At least one listing of every kind of the knowledge base.
    hazards : sequence of HazardSample
        Unsafe products with their hazards: they teach P(hazard | unsafe, listing). Calibration and thresholds come
        from the `later` ones, scored by heads that have not seen them; where there is none, from cross-fitting.
    progress : callable, optional
        Called with (stage, done, total).

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
    read = [sample.read for sample in hazards]
    embeddings = _embed(encoder, "hazards", read, progress)
    texts = [r.text.text for r in read]
    sparse = SparseFeatures.fit(texts)
    blocks = Blocks(
        embeddings,
        sparse.transform(texts),
        _knowledge_features(
            read, embeddings, kind_model, knowledge, ScenarioModel(knowledge, taxonomy, settings.spread)
        ),
    )
    labels = np.array([[name in sample.labels for name in taxonomy.names] for sample in hazards])
    weights = np.array([sample.weight for sample in hazards])
    groups = np.array([sample.group for sample in hazards])
    heads = fit_heads(blocks, labels, weights, fit, progress)
    later = np.array([sample.later for sample in hazards])
    if later.any():
        earlier = np.flatnonzero(~later)
        logits = fit_heads(blocks.rows(earlier), labels[earlier], weights[earlier], fit).logits(
            blocks.rows(np.flatnonzero(later))
        )
        labels, weights = labels[later], weights[later]
    else:
        logits = _cross_fitted_logits(blocks, labels, weights, groups, fit, progress)
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
    )


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


def _knowledge_features(
    read: Sequence[ReadListing],
    embeddings: NDArray[np.float32],
    kind_model: KindModel,
    knowledge: Knowledge,
    scenarios: ScenarioModel,
) -> Array:
    features = np.zeros((len(read), len(scenarios.taxonomy.names)))
    for start in range(0, len(read), 1000):
        part = slice(start, start + 1000)
        posterior = kind_model.posterior(embeddings[part], name_strengths([r.text for r in read[part]], knowledge))
        features[part] = scenarios.hazard_log_odds(posterior, [scenarios.risks(r.facts()) for r in read[part]])
    return features


def fit_heads(
    blocks: Blocks, labels: NDArray[np.bool_], weights: Array, fit: FitSettings, progress: Progress | None = None
) -> LinearHeads:
    """Fit one logistic regression per block and risk type, and add their logits with the mixture's weights.

    One regression per block keeps a strong block from silencing a weaker one on few examples, and shows what each
    is worth. A risk type with fewer than two positives gets its base rate and no weights.
    """
    n_heads = labels.shape[1]
    dense = np.zeros((n_heads, blocks.dense.shape[1]), dtype=np.float32)
    sparse = np.zeros((n_heads, blocks.sparse.shape[1]), dtype=np.float32)
    knowledge, bias = np.zeros(n_heads, dtype=np.float32), np.zeros(n_heads, dtype=np.float32)

    def fit_head(j: int) -> None:
        target = labels[:, j]
        if target.sum() < 2 or (~target).sum() < 2:
            bias[j] = log_odds(np.array([weights[target].sum() / weights.sum()]), 1e-4)[0]
            return
        w, b = _regression(blocks.dense, target, weights, fit.penalties["dense"], fit.seed)
        dense[j], bias[j] = fit.mixture["dense"] * w, fit.mixture["dense"] * b
        w, b = _regression(blocks.sparse, target, weights, fit.penalties["sparse"], fit.seed)
        sparse[j], bias[j] = fit.mixture["sparse"] * w, bias[j] + fit.mixture["sparse"] * b
        w, b = _regression(blocks.knowledge[:, [j]], target, weights, fit.penalties["knowledge"], fit.seed)
        knowledge[j], bias[j] = fit.mixture["knowledge"] * w[0], bias[j] + fit.mixture["knowledge"] * b

    # liblinear lets go of the interpreter lock, and its primal solver draws no random numbers: threads change nothing.
    with ThreadPoolExecutor(usable_cores()) as pool:
        for done, _ in enumerate(pool.map(fit_head, range(n_heads)), start=1):
            if progress:
                progress("fitting heads", done, n_heads)
    return LinearHeads(dense, sparse, knowledge, bias)


def _regression(
    features: Any, target: NDArray[np.bool_], weights: Array, penalty: float, seed: int
) -> tuple[Array, float]:
    model = LogisticRegression(C=penalty, solver="liblinear", random_state=seed)
    model.fit(features, target, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def _cross_fitted_logits(
    blocks: Blocks,
    labels: NDArray[np.bool_],
    weights: Array,
    groups: NDArray[np.int64],
    fit: FitSettings,
    progress: Progress | None,
) -> Array:
    """Return logits that no sample's own labels (nor its group's) have shaped, shape (n, heads)."""
    folds = min(fit.folds, len(np.unique(groups)))
    if folds < 2:
        return fit_heads(blocks, labels, weights, fit).logits(blocks)
    logits = np.zeros(labels.shape)
    splits = GroupKFold(folds, shuffle=True, random_state=fit.seed).split(labels, groups=groups)
    for i, (rest, held_out) in enumerate(splits):
        if progress:
            progress("calibrating", i, folds)
        heads = fit_heads(blocks.rows(rest), labels[rest], weights[rest], fit)
        logits[held_out] = heads.logits(blocks.rows(held_out))
    return logits


def fit_calibration(logits: Array, labels: NDArray[np.bool_], weights: Array) -> Calibration:
    """Fit Platt's sigmoid per risk type; the slope stays above 0, and few positives leave the logit as it is."""
    calibration = Calibration.identity(labels.shape[1])
    for j in range(labels.shape[1]):
        target = labels[:, j]
        if target.sum() < 5 or (~target).sum() < 5:
            continue
        model = LogisticRegression(C=1.0, solver="lbfgs").fit(logits[:, [j]], target, sample_weight=weights)
        if model.coef_[0, 0] > 0.05:
            calibration.slope[j], calibration.offset[j] = model.coef_[0, 0], model.intercept_[0]
    return calibration


def f1_thresholds(probabilities: Array, labels: NDArray[np.bool_]) -> Array:
    """Return a threshold of high F1 per risk type.

    Where positives are many, the probability of the best F1 seen. Where they are few that would be noise, and half the
    best F1 is taken: the optimal threshold of a calibrated probability (Lipton, Elkan and Naryanaswamy 2014, "Optimal
    thresholding of classifiers to maximize F1 measure").
    """
    thresholds = np.full(labels.shape[1], 0.5)
    for j in range(labels.shape[1]):
        if labels[:, j].any():
            best, at = _best_f1(labels[:, j], probabilities[:, j])
            thresholds[j] = at if labels[:, j].sum() >= _FEW else max(best / 2, 0.05)
    return thresholds


def _best_f1(target: NDArray[np.bool_], probabilities: Array) -> tuple[float, float]:
    precision, recall, thresholds = precision_recall_curve(target, probabilities)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    return float(f1[best]), float(thresholds[best])

"""Fitting the hazard heads: one logistic regression per block of features and risk type."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from models.classifier.cores import usable_cores
from models.classifier.fit_settings import FitSettings
from models.classifier.heads import Blocks, LinearHeads
from models.classifier.scenarios import log_odds

Array = NDArray[np.float64]
Labels = NDArray[np.bool_] | NDArray[np.float64]
"""Whether, or how probably, each sample has each risk type: shape (n, risk types)."""
_SMOOTHING = 0.3
"""Added to every feature's sums before the naive Bayes ratio is taken, so that an unseen one is not certain."""
Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""


def fit_heads(
    blocks: Blocks,
    labels: Labels,
    weights: Array,
    fit: FitSettings,
    progress: Progress | None = None,
    real: NDArray[np.bool_] | None = None,
) -> LinearHeads:
    """Fit one logistic regression per part and risk type, and add their logits with the mixture's weights.

    One regression per block keeps a strong block from silencing a weaker one on few examples, and shows what each
    is worth. The sparse block has two: a plain one, and one on its naive Bayes ratios, learnt from the real samples
    alone; where fewer than two of them have the risk type, the plain one takes its place. A risk type with fewer than
    two positives gets its base rate and no weights.

    Parameters
    ----------
    labels : array of shape (n, risk types)
        Whether a sample has a risk type or, where only that is known, how probably. The loss is its expectation then:
        one draw of labels more or less decides nothing.
    real : array of bool, shape (n,), optional
        Which samples are real examples, of known labels, and not written ones; by default all.
    """
    genuine = np.arange(len(labels)) if real is None else np.flatnonzero(real)
    n_heads = labels.shape[1]
    dense = np.zeros((n_heads, blocks.dense.shape[1]), dtype=np.float32)
    sparse = np.zeros((n_heads, blocks.sparse.shape[1]), dtype=np.float32)
    knowledge, bias = np.zeros(n_heads, dtype=np.float32), np.zeros(n_heads, dtype=np.float32)

    def fit_head(j: int) -> None:
        share = labels[:, j].astype(np.float64)
        if share.sum() < 2 or (1.0 - share).sum() < 2:
            bias[j] = log_odds(np.array([(weights * share).sum() / weights.sum()]), 1e-4)[0]
            return
        cases = labels[genuine, j] > 0.5
        mixture = fit.mixture_of(int(cases.sum()))
        rows, target, weight = _answers(share, weights)
        w, b = _regression(blocks.dense[rows], target, weight, fit.penalties["dense"], fit.seed)
        dense[j], bias[j] = mixture["dense"] * w, mixture["dense"] * b
        plain, ratios = mixture["sparse"], mixture["ratios"]
        if ratios and cases.sum() >= 2 and (~cases).sum() >= 2:
            w, b = _on_ratios(blocks.sparse[genuine], cases, weights[genuine], fit.penalties["ratios"], fit.seed)
            sparse[j], bias[j] = ratios * w, bias[j] + ratios * b
        else:
            plain += ratios
        w, b = _regression(blocks.sparse[rows], target, weight, fit.penalties["sparse"], fit.seed)
        sparse[j], bias[j] = sparse[j] + plain * w, bias[j] + plain * b
        w, b = _regression(blocks.knowledge[rows][:, [j]], target, weight, fit.penalties["knowledge"], fit.seed)
        knowledge[j], bias[j] = mixture["knowledge"] * w[0], bias[j] + mixture["knowledge"] * b

    # liblinear lets go of the interpreter lock, and its primal solver draws no random numbers: threads change nothing.
    with ThreadPoolExecutor(usable_cores()) as pool:
        for done, _ in enumerate(pool.map(fit_head, range(n_heads)), start=1):
            if progress:
                progress("fitting heads", done, n_heads)
    return LinearHeads(dense, sparse, knowledge, bias)


def _answers(share: Array, weights: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_], Array]:
    """Return rows, answers and weights: a sample that is a case with probability p stands there as both."""
    cases, others = np.flatnonzero(share > 0.0), np.flatnonzero(share < 1.0)
    rows = np.concatenate([cases, others])
    weight = np.concatenate([(weights * share)[cases], (weights * (1.0 - share))[others]])
    return rows, np.arange(len(rows)) < len(cases), weight


def _regression(
    features: Any, target: NDArray[np.bool_], weights: Array, penalty: float, seed: int
) -> tuple[Array, float]:
    model = LogisticRegression(C=penalty, solver="liblinear", random_state=seed)
    model.fit(features, target, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def _on_ratios(
    features: csr_matrix, target: NDArray[np.bool_], weights: Array, penalty: float, seed: int
) -> tuple[Array, float]:
    """Fit a regression whose features are scaled by how much likelier each is among the cases than elsewhere.

    Wang and Manning, "Baselines and bigrams: simple, good sentiment and topic classification", 2012, over TF-IDF
    instead of counts: r = log(p / |p|) - log(q / |q|), p and q a feature's smoothed sums over the cases and over the
    others. The result is linear in the features as they are.
    """
    among = features[target].T @ weights[target] + _SMOOTHING
    elsewhere = features[~target].T @ weights[~target] + _SMOOTHING
    ratios = np.log(among / among.sum()) - np.log(elsewhere / elsewhere.sum())
    w, b = _regression(features.multiply(ratios).tocsr(), target, weights, penalty, seed)
    return w * ratios, b


def cross_fitted_logits(
    blocks: Blocks,
    labels: Labels,
    weights: Array,
    groups: NDArray[np.int64],
    fit: FitSettings,
    progress: Progress | None,
    real: NDArray[np.bool_] | None = None,
) -> Array:
    """Return logits that no sample's own labels (nor its group's) have shaped, shape (n, heads)."""
    folds = min(fit.folds, len(np.unique(groups)))
    if folds < 2:
        return fit_heads(blocks, labels, weights, fit, real=real).logits(blocks)
    logits = np.zeros(labels.shape)
    splits = GroupKFold(folds, shuffle=True, random_state=fit.seed).split(labels, groups=groups)
    for i, (rest, held_out) in enumerate(splits):
        if progress:
            progress("calibrating", i, folds)
        genuine = None if real is None else real[rest]
        heads = fit_heads(blocks.rows(rest), labels[rest], weights[rest], fit, real=genuine)
        logits[held_out] = heads.logits(blocks.rows(held_out))
    return logits

"""From logits on data that shaped none of them to probabilities, and to thresholds of high F1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from models.classifier.heads import Calibration

Array = NDArray[np.float64]

_FEWEST = 5
"""A risk type with fewer positives than this is not calibrated."""
_FEW = 50
"""A risk type with fewer positives than this takes no threshold from its own best F1: that would be noise."""


def fit_calibration(
    logits: Array, labels: NDArray[np.bool_], weights: Array, real: NDArray[np.bool_] | None = None
) -> Calibration:
    """Fit Platt's sigmoid per risk type; the slope stays above 0, and few positives leave the logit as it is.

    Parameters
    ----------
    real : array of bool, shape (n,), optional
        Which samples are real examples. They alone count for a risk type of which there are enough: a written listing
        says what hazards a product has, not how often.
    """
    calibration = Calibration.identity(labels.shape[1])
    for j in range(labels.shape[1]):
        rows = _telling(labels[:, j], real)
        target = labels[rows, j]
        if target.sum() < _FEWEST or (~target).sum() < _FEWEST:
            continue
        model = LogisticRegression(C=1.0, solver="lbfgs").fit(logits[rows][:, [j]], target, sample_weight=weights[rows])
        if model.coef_[0, 0] > 0.05:
            calibration.slope[j], calibration.offset[j] = model.coef_[0, 0], model.intercept_[0]
    return calibration


def f1_thresholds(probabilities: Array, labels: NDArray[np.bool_], real: NDArray[np.bool_] | None = None) -> Array:
    """Return a threshold of high F1 per risk type.

    Where positives are many, the probability of the best F1 seen. Where they are few that would be noise, and half the
    best F1 is taken: the optimal threshold of a calibrated probability (Lipton, Elkan and Naryanaswamy 2014, "Optimal
    thresholding of classifiers to maximize F1 measure"). Real examples alone count where `fit_calibration` says so.
    """
    thresholds = np.full(labels.shape[1], 0.5)
    for j in range(labels.shape[1]):
        rows = _telling(labels[:, j], real)
        target = labels[rows, j]
        if target.any():
            best, at = _best_f1(target, probabilities[rows, j])
            thresholds[j] = at if target.sum() >= _FEW else max(best / 2, 0.05)
    return thresholds


def _telling(target: NDArray[np.bool_], real: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    enough = real is not None and min((target & real).sum(), (~target & real).sum()) >= _FEWEST
    return real if real is not None and enough else np.ones(len(target), dtype=bool)


def _best_f1(target: NDArray[np.bool_], probabilities: Array) -> tuple[float, float]:
    precision, recall, thresholds = precision_recall_curve(target, probabilities)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    return float(f1[best]), float(thresholds[best])

"""From logits on data that shaped none of them to probabilities, and to thresholds of high F1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from models.classifier.heads import Calibration

Array = NDArray[np.float64]

_FEW = 50
"""A risk type with fewer positives than this takes no threshold from its own best F1: that would be noise."""


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

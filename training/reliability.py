"""Whether probabilities mean what they say: calibration error in adaptive bins, Brier score, reliability curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Truth = NDArray[np.bool_]

QUANTILE_BINS = 10
_TENTHS = np.arange(1, 10) / 10


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same size: how many, their weight in all, their mean, and the share that came true."""

    n: int
    weight: float
    predicted: float
    observed: float


def reliability_curve(
    truth: Truth, probabilities: Array, bins: int = QUANTILE_BINS, weights: Array | None = None
) -> list[Bin]:
    """Return adaptive bins of predictions, lowest first.

    Edges are the quantiles of the predictions, so that the many small probabilities are told apart, together with
    the tenths, so that the few large ones do not share one wide bin. Equal predictions stay in one bin: their order
    never matters. Empty bins are left out.

    Parameters
    ----------
    truth : array of bool, any shape
    probabilities : array of float, the same shape
    bins : int
        Bins of equal weight, before the tenths cut them further.
    weights : array of float, the same shape, optional
        Above 0; by default every prediction counts as one.

    Raises
    ------
    ValueError
        If the shapes differ or a probability is not within [0, 1].
    """
    y, p = np.asarray(truth, dtype=bool).ravel(), np.asarray(probabilities, dtype=np.float64).ravel()
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if not y.shape == p.shape == w.shape:
        raise ValueError(f"{len(y)} outcomes and {len(w)} weights for {len(p)} probabilities")
    if not len(p):
        return []
    if not (p.min() >= 0.0 and p.max() <= 1.0):
        raise ValueError("a probability is not within 0 and 1")
    quantiles = np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf", weights=w)
    edges = np.unique(np.concatenate([quantiles, _TENTHS]))
    which = np.searchsorted(edges, p, side="left")
    n = np.bincount(which, minlength=len(edges) + 1)
    mass, predicted, observed = (np.bincount(which, weights=part, minlength=len(n)) for part in (w, w * p, w * y))
    return [
        Bin(int(n[i]), float(mass[i]), float(predicted[i] / mass[i]), float(observed[i] / mass[i]))
        for i in np.flatnonzero(n)
    ]


def expected_calibration_error(
    truth: Truth, probabilities: Array, bins: int = QUANTILE_BINS, weights: Array | None = None
) -> float:
    """Return the mean distance between predicted and observed shares over adaptive bins; NaN without data.

    ECE = sum over bins of w_b / w x |mean p - share of true|, w the number of predictions or their `weights`. Naeini,
    Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015; adaptive bins after
    Nixon et al., "Measuring calibration in deep learning", 2019. Sampling noise alone gives a value above 0, more with
    fewer data and more bins.
    """
    curve = reliability_curve(truth, probabilities, bins, weights)
    total = sum(b.weight for b in curve)
    return sum(b.weight * abs(b.predicted - b.observed) for b in curve) / total if total else float("nan")


def classwise_calibration_error(truth: Truth, probabilities: Array, bins: int = QUANTILE_BINS) -> float:
    """Return the mean of the columns' calibration errors (Kull et al., "Beyond temperature scaling", 2019).

    Pooling all classes lets the errors of one cancel those of another; this does not.
    """
    if not truth.size:
        return float("nan")
    columns = zip(truth.T, probabilities.T, strict=True)
    return float(np.mean([expected_calibration_error(y, p, bins) for y, p in columns]))


def brier_score(truth: Truth, probabilities: Array) -> float:
    """Return the mean squared distance between probability and outcome (Brier 1950); NaN without data."""
    if not np.size(probabilities):
        return float("nan")
    return float(np.mean(np.square(np.asarray(probabilities) - np.asarray(truth, dtype=np.float64))))

"""How good hazard scores and levels are: pure functions on arrays, weighted so that a bootstrap can reuse them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.domain.risk import RiskLevel

Array = NDArray[np.float64]
Truth = NDArray[np.bool_]
Ranks = NDArray[np.int64]

LEAST_POSITIVES = 5
"""A risk type with fewer known cases enters no mean: its F1 would say more about the sample than about the model."""
HIGH = RiskLevel.HIGH.rank
NOT_KNOWN = float("nan")


@dataclass(frozen=True)
class ClassRow:
    """One risk type: `n` known cases, and how they fare at the threshold.

    Parameters
    ----------
    flagged : int
        Listings at or above the threshold.
    precision, recall, f1, average_precision : float
        NaN where undefined: precision without flagged listings, recall and average precision without cases.
    counted : bool
        Whether the class enters the means.
    """

    name: str
    n: int
    flagged: int
    precision: float
    recall: float
    f1: float
    average_precision: float
    threshold: float
    counted: bool


class HazardStatistics:
    """Hazard metrics of n listings as a function of their weights.

    Sorting is done once; each call costs two cumulative sums a class, so that a thousand resamples take seconds. The
    classes that enter the means are fixed by the unweighted data: every resample estimates the same quantity.

    Parameters
    ----------
    truth : array of bool, shape (n, classes)
    scores : array of float, shape (n, classes)
        Any scores for the average precision; comparable across classes for top-1.
    thresholds : array of float, shape (classes,)
        A listing is flagged at or above it.
    least : int
        Fewest cases of a class that enters the means.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """

    def __init__(self, truth: Truth, scores: Array, thresholds: Array, least: int = LEAST_POSITIVES) -> None:
        truth = np.asarray(truth, dtype=bool)
        if truth.ndim != 2 or truth.shape != scores.shape or thresholds.shape != truth.shape[1:]:
            raise ValueError(f"shapes {truth.shape}, {scores.shape} and {thresholds.shape} do not fit")
        self.truth, self.scores, self.thresholds = truth, scores, thresholds
        self.flagged = scores >= thresholds
        self.positives = truth.sum(axis=0)
        self.counted = np.flatnonzero(self.positives >= least)
        self.labelled = truth.any(axis=1)
        best = scores.argmax(axis=1) if scores.size else np.zeros(len(scores), dtype=np.int64)
        self.top_right = truth[np.arange(len(truth)), best] if truth.size else np.zeros(len(truth), dtype=bool)
        self._ranked = [_Ranked(truth[:, j], scores[:, j]) for j in self.counted]

    def __call__(self, weights: Array | None = None) -> dict[str, float]:
        """Return macro_f1, map, micro_f1 and top1; NaN where undefined.

        Parameters
        ----------
        weights : array of float, shape (n,), optional
            How often each listing counts; once by default.

        Notes
        -----
        ``macro_f1`` and ``map`` are means over the classes with enough cases, ``micro_f1`` pools the decisions of
        all classes, and ``top1`` is the share of listings with labels whose highest-scored class is one of them.
        """
        w = np.ones(len(self.truth)) if weights is None else np.asarray(weights, dtype=np.float64)
        hits = w @ (self.truth & self.flagged)
        f1 = _ratio(2 * hits, w @ self.truth + w @ self.flagged)
        total = float((w @ self.truth).sum() + (w @ self.flagged).sum())
        precision = [ranked.average_precision(w) for ranked in self._ranked]
        labelled = float(w @ self.labelled)
        return {
            "macro_f1": float(f1[self.counted].mean()) if len(self.counted) else NOT_KNOWN,
            "map": _mean(precision),
            "micro_f1": 2 * float(hits.sum()) / total if total else NOT_KNOWN,
            "top1": float(w @ self.top_right) / labelled if labelled else NOT_KNOWN,
        }

    def chance_map(self, shuffles: int = 200, quantile: float = 0.99, seed: int = 0) -> float:
        """Return the mAP that scores without any knowledge stay below, in `quantile` of the cases; NaN if undefined.

        The scores are dealt to the listings at random, `shuffles` times (a permutation test). A mean of the shares of
        cases would not do: average precision is above it by chance, the more so the fewer the cases.
        """
        if not len(self.counted):
            return NOT_KNOWN
        rng = np.random.default_rng(seed)
        found = []
        for _ in range(shuffles):
            dealt = self.scores[rng.permutation(len(self.scores))]
            found.append(_mean([average_precision(self.truth[:, j], dealt[:, j]) for j in self.counted]))
        return float(np.quantile(found, quantile))

    def table(self, names: Sequence[str]) -> list[ClassRow]:
        """Return one row a class, in the order of the columns."""
        hits = (self.truth & self.flagged).sum(axis=0)
        flagged = self.flagged.sum(axis=0)
        rows = []
        for j, name in enumerate(names):
            n, m, hit = int(self.positives[j]), int(flagged[j]), int(hits[j])
            rows.append(
                ClassRow(
                    name,
                    n,
                    m,
                    hit / m if m else NOT_KNOWN,
                    hit / n if n else NOT_KNOWN,
                    2 * hit / (n + m) if n + m else NOT_KNOWN,
                    average_precision(self.truth[:, j], self.scores[:, j]),
                    float(self.thresholds[j]),
                    j in self.counted,
                )
            )
        return rows


class _Ranked:
    """One class, sorted by falling score; `ends` are the last places of runs of equal scores."""

    def __init__(self, truth: Truth, scores: Array) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.truth = truth[self.order].astype(np.float64)
        self.ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)

    def average_precision(self, weights: Array) -> float:
        w = weights[self.order]
        seen, hits = w.cumsum()[self.ends], (w * self.truth).cumsum()[self.ends]
        if hits[-1] <= 0:
            return NOT_KNOWN
        gained = np.diff(hits, prepend=0.0)
        return float((gained * _ratio(hits, seen)).sum() / hits[-1])


def average_precision(truth: Truth, scores: Array, weights: Array | None = None) -> float:
    """Return the area under the precision-recall steps, sum of (R_i - R_(i-1)) P_i; NaN without cases.

    Equal scores form one step. The definition of `sklearn.metrics.average_precision_score`.
    """
    if not np.any(truth):
        return NOT_KNOWN
    ranked = _Ranked(np.asarray(truth, dtype=bool), scores)
    return ranked.average_precision(np.ones(len(scores)) if weights is None else weights)


@dataclass(frozen=True)
class LevelStatistics:
    """Level metrics of n listings whose level a person gave, as a function of their weights.

    Parameters
    ----------
    truth, predicted : array of int, shape (n,)
        Ranks of `RiskLevel`, 0 to 4.
    risk_score : array of float, shape (n,)
        P(high or serious).
    """

    truth: Ranks
    predicted: Ranks
    risk_score: Array

    def __call__(self, weights: Array | None = None) -> dict[str, float]:
        """Return auroc, kappa, accuracy and two more; NaN where undefined.

        Notes
        -----
        ``auroc`` is the chance that a listing of level high or serious has a higher risk score than another one;
        ``kappa`` Cohen's kappa with quadratic weights (Cohen 1968); ``flagged_share`` the share put at high or
        serious, and ``dangerous_recall`` the share of high-or-serious listings that is.
        """
        w = np.ones(len(self.truth)) if weights is None else np.asarray(weights, dtype=np.float64)
        total = float(w.sum())
        dangerous, flagged = self.truth >= HIGH, self.predicted >= HIGH
        known = float(w @ dangerous)
        return {
            "auroc": self._auroc(w, dangerous),
            "kappa": quadratic_kappa(self.confusion(w)),
            "accuracy": float(w @ (self.truth == self.predicted)) / total if total else NOT_KNOWN,
            "flagged_share": float(w @ flagged) / total if total else NOT_KNOWN,
            "dangerous_recall": float(w @ (dangerous & flagged)) / known if known else NOT_KNOWN,
        }

    @cached_property
    def _places(self) -> Ranks:
        """Place of each score among the distinct ones: sorting is done once for all resamples."""
        return np.unique(self.risk_score, return_inverse=True)[1].astype(np.int64)

    def _auroc(self, w: Array, dangerous: Truth) -> float:
        """P(score of a dangerous one > score of another) + P(equal) / 2 (Mann and Whitney 1947), weighted."""
        above = np.bincount(self._places, weights=w * dangerous)
        below = np.bincount(self._places, weights=w * ~dangerous)
        pairs = above.sum() * below.sum()
        return float((above * (below.cumsum() - below / 2)).sum() / pairs) if pairs else NOT_KNOWN

    def confusion(self, weights: Array | None = None) -> Array:
        """Return the counts, shape (5 known levels, 5 predicted levels)."""
        counts = np.zeros((len(RiskLevel), len(RiskLevel)))
        np.add.at(counts, (self.truth, self.predicted), 1.0 if weights is None else weights)
        return counts


def quadratic_kappa(confusion: Array) -> float:
    """Return Cohen's kappa with quadratic weights of a confusion matrix, NaN where both raters use one level only.

    kappa = 1 - sum(w o) / sum(w e), w_ij = (i - j)^2, o the observed and e the expected counts (Cohen, "Weighted
    kappa", 1968).

    Examples
    --------
    >>> round(quadratic_kappa(np.array([[2.0, 0.0], [1.0, 1.0]])), 3)
    0.5
    """
    total = confusion.sum()
    if not total:
        return NOT_KNOWN
    steps = np.arange(len(confusion))
    weights = np.square(steps[:, None] - steps[None, :])
    expected = float((weights * np.outer(confusion.sum(axis=1), confusion.sum(axis=0))).sum() / total)
    return 1.0 - float((weights * confusion).sum()) / expected if expected else NOT_KNOWN


def rounded(metrics: Mapping[str, float], digits: int = 6) -> dict[str, float | None]:
    """Return metrics for JSON: rounded, None for NaN."""
    return {name: None if np.isnan(value) else round(float(value), digits) for name, value in metrics.items()}


def row_dict(row: ClassRow) -> dict[str, Any]:
    """Return a class row for JSON and CSV, None for NaN."""
    return {
        name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.__dict__.items()
    }


def _ratio(above: Array, below: Array) -> Array:
    result: Array = np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)
    return result


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if len(values) and not np.all(np.isnan(values)) else NOT_KNOWN

"""Bootstrap intervals that resample product groups, because the rows of one group are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Percentile interval; NaN where the metric is undefined in every resample."""

    low: float
    high: float


def bootstrap_intervals(
    statistic: Callable[[Array], Mapping[str, float]],
    groups: NDArray[np.int64],
    *,
    resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return percentile intervals of every metric of a statistic.

    Parameters
    ----------
    statistic : callable
        Weights of shape (n,) -> metrics by name. Resampling a group k times is giving its rows the weight k.
    groups : array of int, shape (n,)
        Product group of each row.
    resamples : int
        Zero gives no intervals.
    seed : int
        Equal seeds give equal intervals.

    Notes
    -----
    The cluster bootstrap with the percentile method: Efron and Tibshirani, "An introduction to the bootstrap", 1993,
    chapter 13; Davison and Hinkley, 1997, section 3.8 on resampling whole groups.
    """
    _, compact = np.unique(groups, return_inverse=True)
    count = int(compact.max(initial=-1)) + 1
    if resamples < 1 or count < 2:
        return {}
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        weights = rng.multinomial(count, np.full(count, 1 / count))[compact].astype(np.float64)
        for name, value in statistic(weights).items():
            drawn.setdefault(name, []).append(value)
    return {name: _interval(np.array(values), confidence) for name, values in drawn.items()}


def _interval(values: Array, confidence: float) -> Interval:
    known = values[~np.isnan(values)]
    if not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(known, [50 * (1 - confidence), 50 * (1 + confidence)])
    return Interval(float(low), float(high))

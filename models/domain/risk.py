"""Severity x probability -> risk level: the matrix of the EU risk-assessment guidelines.

The matrix is Table 4 of the RAPEX / Safety Gate risk-assessment guidelines (Implementing Decision (EU) 2019/417,
repealed in 2025; the criteria in force are Annex II of Delegated Regulation (EU) 2024/3173). The United Kingdom's PRISM
method uses the same cells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

CONSUMER_GROUPS = ("very_vulnerable", "vulnerable", "other")
"""Consumer types of the guidelines' Table 1, most vulnerable first."""


class RiskLevel(StrEnum):
    """Level of risk. `NONE` is ours: no scenario worth an entry in the matrix."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    SERIOUS = "serious"

    @property
    def rank(self) -> int:
        """Position from least (0) to most (4)."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(RiskLevel)}
_L, _M, _H, _S = RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH, RiskLevel.SERIOUS


@dataclass(frozen=True)
class Band:
    """One probability band of the matrix.

    Parameters
    ----------
    above : float
        Strict lower edge: a probability equal to it belongs to the next lower band.
    label : str
        How the guidelines print it.
    levels : tuple of RiskLevel
        Level for severity 1, 2, 3, 4.
    """

    above: float
    label: str
    levels: tuple[RiskLevel, RiskLevel, RiskLevel, RiskLevel]


BANDS = (
    Band(0.5, "> 50 %", (_H, _S, _S, _S)),
    Band(1e-1, "> 1/10", (_M, _S, _S, _S)),
    Band(1e-2, "> 1/100", (_M, _S, _S, _S)),
    Band(1e-3, "> 1/1 000", (_L, _H, _S, _S)),
    Band(1e-4, "> 1/10 000", (_L, _M, _H, _S)),
    Band(1e-5, "> 1/100 000", (_L, _L, _M, _H)),
    Band(1e-6, "> 1/1 000 000", (_L, _L, _L, _M)),
    Band(-1.0, "<= 1/1 000 000", (_L, _L, _L, _L)),
)
"""The eight bands, most probable first."""

_EDGES = np.array([band.above for band in BANDS[:-1]])
MATRIX_RANKS: NDArray[np.int64] = np.array([[level.rank for level in band.levels] for band in BANDS])
"""Level ranks as an array of shape (8 bands, 4 severities)."""


def band_index(probability: float) -> int:
    """Return the row of the matrix for a probability of harm over the product's lifetime.

    Band edges are strict: 0.5 lies in "> 1/10".

    Raises
    ------
    ValueError
        If the probability is not within [0, 1].

    Examples
    --------
    >>> BANDS[band_index(0.5)].label
    '> 1/10'
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability {probability!r} is not within 0 and 1")
    return next(i for i, band in enumerate(BANDS) if probability > band.above)


def band_indices(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """`band_index` for an array of any shape."""
    result: NDArray[np.int64] = (np.asarray(probabilities)[..., None] <= _EDGES).sum(axis=-1)
    return result


def risk_level(severity: int, probability: float) -> RiskLevel:
    """Return the level of one scenario.

    Parameters
    ----------
    severity : int
        1 (first aid) to 4 (fatal or severe permanent loss).
    probability : float
        Probability of that harm over the foreseeable lifetime.

    Examples
    --------
    A folding chair that pinches, severity 1, overall 1/500, is a low risk:

    >>> risk_level(1, 1 / 500).value
    'low'
    """
    if severity not in (1, 2, 3, 4):
        raise ValueError(f"severity {severity!r} is not 1, 2, 3 or 4")
    return BANDS[band_index(probability)].levels[severity - 1]


def highest(levels: Iterable[RiskLevel]) -> RiskLevel:
    """Return the highest of several levels, `NONE` for none: a product's level is that of its worst scenario."""
    return max(levels, key=lambda level: level.rank, default=RiskLevel.NONE)

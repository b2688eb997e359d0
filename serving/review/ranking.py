"""The place of an item in the queue: expected harm x uncertainty x time to the due date."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

from models.domain.risk import RiskLevel

HARM: dict[RiskLevel, float] = {
    RiskLevel.NONE: 0.0,
    RiskLevel.LOW: 0.001,
    RiskLevel.MEDIUM: 0.01,
    RiskLevel.HIGH: 0.1,
    RiskLevel.SERIOUS: 1.0,
}
"""Harm of a level as a share of that of `serious`. One band of the matrix is a factor of ten, and for one severity a
level lasts about one band, so each level counts ten times the one below."""

_LEAST_HARM = 1e-6
_ZERO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Place:
    """Why an item stands where it stands.

    Parameters
    ----------
    harm : float
        Expected harm, 0 to 1: 1 is a listing that is surely `serious`.
    uncertainty : float
        Entropy of the level's probabilities as a share of the largest possible one, 0 to 1.
    due_at : datetime
        By when it must be decided.
    """

    harm: float
    uncertainty: float
    due_at: dt.datetime

    def rank(self, patience: dt.timedelta) -> float:
        """Return a number that is lower the sooner the item should come.

        Minus the logarithm of harm x (1 + uncertainty) x exp(-(time left) / patience). Time left shrinks for every item
        alike, so that the order of two items never changes while they wait: "now" drops out, and the number can be
        kept and indexed.

        Parameters
        ----------
        patience : timedelta
            An item that is due so much sooner is worth e (2.7) times the harm.
        """
        worth = max(self.harm, _LEAST_HARM) * (1 + self.uncertainty)
        return (self.due_at - _ZERO) / patience - math.log(worth)


def place_of(levels: Mapping[RiskLevel, float], due_at: dt.datetime) -> Place:
    """Return the place of an assessment.

    Parameters
    ----------
    levels : mapping
        Probability of each level.
    due_at : datetime
        By when it must be decided.

    Examples
    --------
    >>> due = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    >>> place_of({RiskLevel.HIGH: 0.5, RiskLevel.SERIOUS: 0.5}, due).harm
    0.55
    """
    return Place(harm_of(levels), uncertainty_of(levels), due_at)


def harm_of(levels: Mapping[RiskLevel, float]) -> float:
    """Return the expected harm, 0 to 1: 1 is a listing that is surely `serious`."""
    return sum(HARM[level] * p for level, p in levels.items()) / _total(levels)


def uncertainty_of(levels: Mapping[RiskLevel, float]) -> float:
    """Return the entropy of the level's probabilities as a share of the largest possible one, 0 to 1."""
    total = _total(levels)
    shares = [p / total for p in levels.values()]
    entropy = -sum(p * math.log(p) for p in shares if p > 0) / math.log(len(RiskLevel))
    return min(1.0, max(0.0, entropy))


def _total(levels: Mapping[RiskLevel, float]) -> float:
    return sum(levels.values()) or 1.0

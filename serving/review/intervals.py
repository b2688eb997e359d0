"""Intervals of shares: how sure a share of few cases is."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959963984540054
"""Quantile of the normal distribution for 95 %."""


@dataclass(frozen=True)
class Share:
    """So many of so many, with the interval of Wilson (1927) at 95 %.

    Examples
    --------
    >>> share = Share(9, 10)
    >>> share.value, round(share.low, 2), round(share.high, 2)
    (0.9, 0.6, 0.98)
    """

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.total if self.total else None

    @property
    def low(self) -> float:
        """Lower end; 0 where nothing is known."""
        return self._ends()[0]

    @property
    def high(self) -> float:
        """Upper end; 1 where nothing is known."""
        return self._ends()[1]

    def _ends(self) -> tuple[float, float]:
        if not self.total:
            return 0.0, 1.0
        p, n = self.hits / self.total, self.total
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Difference:
    """One share less another, with the interval of Newcombe (1998, method 10) at 95 %.

    Examples
    --------
    >>> apart = Difference(Share(9, 10), Share(3, 10))
    >>> round(apart.value, 2), apart.is_real
    (0.6, True)
    """

    one: Share
    other: Share

    @property
    def value(self) -> float:
        """The difference; 0 where either is of nothing."""
        if self.one.value is None or self.other.value is None:
            return 0.0
        return self.one.value - self.other.value

    @property
    def low(self) -> float:
        """Lower end."""
        return self.value - math.hypot((self.one.value or 0) - self.one.low, self.other.high - (self.other.value or 0))

    @property
    def high(self) -> float:
        """Upper end."""
        return self.value + math.hypot(self.one.high - (self.one.value or 0), (self.other.value or 0) - self.other.low)

    @property
    def is_real(self) -> bool:
        """Whether chance alone is an unlikely reason: the interval leaves out 0."""
        return bool(self.one.total and self.other.total) and (self.low > 0 or self.high < 0)

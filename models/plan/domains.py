"""What a condition leaves open about one fact: an interval, a choice of words, or a truth value."""

from __future__ import annotations

from dataclasses import dataclass

INFINITY = float("inf")


@dataclass(frozen=True)
class Interval:
    """Numbers from `low` to `high`, ends in or out, without some single numbers."""

    low: float = -INFINITY
    high: float = INFINITY
    low_open: bool = False
    high_open: bool = False
    holes: frozenset[float] = frozenset()

    def meet(self, other: Interval) -> Interval | None:
        """Return what both leave open, None where nothing is left."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_shut = min((self.high, not self.high_open), (other.high, not other.high_open))
        holes = frozenset(hole for hole in self.holes | other.holes if low <= hole <= high)
        if low > high or (low == high and (low_open or not high_shut or low in holes)):
            return None
        return Interval(low, high, low_open, not high_shut, holes)

    def within(self, other: Interval) -> bool:
        """Tell whether all of it is in the other."""
        low_in = (self.low, self.low_open) >= (other.low, other.low_open)
        high_in = (self.high, not self.high_open) <= (other.high, not other.high_open)
        return low_in and high_in and not any(self.holds(hole) for hole in other.holes)

    def holds(self, number: float) -> bool:
        """Tell whether a number is in it."""
        above = number > self.low or (number == self.low and not self.low_open)
        below = number < self.high or (number == self.high and not self.high_open)
        return above and below and number not in self.holes


@dataclass(frozen=True)
class Words:
    """One of some words (`among`; None for any), and none of others."""

    among: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()

    def meet(self, other: Words) -> Words | None:
        """Return what both leave open, None where nothing is left."""
        barred = self.barred | other.barred
        if self.among is None and other.among is None:
            return Words(None, barred)
        if self.among is None or other.among is None:
            among = (self.among or other.among or frozenset()) - barred
        else:
            among = (self.among & other.among) - barred
        return Words(among) if among else None

    def within(self, other: Words) -> bool:
        """Tell whether all of it is in the other."""
        if self.among is not None:
            return (other.among is None or self.among <= other.among) and not self.among & other.barred
        return other.among is None and other.barred <= self.barred


@dataclass(frozen=True)
class Truth:
    """A statement that is true, or false."""

    holds: bool

    def meet(self, other: Truth) -> Truth | None:
        """Return what both leave open, None where nothing is left."""
        return self if self == other else None

    def within(self, other: Truth) -> bool:
        """Tell whether it says the same."""
        return self == other


Domain = Interval | Words | Truth


def meet(one: Domain, other: Domain) -> Domain | None:
    """Return what two domains of one fact both leave open, None where nothing is left."""
    match one, other:
        case Interval(), Interval():
            return one.meet(other)
        case Words(), Words():
            return one.meet(other)
        case Truth(), Truth():
            return one.meet(other)
        case _:
            raise TypeError(f"{one} and {other} are not about one fact")


def within(one: Domain, other: Domain) -> bool:
    """Tell whether one domain of a fact is wholly in another."""
    match one, other:
        case Interval(), Interval():
            return one.within(other)
        case Words(), Words():
            return one.within(other)
        case Truth(), Truth():
            return one.within(other)
        case _:
            return False

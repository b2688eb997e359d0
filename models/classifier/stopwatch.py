"""Where the time goes: phases one after another, each from the end of the one before."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple


class Lap(NamedTuple):
    """One phase; `begun` and `ended` in seconds of `time.perf_counter`."""

    phase: str
    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.begun


class Stopwatch:
    """Takes the time of phases that follow each other; a lap costs less than a microsecond.

    Each watch belongs to one piece of work, so that no lock is needed: whoever works on it takes its laps.

    Attributes
    ----------
    begun : float
        When it was started, in seconds of `time.perf_counter`.
    laps : list of Lap
        In the order in which they ended.
    tokens : int
        Tokens that the encoder read, special ones included; 0 where it read none.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> watch.lap("language")
    >>> watch.lap("encode")
    >>> [lap.phase for lap in watch.laps]
    ['language', 'encode']
    """

    __slots__ = ("_last", "begun", "laps", "tokens")

    def __init__(self) -> None:
        self.begun = self._last = perf_counter()
        self.laps: list[Lap] = []
        self.tokens = 0

    def lap(self, phase: str) -> None:
        """End a phase: it took from the end of the one before, or from the start, until now."""
        now = perf_counter()
        self.laps.append(Lap(phase, self._last, now))
        self._last = now

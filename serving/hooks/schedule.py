"""When a delivery that failed is tried again, and when an endpoint that fails is left alone for a while."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

LONGEST_WISH = dt.timedelta(days=1)
"""Most that a receiver can ask for by ``Retry-After``."""


@dataclass(frozen=True)
class Schedule:
    """Back-off of deliveries, and of endpoints.

    Parameters
    ----------
    tries : int
        After as many a delivery is a dead letter, which only a person sends again.
    base, longest : float
        Seconds: the wait after the first try is at most `base`, each next one at most twice the one before, none above
        `longest`.
    failures : int
        Failed tries in a row, of whatever deliveries, after which an endpoint rests: then one delivery at a time asks
        whether it is back, so that an outage costs the others no tries.
    draw : callable
        Gives a number from 0 to 1.

    Notes
    -----
    By default 20 tries go over some two days.
    """

    tries: int = 20
    base: float = 5.0
    longest: float = 21_600.0
    failures: int = 5
    draw: Callable[[], float] = random.random

    def wait(self, tried: int) -> dt.timedelta:
        """Return the wait after so many tries: random between half of its bound and the bound.

        The jitter keeps deliveries that failed together from coming back together.
        """
        bound = min(self.longest, self.base * 2.0 ** min(max(tried, 1) - 1, 40))
        return dt.timedelta(seconds=bound * (0.5 + self.draw() / 2))

    def rest(self, failures: int) -> dt.timedelta | None:
        """Return how long an endpoint rests after so many failed tries in a row; None while it goes on."""
        return self.wait(failures - self.failures + 1) if failures >= self.failures else None


def wished_wait(headers: Mapping[str, str], now: dt.datetime) -> dt.timedelta | None:
    """Return what an answer asks for by ``Retry-After``, at most a day; None where it asks for nothing."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdecimal():
        return min(LONGEST_WISH, dt.timedelta(seconds=min(int(given[:9]), 10**6)))
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return min(LONGEST_WISH, max(dt.timedelta(), until - now))

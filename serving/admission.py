"""How many listings may be in flight, and when to come back if that is too many."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

_MEMORY = 0.05
"""Weight of the newest listing in the moving mean of seconds a listing."""


class Full(Exception):  # noqa: N818  (a state of the server, not a fault)
    """No room for the listings of a request.

    Parameters
    ----------
    retry_after : int
        Seconds after which there should be room.
    """

    def __init__(self, asked: int, in_flight: int, capacity: int, retry_after: int) -> None:
        self.asked = asked
        self.in_flight = in_flight
        self.capacity = capacity
        self.retry_after = retry_after
        super().__init__(f"{asked} listings asked for, {in_flight} of {capacity} in flight")


class Admission:
    """Counts listings in flight; used from the event loop only.

    Parameters
    ----------
    capacity : int
        Most listings in flight.
    threads : int
        Listings worked on at once, for the estimate of the wait.

    Examples
    --------
    >>> door = Admission(capacity=2, threads=1)
    >>> with door.admit(2):
    ...     door.in_flight
    2
    """

    def __init__(self, capacity: int, threads: int) -> None:
        self.capacity = capacity
        self.in_flight = 0
        self._threads = threads
        self._seconds = 0.02

    @contextmanager
    def admit(self, listings: int) -> Iterator[None]:
        """Hold room for some listings.

        Raises
        ------
        Full
            If there is no room for all of them.
        """
        if self.in_flight + listings > self.capacity:
            wait = self.in_flight * self._seconds / self._threads
            raise Full(listings, self.in_flight, self.capacity, min(60, max(1, math.ceil(wait))))
        self.in_flight += listings
        try:
            yield
        finally:
            self.in_flight -= listings

    def took(self, seconds: float) -> None:
        """Note how long one listing took; a lost update between threads only shifts an estimate."""
        self._seconds += _MEMORY * (seconds - self._seconds)

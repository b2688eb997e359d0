"""Whether there is time and room for the listings of a request, and when to come back if there is not.

What is asked first is how long a newcomer would wait: the listings that share the threads with it, at the pace that
such listings had lately. The requests take turns (see `serving.turns`), so a newcomer's first listing waits for one
listing of each other request, however many these still have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MEMORY = 0.05
"""Weight of the newest listing in the moving mean of seconds a listing."""
_FIRST_GUESS = 0.01
"""Seconds a listing, until one was assessed."""
_LONGEST_RETRY = 60


class Refused(Exception):  # noqa: N818  (a state of the server, not a fault)
    """A request that is not taken now.

    Parameters
    ----------
    reason : str
        Why, in words for the client.
    retry_after : int
        Whole seconds after which there should be room, 1 to 60.
    """

    def __init__(self, reason: str, retry_after: float) -> None:
        self.reason = reason
        self.retry_after = min(_LONGEST_RETRY, max(1, math.ceil(retry_after)))
        super().__init__(reason)


class Full(Refused):
    """The queue is too long, or there is no room for the listings of a request."""


class TooLate(Refused):
    """The request would not be answered by its own deadline."""


@dataclass(eq=False, slots=True)
class Ticket:
    """The work of one request that is not yet done.

    Parameters
    ----------
    left : int
        Listings that the threads still have to assess for it.
    seconds : float
        What one of them is expected to take on a thread.
    turn : float
        Seconds of work that the request had, on the clock of the queue; see `serving.turns`.
    """

    left: int
    seconds: float
    turn: float = 0.0


class Admission:
    """Counts listings in flight and knows the pace; used from the event loop only, `took` from any thread.

    Parameters
    ----------
    capacity : int
        Most listings in flight.
    threads : int
        Listings worked on at once.
    longest_wait : float
        Seconds that a request may have to wait for its first turn.

    Examples
    --------
    >>> door = Admission(capacity=2, threads=1)
    >>> with door.admit(2):
    ...     door.in_flight
    2
    """

    def __init__(self, capacity: int, threads: int, longest_wait: float = math.inf) -> None:
        self.capacity = capacity
        self.longest_wait = longest_wait
        self.in_flight = 0
        self._threads = threads
        self._tickets: set[Ticket] = set()
        self._pace: dict[str, float] = {}

    def pace(self, work: str) -> float:
        """Return what a listing of some work took lately, in seconds on one thread."""
        return self._pace.get(work, max(self._pace.values(), default=_FIRST_GUESS))

    def wait(self, listings: int = 1) -> float:
        """Return the seconds for which a newcomer would wait, in all its turns together."""
        ahead = [(min(ticket.left, listings), ticket.seconds) for ticket in self._tickets]
        count = sum(number for number, _ in ahead)
        free = self._threads - count
        if free > 0:
            return 0.0
        seconds = sum(number * each for number, each in ahead)
        # The threads are busy with some of them: about half done, and one more is free when its listing is.
        return seconds / count * (count - self._threads + 1) / self._threads

    def require_a_short_queue(self) -> None:
        """Raise `Full` if a request that comes now would wait too long.

        It knows nothing of the request, so that it can be asked before one is read.
        """
        wait = self.wait()
        if wait > self.longest_wait:
            raise Full(
                f"The queue is too long: a listing would wait {1_000 * wait:.0f} ms, at most"
                f" {1_000 * self.longest_wait:.0f} ms are allowed.",
                wait,
            )

    def require_time(self, seconds: float, listings: int = 1, work: str = "none") -> None:
        """Raise `TooLate` if listings that come now would not all be answered within some seconds."""
        wait, own = self.wait(listings), listings * self.pace(work) / min(self._threads, max(1, listings))
        if wait + own > seconds:
            raise TooLate(
                f"The answer would take about {wait + own:.2g} s ({wait:.2g} s of them in the queue), the request"
                f" allows {seconds:.2g} s.",
                wait,
            )

    def expect(self) -> Ticket:
        """Hold a place in the queue, as for one listing, for a request that is let in and not read yet.

        Many requests that come at once would else all find the queue short, and all but the first be refused only when
        they have cost what reading them costs.
        """
        ticket = Ticket(1, self.pace("none"))
        self._tickets.add(ticket)
        return ticket

    def arrived(self, ticket: Ticket) -> None:
        """Let go of a place that `expect` held: the request has been read, has failed, or is long in coming."""
        self._tickets.discard(ticket)

    @contextmanager
    def admit(self, listings: int, work: str = "none", within: float | None = None) -> Iterator[Ticket]:
        """Hold room for some listings.

        Parameters
        ----------
        work : str
            What is done with each, for its pace.
        within : float, optional
            Seconds until the request's deadline.

        Raises
        ------
        Full
            If the queue is too long, or there is no room for all of them.
        TooLate
            If they would not be answered in time.
        """
        if listings:
            self.require_a_short_queue()
            if self.in_flight + listings > self.capacity:
                raise Full(
                    f"{listings} listings do not fit: {self.in_flight} of at most {self.capacity} are in flight.",
                    self.wait(self.capacity),
                )
            if within is not None:
                self.require_time(within, listings, work)
        ticket = Ticket(listings, self.pace(work))
        self.in_flight += listings
        self._tickets.add(ticket)
        try:
            yield ticket
        finally:
            self._tickets.discard(ticket)
            self.in_flight -= listings

    def took(self, seconds: float, work: str = "none") -> None:
        """Note how long one listing took; a lost update between threads only shifts an estimate."""
        before = self._pace.get(work)
        self._pace[work] = seconds if before is None else before + _MEMORY * (seconds - before)

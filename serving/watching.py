"""Where the time of a request goes, its own phases and those of its listings, and who is told of it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Literal, Protocol

from models.classifier.stopwatch import Stopwatch

Source = Literal["model", "joined", "cache"]
"""Where an answer came from: computed, from a run of equal content that was under way, or remembered."""


class Observer(Protocol):
    """Is told what the engine does, on any thread; it neither waits nor fails."""

    def computed(self, watch: Stopwatch) -> None:
        """Note that the model assessed a listing, and where the time went."""

    def answered(self, source: Source) -> None:
        """Note where the answer for a listing came from."""


class Unobserved:
    """An observer that notes nothing."""

    def computed(self, watch: Stopwatch) -> None:
        """Note nothing."""

    def answered(self, source: Source) -> None:
        """Note nothing."""


_MOST_KEPT = 50
"""Watches of listings kept with a request: enough for a trace, and a request of thousands stays small."""


class RequestWatch(Stopwatch):
    """The phases of one request, and the watches of the first listings that were computed for it.

    Attributes
    ----------
    listings : list of Stopwatch
        One for each listing that the model worked on; equal content and remembered answers have none.
    facts : dict
        What the request found out about itself, such as versions; never what a seller wrote.
    """

    __slots__ = ("facts", "listings")

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, str | int] = {}
        self.listings: list[Stopwatch] = []

    def keep(self, watch: Stopwatch) -> None:
        """Keep the watch of a listing, if there is room for it."""
        if len(self.listings) < _MOST_KEPT:
            self.listings.append(watch)


_CURRENT: ContextVar[RequestWatch | None] = ContextVar("hazardlens_request_watch", default=None)


def begin_request() -> RequestWatch:
    """Start the watch of the request that the running task serves."""
    watch = RequestWatch()
    _CURRENT.set(watch)
    return watch


def request_watch() -> RequestWatch:
    """Return the watch of the request that is being served; one that nobody reads where there is no request."""
    return _CURRENT.get() or RequestWatch()


def listing_watch() -> Stopwatch:
    """Start the watch of a listing, and leave it with the request that is being served."""
    watch = Stopwatch()
    request_watch().keep(watch)
    return watch

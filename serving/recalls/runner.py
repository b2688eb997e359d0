"""What the recall desk does by itself: looks at clocks, reminds, asks sources, has the store searched."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from serving.pausing import outlived, pause, taken
from serving.recalls.desk import RecallDesk
from serving.recalls.polling import Poller
from serving.recalls.searching import Searching

_log = logging.getLogger("hazardlens.recalls")
_CLOCKS_EVERY, _SOURCES_EVERY, _SEARCHES_EVERY = 15.0, 10.0, 2.0
_AFTER_FAILURE = 10.0


Tell = Callable[[Mapping[str, Mapping[str, int]], int, int], None]
"""Is told the clocks by duty and state, and the takedown orders without a receipt: all, and those that are overdue."""


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Parameters
    ----------
    poller : Poller or None
        None asks no source.
    searching : Searching or None
        None searches for nothing.
    tell : callable
        Is told how clocks and takedown orders stand.
    """

    desk: RecallDesk
    poller: Poller | None = None
    searching: Searching | None = None
    tell: Tell = lambda clocks, waiting, overdue: None  # noqa: ARG005

    def watch(self) -> int:
        """Look at clocks and orders, once."""
        now = dt.datetime.now(dt.UTC)
        swept = self.desk.clocks.sweep(now)
        for clock in swept.breached:
            _log.error("case %d: %s was due at %s", clock.case_id, clock.duty, clock.due_at.isoformat())
        for clock in swept.warned:
            _log.warning("case %d: %s is due at %s", clock.case_id, clock.duty, clock.due_at.isoformat())
        reminded = self.desk.orders.remind(now)
        self.tell(self.desk.clocks.counts(now), *self.desk.orders.waiting(now))
        return reminded

    def poll(self) -> int:
        """Ask one source, if it is anyone's turn."""
        return 0 if self.poller is None or self.poller.poll_next() is None else 1

    def search(self) -> int:
        """Search for what waits, if anything does."""
        return 0 if self.searching is None else self.searching.run()


class RecallRunner:
    """Does the work for ever, beside the requests. Each kind goes on by itself: a slow source holds up no clock."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._woken: list[asyncio.Event] = []

    def begin(self, work: Work) -> None:
        """Start; returns at once."""
        kinds = (
            ("clocks", work.watch, _CLOCKS_EVERY),
            ("sources", work.poll, _SOURCES_EVERY),
            ("searches", work.search, _SEARCHES_EVERY),
        )
        self._woken = [asyncio.Event() for _ in kinds]
        self._tasks = [
            asyncio.create_task(self._for_ever(do, seconds, woken), name=name)
            for (name, do, seconds), woken in zip(kinds, self._woken, strict=True)
        ]

    def wake(self) -> None:
        """Look for work now."""
        for woken in self._woken:
            woken.set()

    async def end(self) -> None:
        """Stop; what is under way in a thread ends by itself, and what it did not finish is done again."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _for_ever(self, do: Callable[[], int], seconds: float, woken: asyncio.Event) -> None:
        while True:
            woken.clear()
            await pause(woken, await outlived(_done(do, seconds), _log, "recalls", _AFTER_FAILURE))


async def _done(do: Callable[[], int], seconds: float) -> float:
    """Do something once, on a thread, whole even where it is told to end; again at once where there was something."""
    return 0.0 if await taken(do, lambda _: None) else seconds

"""Keeps the answers of several requests in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from serving.store.assessments import Answered

_AT_ONCE = 1_000
"""Most rows of one transaction, unless a single request brings more."""


_GONE = (OperationalError, InterfaceError, PoolTimeout)
"""The database does not answer: a try for each request would make the last wait for all of them."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    answers: Sequence[Answered]
    kept: asyncio.Future[None]


class Store(Protocol):
    """Where answers are kept."""

    def save(self, answers: Sequence[Answered]) -> None:
        """Keep answers in one transaction; blocks."""


class Saving:
    """Writes one transaction after another; what comes meanwhile goes into the next one, together.

    A request waits for its own rows, so that what was answered is kept. With one transaction for each request, the
    requests of a busy server would stand in line for the database's one writer. Used from the event loop only.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="save")  # of its own: its caches stay warm
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def save(self, answers: Sequence[Answered]) -> None:
        """Keep answers; returns when they are kept, and raises what keeping them raised."""
        if not answers:
            return
        mine = _Waiting(answers, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await mine.kept

    async def end(self) -> None:
        """Wait until nothing is left to write, and let the thread go."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown(wait=False)

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_together(self._next())
        finally:
            self._writing = None

    def _next(self) -> list[_Waiting]:
        batch, rows = [self._waiting[0]], len(self._waiting[0].answers)
        for waiting in self._waiting[1:]:
            rows += len(waiting.answers)
            if rows > _AT_ONCE:
                break
            batch.append(waiting)
        del self._waiting[: len(batch)]
        return batch

    async def _write_together(self, batch: Sequence[_Waiting]) -> None:
        answers = [answer for waiting in batch for answer in waiting.answers]
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.save, answers)
        except Exception as error:  # noqa: BLE001  (whoever waits for it raises it)
            if len(batch) == 1 or isinstance(error, _GONE):
                for waiting in batch:
                    _fail(waiting.kept, error)
                return
            # One request's rows may be at fault: each has its own try, so that the others do not suffer.
            for waiting in batch:
                await self._write_together([waiting])
            return
        for waiting in batch:
            if not waiting.kept.done():  # its request may be gone
                waiting.kept.set_result(None)


def _fail(kept: asyncio.Future[None], error: Exception) -> None:
    if not kept.done():
        kept.set_exception(error)

"""Writes the answers of many requests in one transaction.

SQLite lets one write at a time: requests that each wrote their own answers would wait for its lock by sleeping. Here
they wait for their turn instead, and those that came while a write was under way share the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from serving.store.assessments import Answered

_MOST = 500
"""Answers after which a group is closed: a transaction of some tens of milliseconds."""


_GONE = (OperationalError, InterfaceError, PoolTimeout)
"""The database does not answer: asking again for each request would make all of them wait that long."""


class _Waiting(NamedTuple):
    answers: Sequence[Answered]
    kept: asyncio.Future[None]


class GroupedSaves:
    """Saves from one event loop, one group at a time.

    Parameters
    ----------
    save : callable
        Keeps answers or raises; blocks, so it is called on another thread.
    """

    def __init__(self, save: Callable[[Sequence[Answered]], None]) -> None:
        self._save = save
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def save(self, answers: Sequence[Answered]) -> None:
        """Keep answers; returns when they are kept, and raises what kept them from it."""
        if not answers:
            return
        waiting = _Waiting(answers, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await waiting.kept

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_group(self._next_group())
        finally:
            self._writing = None

    def _next_group(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        size = len(group[0].answers)
        while self._waiting and size + len(self._waiting[0].answers) <= _MOST:
            group.append(self._waiting.popleft())
            size += len(group[-1].answers)
        return group

    async def _write_group(self, group: list[_Waiting]) -> None:
        try:
            await asyncio.to_thread(self._save, [answer for waiting in group for answer in waiting.answers])
        except Exception as error:  # noqa: BLE001  (goes to every request that it concerns)
            if len(group) > 1 and not isinstance(error, _GONE):
                # It lies in the answers of one of them, not in the database: the others must not lose theirs.
                for waiting in group:
                    await self._write_group([waiting])
                return
            for waiting in group:
                if not waiting.kept.done():
                    waiting.kept.set_exception(error)
            return
        for waiting in group:
            if not waiting.kept.done():  # a request that was cancelled has no use for it
                waiting.kept.set_result(None)

"""Waits of tasks that may be told to end at any moment, and what they take meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


async def pause(woken: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, for some seconds at most.

    `asyncio.wait_for` will not do: before Python 3.12 it swallows a cancellation that comes in the moment in which the
    event is set, and the task never ends.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()


async def taken(take: Callable[[], _T], put_back: Callable[[_T], object]) -> _T:
    """Take work, on a thread; what was taken while the task was told to end is put back, on a thread too."""
    taking = asyncio.create_task(asyncio.to_thread(take))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await asyncio.to_thread(put_back, await taking)
        raise

"""Waits of tasks that may be told to end at any moment."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def pause(woken: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, for some seconds at most.

    `asyncio.wait_for` will not do: before Python 3.12 it swallows a cancellation that comes in the moment in which the
    event is set, and the task never ends.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()

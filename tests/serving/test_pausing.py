"""A pause ends by what it waits for, by its time, or by the end of its task; none of them is ever missed."""

from __future__ import annotations

import asyncio

import pytest

from serving.pausing import pause


def test_it_ends_when_the_event_is_set_and_when_the_time_is_over() -> None:
    async def run() -> None:
        woken = asyncio.Event()
        task = asyncio.create_task(pause(woken, 60))
        await asyncio.sleep(0)
        woken.set()
        await asyncio.wait_for(task, 10)
        await asyncio.wait_for(pause(asyncio.Event(), 0.01), 10)

    asyncio.run(run())


def test_an_end_that_comes_while_the_event_is_set_is_not_lost() -> None:
    async def run() -> None:
        woken = asyncio.Event()
        task = asyncio.create_task(pause(woken, 60))
        await asyncio.sleep(0)
        woken.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

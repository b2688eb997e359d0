"""Tasks that work for ever and may be told to end at any moment: waits, what they take, and what does not end them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

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
    """Take work, on a thread; what was taken while the task was told to end is put back, on a thread too.

    Where taking breaks then, there is nothing to put back, and the task ends all the same.
    """
    taking = asyncio.create_task(asyncio.to_thread(take))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await asyncio.wait([taking])
        if taking.exception() is None:
            await asyncio.to_thread(put_back, taking.result())
        raise


async def outlived(work: Awaitable[float], log: logging.Logger, who: str, after_failure: float) -> float:
    """Do one round of work that comes again and again; return the seconds until the next.

    Whatever breaks a round is logged and ends nothing: what the round held lapses, and a later one takes it again.

    Parameters
    ----------
    work : awaitable of float
        Says how long to wait.
    who : str
        Waits now, for the log.
    after_failure : float
        Seconds to wait where the round broke.
    """
    try:
        return await work
    except (SQLAlchemyError, OSError) as error:  # the database or the disk is away; where in our code says nothing
        log.error("%s wait for %.0f s: %s", who, after_failure, error)
    except Exception:  # without the task nothing of its kind would be done any more
        log.exception("%s wait for %.0f s", who, after_failure)
    return after_failure

"""A pause ends by what it waits for, its time, or the end of its task, none ever missed; no failure ends a worker."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest
from sqlalchemy.exc import OperationalError

from serving.pausing import outlived, pause, taken

LOG = logging.getLogger("hazardlens.tests")


async def raises(error: BaseException) -> float:
    """Be a round of work that breaks."""
    raise error


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


def test_a_round_says_how_long_to_wait() -> None:
    async def round_of_work() -> float:
        return 1.5

    assert asyncio.run(outlived(round_of_work(), LOG, "tests", 5)) == 1.5


@pytest.mark.parametrize(
    ("error", "traced"),
    [(OperationalError("", {}, Exception("gone")), False), (OSError("disk full"), False), (KeyError("row"), True)],
)
def test_what_breaks_a_round_is_logged_and_waited_for(
    error: Exception, traced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert asyncio.run(outlived(raises(error), LOG, "tests", 5)) == 5
    (record,) = caplog.records
    assert record.getMessage().startswith("tests wait for 5 s")
    assert bool(record.exc_info) is traced  # a fault of ours is told with its place, one of the database is not


def test_the_end_of_a_task_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(outlived(raises(asyncio.CancelledError()), LOG, "tests", 5))
    assert caplog.records == []


@pytest.mark.parametrize("breaks", [False, True])
def test_work_that_is_taken_while_the_task_is_told_to_end_is_put_back_and_the_task_ends(breaks: bool) -> None:
    begun, go_on, back = threading.Event(), threading.Event(), list[str]()

    def take() -> str:
        begun.set()
        go_on.wait(10)
        if breaks:
            raise OSError("the database is away")
        return "job"

    async def run() -> None:
        task = asyncio.create_task(taken(take, back.append))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert back == ([] if breaks else ["job"])

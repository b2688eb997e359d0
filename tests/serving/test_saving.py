"""Answers of several requests are kept together, and each request hears about its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from models.domain.listing import Listing
from serving.engine import AssessmentEngine
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import open_database, writing
from serving.store.migrating import migrate
from serving.store.saving import Saving


@pytest.fixture(scope="module")
def answers(engine: AssessmentEngine) -> list[Answered]:
    listings = [Listing(id=str(i), title="Cotton bag") for i in range(12)]
    return [Answered(listing, engine.in_force.assess(listing, "none")) for listing in listings]


class Counted:
    """A store whose first transaction takes as long as it is told to."""

    def __init__(self, store: AssessmentStore | None = None) -> None:
        self.store = store
        self.sizes: list[int] = []
        self.go = threading.Event()
        self.broken: str | None = None

    def save(self, answers: Sequence[Answered]) -> None:
        self.sizes.append(len(answers))
        assert self.go.wait(10)
        if any(answer.listing.id == self.broken for answer in answers):
            raise ValueError("this row cannot be kept")
        if self.store is not None:
            self.store.save(answers)


async def _everyone(counted: Counted, answers: Sequence[Answered]) -> tuple[Saving, list[Any]]:
    saving = Saving(counted)
    requests = [asyncio.create_task(saving.save([answer])) for answer in answers]
    await asyncio.sleep(0.05)
    counted.go.set()
    return saving, await asyncio.gather(*requests, return_exceptions=True)


def test_what_comes_while_one_transaction_runs_goes_into_the_next(
    store: AssessmentStore, answers: list[Answered]
) -> None:
    counted = Counted(store)
    _, results = asyncio.run(_everyone(counted, answers))
    assert results == [None] * 12
    assert sum(counted.sizes) == 12
    assert len(counted.sizes) <= 2
    assert all(store.get(answer.assessment.id) is not None for answer in answers)


def test_rows_that_cannot_be_kept_fail_their_own_request_only(answers: list[Answered]) -> None:
    counted = Counted()
    counted.broken = "7"
    _, results = asyncio.run(_everyone(counted, answers))
    assert [type(result) for result in results] == [type(None)] * 7 + [ValueError] + [type(None)] * 4


def test_a_request_that_leaves_loses_nobodys_rows(store: AssessmentStore, answers: list[Answered]) -> None:
    async def one_leaves() -> None:
        counted = Counted(store)
        saving = Saving(counted)
        requests = [asyncio.create_task(saving.save([answer])) for answer in answers]
        await asyncio.sleep(0.05)
        requests[3].cancel()
        counted.go.set()
        await asyncio.gather(*requests, return_exceptions=True)
        await saving.end()

    asyncio.run(one_leaves())
    assert store.count() == 12


def test_nothing_to_keep_opens_no_transaction() -> None:
    counted = Counted()
    counted.go.set()
    asyncio.run(Saving(counted).save([]))
    assert counted.sizes == []


def test_a_database_that_does_not_answer_is_asked_once_for_all(answers: list[Answered], tmp_path: Path) -> None:
    busy, other = (open_database(f"sqlite:///{tmp_path / 'h.db'}") for _ in range(2))
    migrate(busy)
    # The real patience is half a minute: of a dozen requests, one after another, the last would wait for six.
    event.listen(other, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1"))
    counted = Counted(AssessmentStore(other))
    with writing(busy):
        _, results = asyncio.run(_everyone(counted, answers))

    assert [type(result) for result in results] == [OperationalError] * 12
    assert sum(counted.sizes) == 12
    for engine in (busy, other):
        engine.dispose()

"""Requests that save at the same time share transactions, and none pays for another's fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.plan import Plan
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import writing
from serving.store.grouping import GroupedSaves


@pytest.fixture(scope="module")
def answers(small_model: HazardClassifier, default_plan: Plan) -> list[Answered]:
    """Answers for forty listings."""
    found = small_model.assess(Listing(id="0", title="Cotton bag"), default_plan)
    return [
        Answered(
            Listing(id=str(i), title="Cotton bag"),
            found.model_copy(update={"id": f"{i:032x}", "listing_id": str(i)}),
        )
        for i in range(40)
    ]


def unkeepable(answer: Answered) -> Answered:
    """An answer that no database takes: half a character in the title."""
    return Answered(answer.listing.model_copy(update={"title": "\ud800"}), answer.assessment)


async def saved(saves: GroupedSaves, parts: Sequence[Sequence[Answered]]) -> list[Any]:
    """Save all parts at the same time; None for each that was kept, else what was raised."""
    return await asyncio.gather(*(saves.save(part) for part in parts), return_exceptions=True)


def test_those_that_come_during_a_write_share_the_next(store: AssessmentStore, answers: list[Answered]) -> None:
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    done = asyncio.run(saved(GroupedSaves(store.save), [[answer] for answer in answers]))

    assert done == [None] * 40
    assert store.count() == 40
    assert 1 <= len(commits) < 10


def test_what_is_kept_is_there_when_save_returns(store: AssessmentStore, answers: list[Answered]) -> None:
    async def save_and_look(saves: GroupedSaves, answer: Answered) -> bool:
        await saves.save([answer])
        return await asyncio.to_thread(store.get, answer.assessment.id) is not None

    async def all_of_them() -> list[bool]:
        saves = GroupedSaves(store.save)
        return await asyncio.gather(*(save_and_look(saves, answer) for answer in answers))

    assert all(asyncio.run(all_of_them()))


def test_one_that_cannot_be_kept_costs_the_others_nothing(store: AssessmentStore, answers: list[Answered]) -> None:
    parts = [[answer] for answer in answers]
    parts[7] = [unkeepable(answers[7])]
    done = asyncio.run(saved(GroupedSaves(store.save), parts))

    assert isinstance(done[7], Exception)
    assert [outcome for i, outcome in enumerate(done) if i != 7] == [None] * 39
    assert store.count() == 39


def test_a_request_that_is_gone_keeps_its_answers_and_loses_no_others(
    store: AssessmentStore, answers: list[Answered]
) -> None:
    async def leave() -> None:
        saves = GroupedSaves(store.save)
        first, *rest = [asyncio.create_task(saves.save([answer])) for answer in answers]
        await asyncio.sleep(0)
        first.cancel()
        rest[5].cancel()
        await asyncio.gather(first, *rest, return_exceptions=True)
        await saves.save(answers[:1])

    asyncio.run(leave())
    assert store.count() == 40


def test_large_parts_are_written_one_after_another(store: AssessmentStore, answers: list[Answered]) -> None:
    sizes: list[int] = []

    def save(group: Sequence[Answered]) -> None:
        sizes.append(len(group))
        store.save(group)

    asyncio.run(saved(GroupedSaves(save), [answers * 10] * 3))
    assert sizes == [400, 400, 400]


def test_nothing_to_save_asks_no_database() -> None:
    def save(_: Sequence[Answered]) -> None:
        raise AssertionError("asked")

    asyncio.run(GroupedSaves(save).save([]))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_does_not_answer_is_told_to_all_at_once(
    store: AssessmentStore, answers: list[Answered]
) -> None:
    store.close()  # connections that are open have a patience of 30 s

    @event.listens_for(store.engine, "connect")
    def impatient(connection: Any, _: object) -> None:
        connection.execute("PRAGMA busy_timeout = 1")

    tries: list[int] = []

    def save(group: Sequence[Answered]) -> None:
        tries.append(len(group))
        store.save(group)

    with writing(store.engine):
        done = asyncio.run(saved(GroupedSaves(save), [[answer] for answer in answers]))
    assert all(isinstance(outcome, OperationalError) for outcome in done)
    assert sum(tries) == 40
    assert len(tries) < 10

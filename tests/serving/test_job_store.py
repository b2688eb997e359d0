"""Jobs in the database, on SQLite and on PostgreSQL: who holds one, and whose writes count."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.store.assessments import AssessmentStore
from serving.store.jobs import Checkpoint, Job, JobStore

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def jobs(store: AssessmentStore) -> JobStore:
    return JobStore(store.engine)


@pytest.fixture
def forgetful(store: AssessmentStore) -> JobStore:
    """A store whose leases lapse at once."""
    return JobStore(store.engine, lease=timedelta(seconds=-1))


def job(name: str, after: int = 0, **values: Any) -> Job:
    moment = START + timedelta(seconds=after)
    return Job(name, "shop", "jsonl", 100, created_at=moment, queued_at=moment, **values)


def reached(read: int, epoch: int) -> Checkpoint:
    return Checkpoint(read, 0, 10 * read, [[epoch, read]], [[0, "m", "p", "t"]], 5.0)


def claimed(jobs: JobStore) -> Job:
    found = jobs.claim()
    assert found is not None
    return found


def test_a_job_is_read_back_as_it_was_added(jobs: JobStore) -> None:
    asked = job("a", explain="tokens", stored=False, priority=1)
    assert jobs.add(asked) == asked
    assert jobs.get("a") == asked
    assert jobs.get("b") is None


def test_adding_a_job_twice_keeps_the_first(jobs: JobStore) -> None:
    jobs.add(job("a"))
    held = claimed(jobs)
    assert jobs.add(job("a", explain="tokens")) == held


def test_the_highest_priority_goes_first_then_who_waited_longest(jobs: JobStore) -> None:
    for name, after, priority in (("late", 9, 0), ("early", 1, 0), ("low", 0, -1), ("high", 10, 1)):
        jobs.add(job(name, after, priority=priority))
    assert [claimed(jobs).id for _ in range(4)] == ["high", "early", "late", "low"]
    assert jobs.claim() is None


def test_a_job_that_is_put_back_goes_behind_the_others_of_its_priority(jobs: JobStore) -> None:
    jobs.add(job("a", 0))
    jobs.add(job("b", 1))
    first = claimed(jobs)
    assert jobs.others_wait(first)
    assert jobs.release(first)
    assert [claimed(jobs).id, claimed(jobs).id] == ["b", "a"]


def test_only_jobs_of_as_high_a_priority_make_one_wait(jobs: JobStore) -> None:
    jobs.add(job("a", priority=1))
    held = claimed(jobs)
    jobs.add(job("b", priority=0))
    assert not jobs.others_wait(held)


def test_of_workers_at_once_one_gets_the_job(jobs: JobStore) -> None:
    jobs.add(job("a"))
    with ThreadPoolExecutor(8) as pool:
        found = [one for one in pool.map(lambda _: jobs.claim(), range(16)) if one]
    assert [one.id for one in found] == ["a"]


def test_a_job_whose_worker_died_is_taken_over_where_it_stood(forgetful: JobStore, jobs: JobStore) -> None:
    forgetful.add(job("a"))
    dead = claimed(forgetful)
    assert forgetful.checkpoint(dead, reached(40, dead.epoch))
    successor = claimed(jobs)
    assert (successor.read, successor.position, successor.epoch) == (40, 400, dead.epoch + 1)
    assert jobs.claim() is None


def test_what_a_worker_writes_that_was_taken_for_dead_does_not_count(forgetful: JobStore, jobs: JobStore) -> None:
    forgetful.add(job("a"))
    slow = claimed(forgetful)
    successor = claimed(jobs)
    assert jobs.checkpoint(successor, reached(80, successor.epoch))
    assert not jobs.checkpoint(slow, reached(40, slow.epoch))
    assert not jobs.renew(slow)
    assert not jobs.release(slow)
    assert not jobs.finish(slow, "failed", "no")
    stored = jobs.get("a")
    assert stored is not None
    assert (stored.state, stored.read, stored.failure) == ("running", 80, None)


def test_a_renewed_job_is_not_taken_over(forgetful: JobStore, jobs: JobStore) -> None:
    forgetful.add(job("a"))
    held = claimed(forgetful)
    assert jobs.renew(held)
    assert jobs.claim() is None


def test_attempts_count_until_a_checkpoint(forgetful: JobStore) -> None:
    forgetful.add(job("a"))
    assert [claimed(forgetful).attempts for _ in range(3)] == [1, 2, 3]
    held = claimed(forgetful)
    assert forgetful.checkpoint(held, reached(1, held.epoch))
    assert claimed(forgetful).attempts == 1


def test_a_cancelled_job_is_lost_to_its_worker(jobs: JobStore) -> None:
    jobs.add(job("a"))
    held = claimed(jobs)
    jobs.cancel("a")
    assert not jobs.checkpoint(held, reached(40, held.epoch))
    stored = jobs.get("a")
    assert stored is not None
    assert (stored.state, stored.finished) == ("cancelled", True)
    assert jobs.claim() is None


def test_a_job_that_has_ended_is_not_cancelled(jobs: JobStore) -> None:
    jobs.add(job("a"))
    assert jobs.finish(claimed(jobs), "done")
    jobs.cancel("a")
    stored = jobs.get("a")
    assert stored is not None
    assert stored.state == "done"


def test_lists_are_of_one_caller_newest_first(jobs: JobStore) -> None:
    for i in range(3):
        jobs.add(job(f"j{i}", i))
    jobs.add(replace(job("x", 9), principal="other"))
    assert [one.id for one in jobs.newest("shop", 2)] == ["j2", "j1"]
    assert [one.id for one in jobs.newest(None, 9)] == ["x", "j2", "j1", "j0"]
    assert jobs.unfinished("shop") == 3
    jobs.cancel("j0")
    assert jobs.unfinished("shop") == 2


def test_what_ended_before_a_moment_is_found_and_removed(jobs: JobStore) -> None:
    jobs.add(job("a"))
    jobs.add(job("b", 1))
    jobs.finish(claimed(jobs), "done")
    assert jobs.finished_before(datetime.now(UTC) + timedelta(minutes=1)) == ["a"]
    assert jobs.finished_before(START) == []
    jobs.remove("a")
    assert [one.id for one in jobs.newest(None, 9)] == ["b"]

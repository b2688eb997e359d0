"""Chunks and checkpoints: each row once and in order, wherever and however often a worker dies."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine as Database

from models.domain.assessment import Versions
from models.domain.listing import Listing
from serving.engine import AssessmentEngine, Failure, InForce, Outcome
from serving.jobs.files import JobFiles, grown, size_of
from serving.jobs.inputs import InputRow, read_rows
from serving.jobs.runner import Engine, JobRunner, next_chunk
from serving.store.assessments import Answered
from serving.store.database import open_database
from serving.store.idempotency import IdempotencyStore
from serving.store.jobs import MOST_ATTEMPTS, Job, JobStore
from serving.store.migrating import migrate

DAY = timedelta(days=1)
AT_ONCE = timedelta(seconds=-1)


class Death(BaseException):
    """What ends a worker in the middle."""


@dataclass
class DeadlyFiles(JobFiles):
    """Files of a worker that dies when it has written some bytes of its next chunk."""

    root: Path
    after: list[float | None] = field(default_factory=list)

    def append(self, job_id: str, epoch: int, data: bytes) -> None:
        share = self.after.pop(0) if self.after else None
        super().append(job_id, epoch, data if share is None else data[: int(share * len(data))])
        if share is not None:
            raise Death


async def fail(listings: Sequence[Listing], *_: Any) -> list[Outcome]:
    """Assess nothing: each listing has an outcome that names it."""
    return [Failure(listing.id, ValueError("not assessed")) for listing in listings]


def forget(_: Sequence[Answered]) -> None:
    """Keep nothing."""


@dataclass
class Place:
    """A store, its files and an upload."""

    database: Database
    root: Path
    in_force: InForce

    def runner(
        self, deaths: Sequence[float | None] = (), *, lease: timedelta = AT_ONCE, chunk: int = 3, turn: float = 60
    ) -> JobRunner:
        files, keys = DeadlyFiles(self.root, list(deaths)), IdempotencyStore(self.database, DAY)
        runner = JobRunner(JobStore(self.database, lease), files, keys, DAY, chunk_rows=chunk, turn=turn)
        runner._engine = Engine(fail, lambda: self.in_force, forget, lambda outcomes, refused: None)
        return runner

    def submit(self, lines: Sequence[bytes], name: str = "a") -> Job:
        files = JobFiles(self.root)
        upload = files.incoming()
        upload.write_bytes(b"\n".join(lines))
        files.accept(upload, name)
        return JobStore(self.database).add(Job(name, "shop", "jsonl", len(lines)))

    def job(self, name: str = "a") -> Job:
        found = JobStore(self.database).get(name)
        assert found is not None
        return found

    def rows(self, name: str = "a") -> list[Any]:
        return [orjson.loads(line) for line in JobFiles(self.root).rows(name, self.job(name).segments)]


@contextmanager
def a_place(engine: AssessmentEngine) -> Iterator[Place]:
    with TemporaryDirectory() as directory:
        database = open_database(f"sqlite:///{directory}/h.db")
        migrate(database)
        yield Place(database, Path(directory) / "jobs", engine.in_force)
        database.dispose()


@pytest.fixture
def place(engine: AssessmentEngine) -> Iterator[Place]:
    with a_place(engine) as place:
        yield place


def work(runner: JobRunner) -> bool:
    """Take a job and work it off; False where the worker died."""
    job = runner.store.claim()
    assert job is not None
    try:
        asyncio.run(runner._work(job))
    except Death:
        return False
    return True


LINES = st.lists(st.sampled_from([b'{"id": "x", "title": "t"}', b'{"id": "y"}', b"{", b"7"]), min_size=1, max_size=40)


@settings(max_examples=40)
@given(LINES, st.lists(st.floats(0, 1), max_size=6), st.integers(1, 9))
def test_each_row_stands_once_and_in_order_wherever_workers_die(
    engine: AssessmentEngine, lines: list[bytes], deaths: list[float], chunk: int
) -> None:
    with a_place(engine) as place:
        place.submit(lines)
        for death in deaths:
            if place.job().finished:
                break
            work(place.runner([None, death], chunk=chunk))  # a chunk, then half of one
        while not place.job().finished:
            assert work(place.runner(chunk=chunk))
        rows = place.rows()
        assert place.job().state == "done"
        assert [row["index"] for row in rows] == list(range(len(lines)))
        for row, line in zip(rows, lines, strict=True):
            assert row["listing_id"] == {b"x": "x", b"y": "y"}.get(line[8:9])
            assert row["error"]["status"] in {400, 422, 500}
        assert (place.job().read, place.job().refused) == (len(lines), len(lines))


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 8), st.integers(1, 50))
def test_chunks_are_the_rows_in_order_and_bounded(sizes: list[int], most: int, longest: int) -> None:
    rows = [InputRow(Listing(id=str(i), title=""), i, size) for i, size in enumerate(sizes)]
    stream, chunks = iter(rows), []
    while chunk := next_chunk(stream, most, longest):
        chunks.append(chunk)
    assert [row for chunk in chunks for row in chunk] == rows
    for chunk in chunks:
        assert len(chunk) <= most
        assert sum(row.size for row in chunk[:-1]) < longest


@given(st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=9)), max_size=9), st.data())
def test_a_result_is_what_was_counted_and_any_part_of_it_can_be_taken(
    writes: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as directory:
        files, segments, whole, epoch = JobFiles(Path(directory)), [], b"", 1
        files.segment("a", 1).parent.mkdir()
        for step, piece in writes:
            files.append("a", epoch, piece)
            segments, whole = grown(segments, epoch, len(piece)), whole + piece
            files.append("a", epoch, b"not counted")
            epoch += step
        assert b"".join(files.result("a", segments)) == whole
        assert size_of(segments) == len(whole)
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, len(whole)))
        assert b"".join(files.result("a", segments, start, end)) == whole[start:end]


def test_a_worker_that_was_taken_for_dead_and_writes_on_does_no_harm(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'] * 10)
    slow, successor = place.runner(), place.runner()
    held = slow.store.claim()
    assert held is not None
    chunk = next_chunk(read_rows(slow.files.input("a"), "jsonl", "/v1/jobs/a"), 4)
    outcomes = asyncio.run(fail([row.given for row in chunk if isinstance(row.given, Listing)]))
    assert work(successor)
    assert slow._write(held, chunk, outcomes, place.in_force, 0.0) is None
    assert [row["index"] for row in place.rows()] == list(range(10))
    assert place.job().state == "done"


def test_every_change_of_versions_is_told_with_its_first_row(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'] * 9)
    other = replace(place.in_force, versions=Versions(model="other", plan="p", taxonomy="t"))
    runner = place.runner()
    told = iter([place.in_force, place.in_force, other])
    assert runner._engine is not None
    runner._engine = replace(runner._engine, in_force=lambda: next(told))
    assert work(runner)
    first = place.in_force.versions
    assert place.job().versions == [[0, first.model, first.plan, first.taxonomy], [6, "other", "p", "t"]]


def test_a_job_that_ends_every_worker_fails_and_says_after_which_row(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'] * 9)
    work(place.runner([None, 0.5]))
    for _ in range(MOST_ATTEMPTS):
        assert not place.job().finished
        work(place.runner([0.5]))
    assert work(place.runner())
    assert place.job().state == "failed"
    assert "after 3" in str(place.job().failure)
    assert [row["index"] for row in place.rows()] == [0, 1, 2]


def test_a_worker_that_is_stopped_puts_its_job_back(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'] * 9)
    runner = place.runner(lease=DAY)

    async def never(*_: Any) -> list[Outcome]:
        await asyncio.sleep(3600)
        return []

    async def begin_and_stop() -> None:
        assert runner._engine is not None
        runner.begin(replace(runner._engine, assess=never))
        while place.job().state != "running":
            await asyncio.sleep(0.01)
        await runner.end()

    asyncio.run(begin_and_stop())
    assert (place.job().state, place.job().leased_until) == ("queued", None)


def test_jobs_of_one_priority_take_turns(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'] * 9, "long")
    place.submit([b'{"id": "x", "title": "t"}'], "short")
    assert work(place.runner(turn=0))
    assert [place.job(name).state for name in ("long", "short")] == ["queued", "queued"]
    assert work(place.runner(turn=0))
    assert [place.job(name).state for name in ("long", "short")] == ["queued", "done"]
    assert work(place.runner(turn=0))
    assert [row["index"] for row in place.rows("long")] == list(range(9))


def test_the_upload_goes_when_the_job_has_ended_and_the_rest_after_a_set_time(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'])
    runner = place.runner()
    assert work(runner)
    assert not runner.files.input("a").exists()
    runner.sweep()
    assert place.rows()
    runner.keep = AT_ONCE
    runner.sweep()
    assert JobStore(place.database).get("a") is None
    assert not (place.root / "a").exists()


def test_an_upload_that_broke_off_goes_after_a_day(place: Place) -> None:
    runner = place.runner()
    upload = runner.files.incoming()
    upload.write_bytes(b"half")
    runner.sweep()
    assert upload.exists()
    long_ago = time.time() - 2 * 86_400
    os.utime(upload, (long_ago, long_ago))
    runner.sweep()
    assert not upload.exists()


def test_a_job_that_is_removed_under_way_is_let_go(place: Place) -> None:
    place.submit([b'{"id": "x", "title": "t"}'] * 9)
    runner = place.runner()

    async def removed(listings: Sequence[Listing], *_: Any) -> list[Outcome]:
        runner.store.remove("a")
        runner.files.remove("a")
        return await fail(listings)

    assert runner._engine is not None
    runner._engine = replace(runner._engine, assess=removed)
    assert work(runner)
    assert not (place.root / "a").exists()


def test_a_fault_of_the_server_fails_one_job_and_the_next_ones_are_worked_off(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("serving.jobs.runner._AFTER_FAILURE", 0.01)
    place.submit([b'{"id": "breaks", "title": "t"}'], "first")
    place.submit([b'{"id": "x", "title": "t"}'], "second")
    runner = place.runner()

    async def assess(listings: Sequence[Listing], *_: Any) -> list[Outcome]:
        if any(listing.id == "breaks" for listing in listings):
            raise KeyError("a fault")
        return await fail(listings)

    async def run() -> None:
        assert runner._engine is not None
        runner.begin(replace(runner._engine, assess=assess))
        async with asyncio.timeout(30):
            while not (place.job("first").finished and place.job("second").finished):
                await asyncio.sleep(0.02)
        await runner.end()

    asyncio.run(run())
    assert [place.job(name).state for name in ("first", "second")] == ["failed", "done"]
    assert "a fault" in caplog.text

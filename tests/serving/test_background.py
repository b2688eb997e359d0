"""What a job leaves to the calls that somebody waits for: a thread, the turn, and the remembered answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from serving.engine import AssessmentEngine
from serving.jobs.background import Background
from serving.services import load_engine
from serving.settings import Settings


def listings_of(name: str, number: int) -> list[Listing]:
    return [Listing(id=f"{name} {i}", title=f"Heater {name} {i}") for i in range(number)]


class Gauge:
    """Counts what of a job is on the threads, and can hold it there."""

    def __init__(self, engine: AssessmentEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.most = self.now = 0
        self.go = threading.Event()
        self._lock = threading.Lock()
        self._assess = engine.model.assess
        monkeypatch.setattr(engine.model, "assess", self)

    def __call__(self, listing: Listing, *rest: Any) -> Assessment:
        ours = listing.id.startswith("job")
        with self._lock:
            self.begun.append(listing.id)
            self.now += ours
            self.most = max(self.most, self.now)
        if ours:
            assert self.go.wait(30)
        try:
            return self._assess(listing, *rest)
        finally:
            with self._lock:
                self.now -= ours


@contextmanager
def engine_with(threads: int, model: Path) -> Iterator[AssessmentEngine]:
    engine = load_engine(Settings(model=model, threads=threads, remember_mb=1))
    yield engine
    engine.close()


@pytest.mark.parametrize(("threads", "lanes"), [(1, 1), (2, 1), (4, 3)])
def test_a_job_leaves_a_thread_free(
    small_model_dir: Path, monkeypatch: pytest.MonkeyPatch, threads: int, lanes: int
) -> None:
    with engine_with(threads, small_model_dir) as engine:
        gauge = Gauge(engine, monkeypatch)
        gauge.go.set()
        outcomes = asyncio.run(Background(engine).assess(listings_of("job", 12), "none", engine.in_force))

    assert [outcome.listing_id for outcome in outcomes if isinstance(outcome, Assessment)] == [
        f"job {i}" for i in range(12)
    ]
    assert gauge.most <= lanes


def test_a_call_is_answered_while_every_lane_of_a_job_is_at_work(
    small_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_with(2, small_model_dir) as engine:
        gauge = Gauge(engine, monkeypatch)

        async def beside() -> None:
            job = asyncio.create_task(Background(engine).assess(listings_of("job", 3), "none", engine.in_force))
            while not gauge.now:
                await asyncio.sleep(0.001)
            async with asyncio.timeout(30):
                await engine.assess(listings_of("call", 1))
            assert not job.done()
            gauge.go.set()
            await job

        asyncio.run(beside())
    assert gauge.begun[:2] == ["job 0", "call 0"]


def test_with_one_thread_a_call_is_next(small_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine_with(1, small_model_dir) as engine:
        gauge = Gauge(engine, monkeypatch)

        async def beside() -> None:
            job = asyncio.create_task(Background(engine).assess(listings_of("job", 3), "none", engine.in_force))
            while not gauge.now:
                await asyncio.sleep(0.001)
            calls = [asyncio.create_task(engine.assess(listings_of(f"call {i}", 1))) for i in range(3)]
            await asyncio.sleep(0)
            gauge.go.set()
            await asyncio.gather(job, *calls)

        asyncio.run(beside())
    assert gauge.begun == ["job 0", "call 0 0", "call 1 0", "call 2 0", "job 1", "job 2"]


def test_answers_of_a_job_push_out_none_of_a_call(small_model_dir: Path) -> None:
    with engine_with(2, small_model_dir) as engine:

        async def both() -> None:
            await engine.assess(listings_of("call", 2))
            await Background(engine).assess(listings_of("job", 5), "none", engine.in_force)

        asyncio.run(both())
        assert len(engine.remembered) == 2

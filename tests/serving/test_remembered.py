"""Remembered answers: equal, bounded, the least used forgotten."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.plan.plan import Plan
from models.plan.reading import parse_plan
from serving.engine import AssessmentEngine
from serving.remembered import Remembered
from serving.services import load_engine
from serving.settings import Settings
from tests.serving.conftest import PATIENT_MS


@pytest.fixture(scope="module")
def remembering(small_model_dir: Path) -> Iterator[AssessmentEngine]:
    engine = load_engine(Settings(model=small_model_dir, max_queue_ms=PATIENT_MS, remember_mb=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def answer(remembering: AssessmentEngine) -> Assessment:
    return remembering.in_force.assess(Listing(id="1", title="Space heater without thermostat"), "none")


class Sources:
    """Where answers came from."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def answered(self, source: str) -> None:
        self.seen.append(source)

    def computed(self, watch: Any) -> None:
        pass


@pytest.fixture
def sources(remembering: AssessmentEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sources = Sources()
    monkeypatch.setattr(remembering, "observer", sources)
    return sources.seen


def test_equal_content_is_answered_from_memory_as_its_own(remembering: AssessmentEngine, sources: list[str]) -> None:
    title = "Baby rattle with small balls"
    for explain in ("none", "tokens", "full"):
        (first,) = asyncio.run(remembering.assess([Listing(id="a", title=title)], explain))
        (second,) = asyncio.run(remembering.assess([Listing(id="b", title=title)], explain))
        assert second == remembering.in_force.assess(Listing(id="b", title=title), explain)
        assert isinstance(first, Assessment)
        assert isinstance(second, Assessment)
        assert (first.listing_id, second.listing_id) == ("a", "b")
        assert first.id != second.id
    assert sources == ["model", "cache"] * 3, "another detail is another question"


def test_another_plan_is_another_question(
    remembering: AssessmentEngine, sources: list[str], default_plan: Plan
) -> None:
    listing = Listing(id="a", title="Toy slime in a tin")
    own = remembering.in_force
    try:
        asyncio.run(remembering.assess([listing]))
        other = parse_plan(re.sub(r"(?m)^version: .*$", "version: 99", default_plan.text, count=1)).plan
        assert other is not None
        remembering.put_in_force(other)
        (outcome,) = asyncio.run(remembering.assess([listing]))
    finally:
        remembering.in_force = own
    assert isinstance(outcome, Assessment)
    assert outcome.versions.plan == other.id
    assert sources == ["model", "model"]


def test_a_failure_is_not_remembered(
    remembering: AssessmentEngine, sources: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> Assessment:
        raise RuntimeError("broken")

    listing = Listing(id="a", title="Car jack for two tonnes")
    with monkeypatch.context() as patch:
        patch.setattr(remembering.model, "assess", failing)
        asyncio.run(remembering.assess([listing]))
    (outcome,) = asyncio.run(remembering.assess([listing]))
    assert isinstance(outcome, Assessment)
    assert sources == ["model", "model"]


def size_of(answer: Assessment) -> int:
    alone = Remembered(1_000_000)
    alone.put("key", answer)
    return alone.bytes


def test_an_answer_is_kept_in_half_of_its_text(answer: Assessment) -> None:
    assert size_of(answer) - 500 < len(answer.to_json()) / 2


@given(st.lists(st.tuples(st.sampled_from(["get", "put"]), st.integers(0, 30)), max_size=200), st.integers(0, 12))
def test_memory_stays_within_its_bytes_and_keeps_the_latest(
    answer: Assessment, acts: list[tuple[str, int]], room: int
) -> None:
    size = size_of(answer)
    remembered = Remembered(room * size + 10)
    latest: list[int] = []
    for act, key in acts:
        if act == "put" and room:
            remembered.put(key, answer)
            latest = [k for k in latest if k != key or key in latest]
            if key not in latest:
                latest = [*latest, key][-room:]
        elif act == "get":
            found = remembered.get(key)
            assert found == (answer if key in latest else None)
            if key in latest:
                latest = [*(k for k in latest if k != key), key]
        assert remembered.bytes <= remembered.most_bytes
        assert remembered.bytes == len(remembered) * size
    assert len(remembered) == len(latest)


def test_what_is_larger_than_the_memory_is_not_kept(answer: Assessment) -> None:
    remembered = Remembered(100)
    remembered.put("key", answer)
    assert len(remembered) == 0
    assert remembered.bytes == 0


def test_an_answer_is_written_once_and_a_changed_copy_anew(answer: Assessment) -> None:
    assert answer.to_json() is answer.to_json()
    assert answer.to_json() == answer.model_dump_json().encode()
    other = answer.model_copy(update={"listing_id": "other"})
    assert other.to_json() == other.model_dump_json().encode()
    assert other.to_json() != answer.to_json()
    assert Assessment.from_json(answer.to_json()) == answer
    signed = answer.model_copy().signed(("version", b"signature"))
    assert signed.model_copy().signature == ("version", b"signature")

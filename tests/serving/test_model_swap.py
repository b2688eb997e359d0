"""Another model is put in force: requests that have begun keep theirs, and everything that hangs on it follows."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.classifier.classifier import HazardClassifier
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.plan.reading import load_plan
from serving.engine import AssessmentEngine
from serving.services import load_engine
from serving.settings import Settings

LASER = Listing(id="laser", title="Green laser pointer 5000mW", description="Burns paper. Gift for kids.")


@pytest.fixture
def own_engine(small_model_dir: Path) -> Iterator[AssessmentEngine]:
    """An engine whose model a test may change."""
    engine = load_engine(Settings(model=small_model_dir, threads=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def other(other_model_dir: Path) -> HazardClassifier:
    return HazardClassifier.load(other_model_dir, threads=1)


def assessed(engine: AssessmentEngine, *listings: Listing) -> list[Any]:
    return asyncio.run(engine.assess(listings))


def test_the_next_request_is_answered_by_the_new_model(own_engine: AssessmentEngine, other: HazardClassifier) -> None:
    (before,) = assessed(own_engine, LASER)
    own_engine.put_model_in_force(other)
    (after,) = assessed(own_engine, LASER)
    assert before.versions.model != after.versions.model == own_engine.versions.model == other.version
    assert after.hazards != before.hazards
    assert after == own_engine.in_force.assess(LASER, "none")
    assert after.decision.seller is not None


def test_a_request_that_has_begun_keeps_its_model(
    own_engine: AssessmentEngine, other: HazardClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, go = own_engine.in_force, threading.Event()
    expected = [first.assess(listing, "none") for listing in (LASER, Listing(id="bag", title="Cotton bag"))]
    assess = first.model.assess

    def waiting(*arguments: Any) -> Assessment:
        assert go.wait(10)
        return assess(*arguments)

    monkeypatch.setattr(first.model, "assess", waiting)

    async def swapped_meanwhile() -> tuple[list[Any], list[Any]]:
        begun = asyncio.create_task(own_engine.assess([LASER, Listing(id="bag", title="Cotton bag")]))
        await asyncio.sleep(0.05)
        own_engine.put_model_in_force(other)
        # Equal content, another model: it must not join the run that is under way.
        later = asyncio.create_task(own_engine.assess([LASER]))
        await asyncio.sleep(0.05)
        go.set()
        return await begun, await later

    begun, later = asyncio.run(swapped_meanwhile())
    assert begun == expected
    assert [outcome.versions.model for outcome in later] == [other.version]
    assert later == [own_engine.in_force.assess(LASER, "none")]


def test_what_was_in_force_when_the_caller_began_explains(
    own_engine: AssessmentEngine, other: HazardClassifier
) -> None:
    first = own_engine.in_force
    own_engine.put_model_in_force(other)
    explained = asyncio.run(own_engine.explain(LASER, "tokens", (), first))
    assert explained == asyncio.run(own_engine.explain(LASER, "tokens", (), first))
    assert explained != asyncio.run(own_engine.explain(LASER, "tokens"))


def test_the_plan_is_bound_to_the_model_that_is_in_force(own_engine: AssessmentEngine, other: HazardClassifier) -> None:
    bare = HazardClassifier.load(str(other._directory), threads=1)
    bare.guarantees = ()
    own_engine.put_model_in_force(bare)
    assert own_engine.plan.guarantees == {}
    own_engine.put_in_force(load_plan())
    assert (own_engine.plan.guarantees, own_engine.model) == ({}, bare)
    own_engine.put_model_in_force(other)
    assert set(own_engine.plan.guarantees) == {guarantee.id for guarantee in other.guarantees}


def test_plan_and_model_changed_at_once_are_both_in_force(
    own_engine: AssessmentEngine, other: HazardClassifier
) -> None:
    mine, plans = own_engine.model, [load_plan(), load_plan()]

    def change_plans() -> None:
        for i in range(200):
            own_engine.put_in_force(plans[i % 2])

    thread = threading.Thread(target=change_plans)
    thread.start()
    for i in range(201):
        own_engine.put_model_in_force((other, mine)[i % 2])
    thread.join()
    assert own_engine.model is other


def test_the_old_model_is_forgotten_after_its_last_request(small_model_dir: Path, other: HazardClassifier) -> None:
    engine = load_engine(Settings(model=small_model_dir, threads=1))
    assessed(engine, LASER)
    old = weakref.ref(engine.model)
    engine.put_model_in_force(other)
    gc.collect()
    assert old() is None
    engine.close()

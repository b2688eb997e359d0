"""The engine: own answers under load, shared runs, bounded, no failure spreads."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from serving.admission import Admission, Full
from serving.engine import AssessmentEngine, Failure

WORDS = [
    "heater",
    "laser pointer 5000mW",
    "baby necklace amber",
    "cotton bag",
    "magnets",
    "no thermostat",
    "בדיקה",
    "🔥",
]


def listings_of(titles: list[str]) -> list[Listing]:
    return [Listing(id=str(i), title=title) for i, title in enumerate(titles)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join), max_size=10))
def test_a_listing_gets_the_same_answer_in_company_as_alone(engine: AssessmentEngine, titles: list[str]) -> None:
    listings = listings_of(titles)
    together = asyncio.run(engine.assess(listings, "tokens"))
    alone = [engine.in_force.assess(listing, "tokens") for listing in listings]
    assert together == alone


def test_equal_content_in_flight_is_assessed_once(engine: AssessmentEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    assess = engine.model.assess

    def counted(listing: Listing, *rest: Any) -> Assessment:
        runs.append(listing.id)
        return assess(listing, *rest)

    monkeypatch.setattr(engine.model, "assess", counted)

    async def both() -> list[list[Any]]:
        return await asyncio.gather(*(engine.assess([Listing(id=str(i), title="same")]) for i in range(8)))

    outcomes = [outcome for (outcome,) in asyncio.run(both())]
    assert len(runs) == 1
    assert [outcome.listing_id for outcome in outcomes] == [str(i) for i in range(8)]
    assert len({outcome.id for outcome in outcomes}) == 8
    own = Listing(id="3", title="same")
    monkeypatch.undo()
    assert outcomes[3] == engine.in_force.assess(own, "none")


def test_a_failing_listing_does_not_lose_the_others(engine: AssessmentEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    assess = engine.model.assess

    def failing(listing: Listing, *rest: Any) -> Assessment:
        if listing.id == "1":
            raise RuntimeError("broken")
        return assess(listing, *rest)

    monkeypatch.setattr(engine.model, "assess", failing)
    first, second, third = asyncio.run(engine.assess(listings_of(["a", "b", "c"])))
    assert isinstance(second, Failure)
    assert (first.listing_id, second.listing_id, third.listing_id) == ("0", "1", "2")


def test_a_cancelled_request_does_not_take_the_shared_run_with_it(
    engine: AssessmentEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    assess = engine.model.assess

    def waiting(*arguments: Any) -> Assessment:
        assert go.wait(10)
        return assess(*arguments)

    monkeypatch.setattr(engine.model, "assess", waiting)

    async def one_leaves() -> list[Any]:
        leaving = asyncio.create_task(engine.assess([Listing(id="a", title="shared")]))
        staying = asyncio.create_task(engine.assess([Listing(id="b", title="shared")]))
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.wait([leaving])
        go.set()
        return await staying

    (outcome,) = asyncio.run(one_leaves())
    assert outcome.listing_id == "b"
    assert engine.admission.in_flight == 0


def test_the_event_loop_goes_on_while_listings_are_assessed(
    engine: AssessmentEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    assess = engine.model.assess

    def waiting(*arguments: Any) -> Assessment:
        assert go.wait(10)
        return assess(*arguments)

    monkeypatch.setattr(engine.model, "assess", waiting)

    async def watch() -> int:
        work = asyncio.create_task(engine.assess(listings_of(list("abcdefgh"))))
        await asyncio.sleep(0.05)
        in_flight = engine.admission.in_flight
        go.set()
        await work
        return in_flight

    assert asyncio.run(watch()) == 8


def test_more_than_fits_is_refused_and_nothing_is_held(engine: AssessmentEngine) -> None:
    with pytest.raises(Full) as caught:
        asyncio.run(engine.assess(listings_of(["x"] * 11)))
    assert caught.value.retry_after >= 1
    assert engine.admission.in_flight == 0


@given(st.lists(st.integers(0, 6), max_size=20))
def test_admission_never_exceeds_its_capacity(sizes: list[int]) -> None:
    door = Admission(capacity=10, threads=2)
    with ExitStack() as held:
        for size in sizes:
            before = door.in_flight
            if before + size > 10:
                with pytest.raises(Full) as caught:
                    held.enter_context(door.admit(size))
                assert 1 <= caught.value.retry_after <= 60
                assert door.in_flight == before
            else:
                held.enter_context(door.admit(size))
                assert door.in_flight == before + size
    assert door.in_flight == 0

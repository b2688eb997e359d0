"""A server's plan is the live one of the store: after an act elsewhere, after midnight, when the store is lost."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from models.domain.assessment import Versions
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.plan.plan import Plan
from models.plan.reading import parse_plan
from serving import live_plan
from serving.engine import AssessmentEngine
from serving.live_plan import LivePlan
from serving.store.database import open_database, writing
from serving.store.migrating import migrate
from serving.store.plans import PlanStore
from serving.store.tables import PlanRow

TODAY = dt.datetime.now(dt.UTC).date()
EXPIRING = f"""
name: expiring
version: 1
mitigate:
  otherwise: publish
  rules:
    - {{id: a, when: "true", action: block, expires: {TODAY.isoformat()}, reason: R}}
"""


def made(text: str) -> Plan:
    plan = parse_plan(text).plan
    assert plan is not None
    return plan


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[PlanStore]:
    store = PlanStore(open_database(f"sqlite:///{tmp_path / 'h.db'}"))
    migrate(store.engine)
    yield store
    store.engine.dispose()


@pytest.fixture
def own_engine(engine: AssessmentEngine) -> Iterator[AssessmentEngine]:
    """The engine, with its plan back afterwards."""
    before = engine.plan
    yield engine
    engine.put_in_force(before)


@pytest.fixture
def told() -> list[Versions]:
    return []


@pytest.fixture
def live(plans: PlanStore, own_engine: AssessmentEngine, told: list[Versions]) -> LivePlan:
    return LivePlan(plans, own_engine, told.append)


def test_nothing_is_swapped_where_the_file_is_live(live: LivePlan, told: list[Versions], plan_id: str) -> None:
    live.begin()
    live.refresh()
    assert told == []
    assert live.engine.plan.id == plan_id


def test_an_act_elsewhere_counts_at_the_next_look(live: LivePlan, plans: PlanStore, told: list[Versions]) -> None:
    live.begin()
    kept = plans.keep(made(EXPIRING), "Ada", "R")
    live.refresh()
    assert told == []
    plans.activate(kept.digest, "Grace", "R", four_eyes=True)
    live.refresh()
    assert [versions.plan for versions in told] == [kept.plan_id]
    live.refresh()
    assert len(told) == 1


def test_a_rule_that_expires_stops_at_midnight(live: LivePlan, plans: PlanStore) -> None:
    live.begin()
    kept = plans.keep(made(EXPIRING), "Ada", "R")
    plans.activate(kept.digest, "Grace", "R", four_eyes=True)
    live.refresh()
    listing = Listing(id="1", title="Cotton bag")
    before = live.engine.model.assess(listing, live.engine.plan)

    live.today = lambda: TODAY + dt.timedelta(days=1)
    live.refresh()
    after = live.engine.model.assess(listing, live.engine.plan)
    assert (before.decision.action, after.decision.action) == ("block", "publish")
    assert before.versions.plan != after.versions.plan == live.engine.versions.plan
    assert before.id != after.id


def test_a_live_plan_that_cannot_be_read_keeps_the_server_from_starting(
    live: LivePlan, plans: PlanStore, plan_id: str
) -> None:
    live.begin()
    kept = plans.keep(made(EXPIRING), "Ada", "R")
    plans.activate(kept.digest, "Grace", "R", four_eyes=True)
    with writing(plans.engine) as connection:
        connection.execute(
            update(PlanRow).where(PlanRow.digest == kept.digest).values(content="name: later\nform: 9\n")
        )
    with pytest.raises(InputError, match=rf"stored plan {kept.plan_id[:8]}.*:1:1: key 'mitigate' is missing"):
        LivePlan(plans, live.engine, live.on_change).begin()
    with pytest.raises(InputError):
        live.refresh()
    assert live.engine.plan.id == plan_id


def test_a_lost_store_leaves_the_plan_as_it_is_and_the_watch_goes_on(
    live: LivePlan, plans: PlanStore, plan_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live.begin()
    monkeypatch.setattr(live_plan, "_LOOKS_EVERY", 0.01)
    looks: list[int] = []
    newest = plans.newest_act

    def sometimes() -> int:
        looks.append(1)
        if len(looks) < 3:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return newest()

    monkeypatch.setattr(plans, "newest_act", sometimes)

    async def watched() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(live.watch(), 1.0)

    asyncio.run(watched())
    assert len(looks) > 3
    assert "gone" in caplog.text
    assert live.engine.plan.id == plan_id

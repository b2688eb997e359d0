"""Plans in the store, on SQLite and on PostgreSQL: what is live follows from the acts alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from models.plan.plan import Plan
from models.plan.reading import parse_plan
from serving.store.assessments import AssessmentStore
from serving.store.database import writing
from serving.store.plans import PlanConflictError, PlanStore
from serving.store.tables import PlanActRow, PlanRow


def plan(version: int) -> Plan:
    made = parse_plan(f"name: p\nversion: {version}\nmitigate: {{otherwise: publish, rules: []}}\n# é 🧲\n").plan
    assert made is not None
    return made


PLANS = [plan(version) for version in range(4)]


@pytest.fixture
def plans(store: AssessmentStore) -> PlanStore:
    return PlanStore(store.engine)


def test_what_is_stored_is_read_back_equal(plans: PlanStore) -> None:
    kept = plans.keep(PLANS[0], "Ada", "Because é 🧲.")
    assert plans.get(kept.plan_id) == plans.get(kept.digest) == kept
    assert (kept.content, kept.digest, kept.plan_id) == (PLANS[0].text, PLANS[0].content_digest, PLANS[0].id)
    assert datetime.now(UTC) - kept.created_at < timedelta(minutes=1)
    assert plans.plans(10) == [kept]
    assert plans.get("none") is None


def test_nothing_is_live_before_a_server_has_started(plans: PlanStore) -> None:
    assert plans.live() is None
    assert plans.newest_act() == 0
    with pytest.raises(PlanConflictError, match="none to go back"):
        plans.roll_back("Ada", "R")


def test_a_server_with_another_file_changes_what_lies_below_what_was_activated(plans: PlanStore) -> None:
    assert plans.start(PLANS[0]).plan_id == PLANS[0].id
    assert plans.start(PLANS[0]).plan_id == PLANS[0].id
    assert len(plans.acts(10)) == 1  # the same file again is no act
    kept = plans.keep(PLANS[1], "Ada", "R")
    plans.activate(kept.digest, "Grace", "R", four_eyes=True)
    assert plans.start(PLANS[2]).digest == kept.digest
    assert plans.roll_back("Grace", "R").plan_id == PLANS[2].id


def test_an_edited_file_under_the_same_version_is_stored_beside(plans: PlanStore) -> None:
    plans.start(PLANS[0])
    edited = parse_plan(PLANS[0].text + "# edited\n").plan
    assert edited is not None
    assert plans.start(edited).plan_id == edited.id
    assert {row.plan_id for row in plans.plans(10)} == {PLANS[0].id, edited.id}


def test_four_eyes_know_a_name_in_any_case(plans: PlanStore) -> None:
    plans.start(PLANS[0])
    kept = plans.keep(PLANS[1], "Ada  Lovelace", "R")
    with pytest.raises(PlanConflictError, match="four eyes"):
        plans.activate(kept.digest, "ada lovelace", "R", four_eyes=True)
    assert plans.live() == plans.get(PLANS[0].id)
    plans.activate(kept.digest, "ada lovelace", "R", four_eyes=False)
    assert plans.live() == kept


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.integers(1, 3), st.just("back")), max_size=8))
def test_live_is_the_top_of_what_was_activated_and_not_taken_back(plans: PlanStore, steps: list[int | str]) -> None:
    with writing(plans.engine) as connection:
        connection.execute(delete(PlanActRow))
        connection.execute(delete(PlanRow))
    plans.start(PLANS[0])
    digests = {i: plans.keep(PLANS[i], "Ada", "R").digest for i in (1, 2, 3)}
    stack = [PLANS[0].content_digest]
    for step in steps:
        before = plans.newest_act()
        try:
            if step == "back":
                plans.roll_back("Grace", "R")
                stack.pop()
            else:
                plans.activate(digests[int(step)], "Grace", "R", four_eyes=True)
                stack.append(digests[int(step)])
        except PlanConflictError:
            assert plans.newest_act() == before
            assert len(stack) == 1 if step == "back" else stack[-1] == digests[int(step)]
        else:
            assert plans.newest_act() > before
        live = plans.live()
        assert live is not None
        assert live.digest == stack[-1]


def test_acts_at_once_are_all_kept(plans: PlanStore) -> None:
    plans.start(PLANS[0])
    digests = [plans.keep(PLANS[i], "Ada", "R").digest for i in (1, 2, 3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda digest: plans.activate(digest, "Grace", "R", four_eyes=True), digests))
    numbers = [act.number for act in plans.acts(10)]
    assert len(set(numbers)) == 4
    assert numbers == sorted(numbers, reverse=True)
    live = plans.live()
    assert live is not None
    assert live.digest == plans.acts(1)[0].digest


def test_the_same_plan_stored_at_once_is_one(plans: PlanStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda name: plans.keep(PLANS[0], name, "R"), "abcd"))
    assert len(set(kept)) == 1
    assert len(plans.plans(10)) == 1

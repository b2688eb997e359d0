"""Exactly one action for every assessment by every valid plan; stricter rules never loosen; order says nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from models.domain.action import Action
from models.domain.assessment import Decision
from models.plan.facts import facts_of
from models.plan.plan import Plan
from tests.plan.strategies import assessments, listings, made, plans, rules


def decided(plan: Plan, assessment: dict[str, Any], listing: dict[str, Any]) -> Decision:
    return plan.decide_on(assessment, listing)


@given(plans(), assessments(), listings)
def test_any_plan_gives_any_assessment_exactly_one_action(
    raw: dict[str, Any], assessment: dict[str, Any], listing: dict[str, Any]
) -> None:
    plan = made(raw)
    assume(plan is not None)
    assert plan is not None
    decision = decided(plan, assessment, listing)
    assert decision.action in Action
    assert not decision.errors
    live = [rule.action for rule in decision.fired]
    assert decision.action == (
        max(live, key=lambda action: action.rank) if live else Action(raw["mitigate"]["otherwise"])
    )
    assert decision.rules == [rule.id for rule in decision.fired]
    assert [rule.action.rank for rule in decision.fired] == sorted((a.rank for a in live), reverse=True)
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


@given(plans(), assessments(), listings, rules("extra"))
def test_a_stricter_live_rule_never_loosens(
    raw: dict[str, Any], assessment: dict[str, Any], listing: dict[str, Any], extra: dict[str, Any]
) -> None:
    assume(Action(extra["action"]).rank >= Action(raw["mitigate"]["otherwise"]).rank)
    longer = {**raw, "mitigate": {**raw["mitigate"], "rules": [*raw["mitigate"]["rules"], {**extra, "status": "live"}]}}
    before, after = made(raw), made(longer)
    assume(before is not None and after is not None)
    assert before is not None
    assert after is not None
    old, new = decided(before, assessment, listing), decided(after, assessment, listing)
    assert new.action.rank >= old.action.rank
    assert set(old.rules) <= set(new.rules)


@given(plans(), assessments(), listings, st.randoms(use_true_random=False))
def test_the_order_of_rules_does_not_matter(
    raw: dict[str, Any], assessment: dict[str, Any], listing: dict[str, Any], random: Any
) -> None:
    shuffled = [*raw["mitigate"]["rules"]]
    random.shuffle(shuffled)
    changes = raw["classify"]["changes"][::-1]
    other = {**raw, "mitigate": {**raw["mitigate"], "rules": shuffled}, "classify": {"changes": changes}}
    one, two = made(raw), made(other)
    assume(one is not None and two is not None)
    assert one is not None
    assert two is not None
    assert decided(one, assessment, listing) == decided(two, assessment, listing)


@given(plans(), assessments(), listings)
def test_rules_that_are_not_live_have_no_effect(
    raw: dict[str, Any], assessment: dict[str, Any], listing: dict[str, Any]
) -> None:
    live = [rule for rule in raw["mitigate"]["rules"] if rule["status"] == "live"]
    whole, without = made(raw), made({**raw, "mitigate": {**raw["mitigate"], "rules": live}})
    assume(whole is not None and without is not None)
    assert whole is not None
    assert without is not None
    one, two = decided(whole, assessment, listing), decided(without, assessment, listing)
    assert one.model_copy(update={"background": []}) == two
    background = {rule["id"] for rule in raw["mitigate"]["rules"] if rule["status"] == "background"}
    assert {rule.id for rule in one.background} <= background


@given(plans(), assessments(), listings)
def test_the_plans_level_lies_between_what_its_changes_allow(
    raw: dict[str, Any], assessment: dict[str, Any], listing: dict[str, Any]
) -> None:
    plan = made(raw)
    assume(plan is not None)
    assert plan is not None
    decision = decided(plan, assessment, listing)
    facts = facts_of(assessment, listing)
    assert decision.level is not None
    raised = [c.at_least.rank for c in decision.classified_by if c.at_least]
    lowered = [c.at_most.rank for c in decision.classified_by if c.at_most]
    assert decision.level.rank == max([min([facts["model_level"], *lowered]), *raised])

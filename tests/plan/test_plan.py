"""What a plan says in full: queues, deadlines, obligations, errors, levels, thresholds, expiry, its id."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from models.domain.action import Action, Due
from models.domain.errors import InputError
from models.domain.guarantee import Guarantee
from models.domain.risk import RiskLevel
from models.plan.facts import Circumstances, facts_of
from models.plan.plan import Plan
from models.plan.reading import load_plan, parse_plan

TEXT = """
name: mine
version: 3
assess:
  thresholds:
    find: {score: risk_score, guarantee: recall-of-high, otherwise: 0.9}
classify:
  changes:
    - {id: infants, when: consumers == "very_vulnerable", at_least: high, reason: "Small children."}
    - {id: calm, when: p_unsafe < 0.1, at_most: low, reason: "Hardly ever unsafe."}
mitigate:
  otherwise: publish
  on_error: hold_for_review
  queues:
    urgent: {who: W, minutes: 3}
    calm: {who: W, minutes: 3}
  obligations:
    complete: {who: seller, text: T, missing: traceability, legal_basis: A}
    warn: {who: seller, text: T, missing: warnings}
  rules:
    - {id: high, when: level == "high", action: hold_for_review, queue: calm, due: 3 working days, reason: R1,
       legal_basis: [A, B], owner: me}
    - {id: score, when: risk_score >= threshold("find"), action: hold_for_review, queue: urgent, due: 24 hours,
       reason: R2, reason_code: code}
    - {id: gaps, when: not traceability_complete, action: request_information, obligations: [complete, warn],
       due: 1 working day, reason: R3}
    - {id: trial, status: background, when: "true", action: block, due: 1 hour, reason: R4}
    - {id: draft, status: draft, when: "true", action: block, reason: R5}
    - {id: short, when: removed_before, action: block, expires: 2026-06-30, reason: R6}
"""
DAY = dt.date(2026, 6, 1)
ASSESSMENT: dict[str, Any] = {
    "risk_level": "medium",
    "risk_score": 0.4,
    "p_unsafe": 0.5,
    "scenario": {"risk_type": "choking", "severity": 4, "consumers": "very_vulnerable"},
    "warning_languages": ["de"],
}
LISTING = {"title": "T", "target_countries": ["DE", "FR"]}


@pytest.fixture(scope="module")
def plan() -> Plan:
    reading = parse_plan(TEXT, day=DAY)
    assert reading.problems == []
    assert reading.plan is not None
    return reading.plan


def guarantee(**changes: Any) -> Guarantee:
    made = {
        "id": "recall-of-high", "statement": "S", "score": "risk_score", "threshold": 0.3, "target": 0.9,
        "confidence": 0.9, "n": 100, "positives": 20, "calibrated_on": "", "source": "S",
    }  # fmt: skip
    return Guarantee(**{**made, **changes})


def test_the_decision_says_everything(plan: Plan) -> None:
    decision = plan.decide_on(ASSESSMENT, LISTING)
    assert decision.action == Action.HOLD_FOR_REVIEW
    assert decision.rules == ["high", "gaps"]
    assert decision.reasons == ["R1", "R3"]
    assert decision.level == RiskLevel.HIGH
    assert [change.id for change in decision.classified_by] == ["infants"]
    assert (decision.fired[0].legal_basis, decision.fired[0].owner, decision.fired[0].reason_code) == (
        ["A", "B"],
        "me",
        "high",
    )
    assert [rule.id for rule in decision.background] == ["trial"]
    assert decision.queue == "calm"
    assert decision.due == Due(amount=1, unit="working_days")
    complete, warn = decision.obligations
    assert complete.missing == ["identification", "manufacturer"]
    assert warn.missing == ["warnings-FR"]


def test_raising_wins_over_lowering_and_what_changed_nothing_is_not_told(plan: Plan) -> None:
    infant = plan.decide_on({**ASSESSMENT, "p_unsafe": 0.05}, LISTING)
    assert (infant.level, [c.id for c in infant.classified_by]) == (RiskLevel.HIGH, ["calm", "infants"])
    calm = plan.decide_on({**ASSESSMENT, "p_unsafe": 0.05, "scenario": None}, LISTING)
    assert (calm.level, [c.id for c in calm.classified_by]) == (RiskLevel.LOW, ["calm"])
    serious = plan.decide_on({**ASSESSMENT, "risk_level": "serious"}, LISTING)
    assert (serious.level, serious.classified_by) == (RiskLevel.SERIOUS, [])


def test_the_most_urgent_queue_of_the_deciding_rules_wins(plan: Plan) -> None:
    decision = plan.decide_on({**ASSESSMENT, "risk_score": 0.95}, LISTING)
    assert decision.queue == "urgent"
    assert decision.fired[1].reason_code == "code"


def test_a_guarantee_of_the_model_gives_the_threshold(plan: Plan) -> None:
    assert plan.thresholds == {"find": 0.9}
    bound = plan.bound_to([guarantee()])
    assert bound.thresholds == {"find": 0.3}
    assert bound.id == plan.id
    assert "score" in bound.decide_on(ASSESSMENT, LISTING).rules
    for other in (guarantee(id="other"), guarantee(threshold=None), guarantee(score="p_unsafe")):
        assert plan.bound_to([other]).thresholds == {"find": 0.9}


def test_a_state_has_one_code(plan: Plan) -> None:
    assert facts_of(ASSESSMENT, {"target_countries": ["EL", "gr", "us"]})["countries"] == {"GR", "US"}


def test_what_the_plan_says_of_the_model_is_compared_with_it(plan: Plan, default_plan: Plan) -> None:
    assert plan.strange_to([guarantee()], 0.8) == []
    for other, why in (
        ([], "the model gives no guarantee recall-of-high"),
        ([guarantee(score="p_unsafe")], "guarantee recall-of-high is on p_unsafe, not on risk_score"),
        ([guarantee(threshold=None)], "no threshold of the model keeps guarantee recall-of-high"),
    ):
        assert plan.strange_to(other, 0.8) == [f"threshold find: {why}; 0.9 is taken"]
    assert any("spread of 0.5, not 0.8" in what for what in default_plan.strange_to([], 0.5))


def test_a_rule_past_its_day_no_longer_counts_and_the_id_says_so(plan: Plan) -> None:
    removed = Circumstances(removed_before=True)
    assert plan.decide_on(ASSESSMENT, LISTING, removed).rules[0] == "short"
    assert plan.on(dt.date(2026, 6, 30)) is plan
    later = plan.on(dt.date(2026, 7, 1))
    assert later.decide_on(ASSESSMENT, LISTING, removed).rules == ["high", "gaps"]
    assert later.id != plan.id
    assert later.on(dt.date(2030, 1, 1)).id == later.id


def test_a_rule_that_cannot_be_judged_is_told_and_holds_the_listing(plan: Plan) -> None:
    facts = facts_of(
        {**ASSESSMENT, "scenario": None},
        {"title": "T", "brand": "B", "manufacturer": {"name": "M", "address": "A, DE", "email": "e"}},
    )
    facts["risk_score"] = "a text"
    decision = plan.worded(plan.judge(facts), facts)
    assert decision.rules == []
    assert decision.action == Action.HOLD_FOR_REVIEW
    (error,) = decision.errors
    assert error.rule == "score"
    assert "str" in error.message


def test_a_background_rule_that_cannot_be_judged_is_told_and_has_no_effect() -> None:
    text = TEXT.replace('status: background, when: "true"', "status: background, when: risk_score > 0.5").replace(
        'risk_score >= threshold("find")', "abstains"
    )
    plan = parse_plan(text, day=DAY).plan
    assert plan is not None
    facts = facts_of(
        {"risk_level": "none"},
        {"title": "T", "brand": "B", "manufacturer": {"name": "M", "address": "A, DE", "email": "e"}},
    )
    facts["risk_score"] = "a text"
    decision = plan.worded(plan.judge(facts), facts)
    assert [error.rule for error in decision.errors] == ["trial"]
    assert decision.action == Action.PUBLISH


def test_an_error_in_classify_holds_the_listing_too(plan: Plan) -> None:
    facts = facts_of({**ASSESSMENT, "scenario": None}, LISTING)
    facts["p_unsafe"] = "a text"
    decision = plan.worded(plan.judge(facts), facts)
    assert [error.rule for error in decision.errors] == ["calm"]
    assert decision.action == Action.HOLD_FOR_REVIEW


def test_the_same_question_has_the_same_answer(plan: Plan) -> None:
    assert plan.decide_on(ASSESSMENT, LISTING) == plan.decide_on(dict(reversed(ASSESSMENT.items())), dict(LISTING))


def test_the_id_names_plan_version_and_content(plan: Plan) -> None:
    other = parse_plan(f"# a comment\n{TEXT}", day=DAY).plan
    assert other is not None
    assert plan.id.startswith("mine@3+")
    assert other.id != plan.id


def test_shorter_times_come_first() -> None:
    dues = [Due(amount=3, unit="days"), Due(amount=2, unit="working_days"), Due(amount=47, unit="hours")]
    assert sorted(due.least_hours for due in dues) == [47, 48, 72]
    assert [str(due) for due in (dues[1], Due(amount=1, unit="working_days"))] == ["2 working days", "1 working day"]


def test_actions_rank_from_publish_to_block() -> None:
    assert sorted(Action, key=lambda action: action.rank) == [
        Action.PUBLISH,
        Action.PUBLISH_WITH_WARNING,
        Action.REQUEST_INFORMATION,
        Action.HOLD_FOR_REVIEW,
        Action.BLOCK,
    ]


def test_a_plan_that_must_be_in_order_raises_its_first_error(tmp_path: Any) -> None:
    file = tmp_path / "plan.yaml"
    with pytest.raises(InputError, match=r"plan\.yaml: no such plan \(give --plan"):
        load_plan(file)
    with pytest.raises(InputError, match=str(tmp_path)):
        load_plan(tmp_path)
    file.write_bytes(b"name: \xff")
    with pytest.raises(InputError, match=r"plan\.yaml: byte 6 is no UTF-8 \(save it as UTF-8\)"):
        load_plan(file)
    file.write_text("name: p\nversion: 1\nmitigat: {}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.yaml:1:1: key 'mitigate' is missing \(add it"):
        load_plan(file)

"""Listings with a known answer: given as any other, never acted upon, told of each reviewer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from models.domain.action import Action, Due
from models.domain.risk import RiskLevel
from models.domain.taxonomy import load_taxonomy
from models.sources.report import ReadReport
from serving.review.browsing import Filter
from serving.review.claims import Claims
from serving.review.feedback import decided_examples
from serving.review.golden import GoldenAnswers, GoldenMix
from serving.review.items import Item, NoItemError, ReviewConflictError, ReviewRefusedError
from serving.review.quality import quality
from serving.review.verdicts import Verdict
from serving.review.words import Outcome, Sample
from serving.store.assessments import AssessmentStore
from tests.serving.review.conftest import ASK, BLOCK, NOW, Desk, answered, minutes

DAY = dt.timedelta(days=1)
HOURS = Due(amount=24, unit="hours")
ALWAYS = GoldenMix(1.0, lambda: 0.0)
LOW = Verdict(Outcome.JUSTIFIED_ALERT, Action.PUBLISH_WITH_WARNING, RiskLevel.MEDIUM)


@pytest.fixture
def golden(desk: Desk) -> GoldenAnswers:
    return GoldenAnswers(desk.engine, most_uses=3)


@pytest.fixture
def known(desk: Desk, golden: GoldenAnswers) -> int:
    """A known answer out of ada's decision; more items wait, and every claim is given a copy."""
    answer = answered("known", title="Heater without thermostat", due=HOURS)
    AssessmentStore(desk.engine).save([answer])
    desk.take(answer)
    desk.decide("ada", ASK)
    desk.now += DAY
    key = golden.add_item(desk.browsing.page(Filter(state="decided"), desk.now)[0].id, "root", desk.now)
    desk.take(*(answered(f"l{i}", due=HOURS) for i in range(4)))
    desk.claims = Claims(desk.engine, mix=ALWAYS)
    return key


def given(desk: Desk, reviewer: str, chosen: Filter | None = None) -> Item:
    conditions = chosen.conditions(desk.now, reviewer) if chosen else ()
    item = desk.claims.next(reviewer, desk.now, conditions)
    assert item is not None
    return item


def test_a_copy_comes_in_place_of_an_item_and_looks_like_any_other(desk: Desk, known: int) -> None:
    first = desk.browsing.page(Filter(), desk.now, "ben")[0]
    copy = given(desk, "ben")
    assert (copy.sample, copy.title) == (Sample.GOLDEN, "Heater without thermostat")
    assert (copy.opened_at, copy.due_at) == (first.opened_at, first.opened_at + dt.timedelta(hours=24))
    assert (copy.claimed_by, copy.assigned_to) == ("ben", None)
    assert given(desk, "ben").id == copy.id, "a claimed item is given again, and no other copy"


def test_the_one_who_found_the_answer_is_not_asked_for_it(desk: Desk, known: int) -> None:
    assert given(desk, "ada").sample != Sample.GOLDEN


def test_nobody_is_asked_twice_and_used_answers_are_retired(desk: Desk, known: int, golden: GoldenAnswers) -> None:
    for reviewer in ("ben", "cy", "dan"):
        desk.decide(reviewer, ASK)
        assert given(desk, reviewer).sample != Sample.GOLDEN
    (answer,) = golden.all()
    assert (answer.uses, answer.retired_at) == (3, desk.now)
    assert given(desk, "eve").sample != Sample.GOLDEN


def test_a_retired_answer_is_handed_out_no_more(desk: Desk, known: int, golden: GoldenAnswers) -> None:
    golden.retire(known, "root", desk.now)
    assert given(desk, "ben").sample != Sample.GOLDEN
    with pytest.raises(NoItemError, match=r"no known answer 1 in use"):
        golden.retire(known, "root", desk.now)


def test_only_its_reviewer_sees_a_copy(desk: Desk, known: int) -> None:
    waiting = desk.browsing.count(Filter(), desk.now, "cy")
    copy = given(desk, "ben")
    assert copy.id in {item.id for item in desk.browsing.page(Filter(), desk.now, "ben")}
    assert copy.id not in {item.id for item in desk.browsing.page(Filter(state="all"), desk.now, "cy")}
    assert desk.browsing.count(Filter(), desk.now, "cy") == waiting
    assert sum(queue.waiting for queue in desk.browsing.queues(desk.now, "cy")) == waiting
    assert sum(queue.waiting for queue in desk.browsing.queues(desk.now, "ben")) == waiting + 1
    desk.claims.release(copy.id, "ben", desk.now)
    with pytest.raises(NoItemError):
        desk.claims.claim(copy.id, "cy", desk.now)
    assert desk.decisions.decide_all([copy.id], "cy", ASK, desk.now).decided == []


def test_a_copy_keeps_to_the_filter(desk: Desk, known: int) -> None:
    desk.take(answered("other queue", queue="toys", due=HOURS))
    assert given(desk, "ben", Filter(queue="toys")).sample != Sample.GOLDEN
    assert given(desk, "cy", Filter(queue="safety")).sample == Sample.GOLDEN


def test_where_nothing_waits_no_copy_comes(desk: Desk, known: int) -> None:
    assert desk.claims.next("ben", desk.now, Filter(queue="empty").conditions(desk.now, "ben")) is None


def test_it_is_sent_on_and_put_aside_like_any_other(desk: Desk, known: int) -> None:
    copy = given(desk, "ben")
    desk.claims.escalate(copy.id, "ben", "not mine", desk.now, person="cy")
    assert given(desk, "cy").id == copy.id
    desk.claims.hold(copy.id, "cy", desk.now + minutes(5), "asking", desk.now)
    desk.now += minutes(6)
    desk.claims.claim(copy.id, "cy", desk.now)
    desk.claims.skip(copy.id, "cy", "no", desk.now)
    assert given(desk, "cy").id != copy.id


def test_a_decision_on_it_has_no_effect(desk: Desk, known: int) -> None:
    copy = given(desk, "ben")
    made = desk.decisions.decide(copy.id, "ben", copy.assessment_id, BLOCK, desk.now)
    assert made.final_at is None
    later = desk.now + DAY
    assert copy.id not in {item.id for _, item in desk.browsing.final(later)}
    taxonomy = load_taxonomy()
    learnt = list(decided_examples(desk.engine, taxonomy, later, ReadReport("reviews")))
    (example,) = learnt
    assert (example.id, example.risk_level) == ("known", RiskLevel.HIGH), "ada's own decision, not the copy's"
    with pytest.raises(NoItemError):
        desk.appeals.receive(copy.id, "why?", "root", later)
    desk.take(answered("known", "high", title="Heater without thermostat", due=HOURS, model="m2"))
    waiting = {item.listing_id for item in desk.browsing.page(Filter(), later, "cy")}
    assert "known" not in waiting, "the verdict on the copy has opened nothing, and closed nothing"


def test_it_can_be_taken_back(desk: Desk, known: int) -> None:
    copy = given(desk, "ben")
    made = desk.decisions.decide(copy.id, "ben", copy.assessment_id, BLOCK, desk.now)
    assert desk.decisions.undo(made.id, "ben", desk.now).state == "open"
    assert quality(desk.engine, NOW, desk.now + DAY).golden.reviewers == []


def test_what_each_got_right_is_told(desk: Desk, known: int) -> None:
    desk.decide("ben", BLOCK)
    desk.decide("cy", replace(ASK, hazards=("choking",)))
    desk.decide("dan", LOW)
    found = quality(desk.engine, NOW + DAY, desk.now + DAY)
    ben, cy, dan = found.golden.reviewers
    assert (ben.sides.value, ben.levels.value, ben.hazards.value) == (1.0, 0.0, 1.0), "serious instead of high"
    assert (cy.sides.value, cy.levels.value, cy.hazards.value) == (1.0, 1.0, 0.0)
    assert (dan.sides.value, dan.levels.value, dan.hazards.value) == (0.0, 0.0, 0.0)
    assert (found.golden.by_level[RiskLevel.HIGH].hits, found.golden.by_level[RiskLevel.HIGH].total) == (1, 3)
    assert (found.golden.by_hazard["burns"].hits, found.golden.by_hazard["burns"].total) == (1, 3)
    assert found.reviewers == [], "no other figure counts them"


def test_what_is_not_decided_for_good_is_no_known_answer(desk: Desk, golden: GoldenAnswers) -> None:
    desk.take(answered("a"))
    (item,) = desk.browsing.page(Filter(), NOW)
    with pytest.raises(ReviewConflictError, match="no decision that is final"):
        golden.add_item(item.id, "root", NOW)
    desk.decide("ada", ASK)
    with pytest.raises(ReviewConflictError, match="no decision that is final"):
        golden.add_item(item.id, "root", NOW + minutes(0.1))
    key = golden.add_item(item.id, "root", NOW + minutes(1))
    assert golden.of_item(item.id) == key
    with pytest.raises(ReviewConflictError, match="a known answer already"):
        golden.add_item(item.id, "root", NOW + minutes(1))


def test_an_answer_comes_without_a_review(desk: Desk, golden: GoldenAnswers) -> None:
    answer = answered("from a file", "none", queue=None)
    with pytest.raises(ReviewRefusedError, match="0 hazards at level high"):
        golden.add_answer(answer, RiskLevel.HIGH, (), "root", NOW)
    golden.add_answer(answer, RiskLevel.HIGH, ("burns",), "root", NOW)
    desk.take(answered("waits"))
    desk.claims = Claims(desk.engine, mix=ALWAYS)
    copy = given(desk, "ben")
    assert (copy.listing_id, copy.level, copy.queue) == ("from a file", "none", "safety")


def test_the_share_is_kept() -> None:
    draws = iter([0.05, 0.2, 0.0999])
    mix = GoldenMix(0.1, lambda: next(draws))
    assert [mix.draw() < mix.share for _ in range(3)] == [True, False, True]

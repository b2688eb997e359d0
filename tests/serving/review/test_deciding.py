"""Verdicts: in order, looked at twice where due, taken back in time, and never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.domain.action import Action
from models.domain.risk import RiskLevel
from serving.review.browsing import Filter, hidden_from
from serving.review.items import ReviewConflictError, ReviewRefusedError
from serving.review.verdicts import Verdict
from serving.review.words import Outcome, State
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered, minutes


@pytest.mark.parametrize(
    ("verdict", "field", "mend"),
    [
        (replace(ASK, hazards=("magic",)), "hazards", "risk types of the taxonomy"),
        (replace(ASK, hazards=()), "hazards", "name one at least"),
        (replace(ASK, level=RiskLevel.NONE), "level", "low, medium, high or serious"),
        (replace(ASK, action=Action.PUBLISH), "action", "block it"),
        (replace(ASK, action=Action.HOLD_FOR_REVIEW), "action", "hold the item"),
        (replace(ASK, reason_code=""), "reason_code", "recall-match, risk"),
        (replace(RELEASE, action=Action.BLOCK, reason_code="risk"), "action", "confirm the risk"),
        (replace(RELEASE, level=RiskLevel.SERIOUS), "level", "none, low or medium"),
        (replace(RELEASE, note="x" * 10_001), "note", "10,000"),
    ],
)
def test_a_verdict_that_contradicts_itself_is_refused_and_nothing_is_kept(
    desk: Desk, verdict: Verdict, field: str, mend: str
) -> None:
    desk.take(answered("a"))
    item = desk.claims.next("ada", NOW)
    assert item is not None
    with pytest.raises(ReviewRefusedError, match=mend) as refused:
        desk.decisions.decide(item.id, "ada", item.assessment_id, verdict, NOW)
    assert refused.value.field == field
    assert desk.browsing.decisions(item.id) == []
    assert desk.browsing.item(item.id) == item


def test_a_decision_is_kept_with_what_the_model_had_said(desk: Desk) -> None:
    desk.take(answered("a"))
    number = desk.decide("ada", replace(ASK, note="é 🧲", worksheet={"severity": 3}, seconds=12.5))
    (item,) = desk.browsing.page(Filter(state="decided"), NOW)
    (kept,) = desk.browsing.decisions(item.id)
    assert (kept.id, kept.reviewer, kept.round) == (number, "ada", "first")
    assert (kept.action, kept.level, kept.hazards) == ("request_information", "high", ["burns"])
    assert (kept.model_action, kept.model_level) == ("hold_for_review", "high")
    assert (kept.note, kept.worksheet, kept.seconds) == ("é 🧲", {"severity": 3}, 12.5)
    assert item.state is State.DECIDED
    assert item.claimed_by is None


def test_a_listing_that_changed_under_the_reviewers_eyes_is_not_decided(desk: Desk) -> None:
    desk.take(answered("a"))
    item = desk.claims.next("ada", NOW)
    assert item is not None
    desk.take(answered("a", title="Something else"))
    with pytest.raises(ReviewConflictError, match="changed meanwhile"):
        desk.decisions.decide(item.id, "ada", item.assessment_id, RELEASE, NOW)


@pytest.mark.parametrize(
    ("level", "verdict", "twice"),
    [("high", BLOCK, True), ("serious", RELEASE, True), ("high", RELEASE, False), ("serious", ASK, False)],
)
def test_blocks_and_releases_of_serious_need_a_second_person(
    desk: Desk, level: str, verdict: Verdict, twice: bool
) -> None:
    desk.take(answered("a", level))
    desk.decide("ada", verdict)
    (item,) = desk.browsing.page(Filter(state="all"), NOW)
    assert item.state is (State.SECOND if twice else State.DECIDED)
    assert len(desk.browsing.final(NOW + minutes(60))) == (0 if twice else 1)


def test_the_second_look_is_blind_and_agreement_settles_it(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", BLOCK)
    (item,) = desk.browsing.page(Filter(), NOW)
    made = desk.browsing.decisions(item.id)
    assert hidden_from("ben", item, made)
    assert not hidden_from("ada", item, made)
    desk.decide("ben", BLOCK)
    item = desk.browsing.item(item.id)
    assert item.state is State.DECIDED
    assert not hidden_from("cy", item, desk.browsing.decisions(item.id))
    assert [decision.round for decision in desk.browsing.decisions(item.id)] == ["first", "second"]


def test_two_who_differ_are_settled_by_a_third(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", BLOCK)
    desk.decide("ben", RELEASE)
    (item,) = desk.browsing.page(Filter(), NOW)
    assert item.state is State.DISPUTED
    for reviewer in ("ada", "ben"):
        assert desk.claims.next(reviewer, NOW) is None
    desk.decide("cy", RELEASE)
    assert desk.browsing.item(item.id).state is State.DECIDED
    ((final, _),) = desk.browsing.final(NOW + minutes(1))
    assert (final.reviewer, final.round, final.action) == ("cy", "settling", "publish")


def test_new_content_begins_the_four_eyes_anew(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", BLOCK)
    desk.take(answered("a", title="Other words"))
    (item,) = desk.browsing.page(Filter(), NOW)
    assert item.state is State.OPEN
    desk.decide("ada", RELEASE)
    assert desk.browsing.item(item.id).state is State.DECIDED


def test_a_verdict_has_no_effect_outside_until_the_grace_time_is_over(desk: Desk) -> None:
    desk.take(answered("a"))
    number = desk.decide("ada", RELEASE)
    assert desk.browsing.final(NOW + minutes(0.4)) == []
    ((decision, item),) = desk.browsing.final(NOW + minutes(0.5))
    assert (decision.id, item.listing_id) == (number, "a")
    assert desk.browsing.final(NOW + minutes(1), after=number) == []


def test_undo_gives_the_item_back_as_it_was(desk: Desk) -> None:
    desk.take(answered("a"))
    number = desk.decide("ada", RELEASE)
    with pytest.raises(ReviewConflictError, match="not ben's"):
        desk.decisions.undo(number, "ben", NOW)
    item = desk.decisions.undo(number, "ada", NOW + minutes(0.4))
    assert (item.state, item.claimed_by, item.decided_at) == (State.OPEN, "ada", None)
    assert desk.browsing.final(NOW + minutes(60)) == []
    with pytest.raises(ReviewConflictError, match="taken back already"):
        desk.decisions.undo(number, "ada", NOW + minutes(0.4))
    desk.decisions.decide(item.id, "ada", item.assessment_id, ASK, NOW + minutes(1))
    assert [d.undone_at is None for d in desk.browsing.decisions(item.id)] == [False, True]


def test_undo_comes_too_late_after_the_grace_time_and_after_another_persons_decision(desk: Desk) -> None:
    desk.take(answered("a"), answered("b"))
    released = desk.decide("ada", RELEASE)
    blocked = desk.decide("ada", BLOCK)
    with pytest.raises(ReviewConflictError, match="is over"):
        desk.decisions.undo(released, "ada", NOW + minutes(0.5))
    desk.decide("ben", BLOCK)
    with pytest.raises(ReviewConflictError, match="has moved on"):
        desk.decisions.undo(blocked, "ada", NOW)
    with pytest.raises(ReviewConflictError, match="no decision 99"):
        desk.decisions.undo(99, "ada", NOW)


def test_a_second_decision_taken_back_leaves_the_first(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", BLOCK)
    second = desk.decide("ben", BLOCK)
    item = desk.decisions.undo(second, "ben", NOW)
    assert (item.state, item.claimed_by) == (State.SECOND, "ben")


def test_many_are_decided_at_once_and_taken_back_at_once(desk: Desk) -> None:
    desk.take(*(answered(f"l{i}") for i in range(6)))
    ids = [item.id for item in desk.browsing.page(Filter(), NOW)]
    desk.claims.claim(ids[0], "ben", NOW)
    desk.decide("ada", RELEASE, ids[1])
    bulk = desk.decisions.decide_all([*ids, ids[2], 999], "ada", RELEASE, NOW)
    assert bulk.decided == ids[2:]
    assert bulk.left == {ids[0]: "It is with ben.", ids[1]: "It is decided.", 999: "There is no item 999."}
    assert desk.browsing.count(Filter(), NOW) == 1
    back = desk.decisions.undo_all(bulk.batch, "ada", NOW)
    assert back.decided == ids[2:]
    assert desk.browsing.count(Filter(), NOW) == 5
    with pytest.raises(ReviewRefusedError, match="taxonomy"):
        desk.decisions.decide_all(
            ids, "ada", Verdict(Outcome.CONFIRMED_RISK, Action.BLOCK, RiskLevel.HIGH, ("?",)), NOW
        )


def test_blocking_many_waits_for_a_second_person_each(desk: Desk) -> None:
    desk.take(*(answered(f"l{i}") for i in range(3)))
    ids = [item.id for item in desk.browsing.page(Filter(), NOW)]
    assert desk.decisions.decide_all(ids, "ada", BLOCK, NOW).decided == ids
    again = desk.decisions.decide_all(ids, "ada", BLOCK, NOW)
    assert again.decided == []
    assert set(again.left.values()) == {"ada has decided it already; another person must."}
    assert desk.decisions.decide_all(ids, "ben", BLOCK, NOW).decided == ids
    assert desk.browsing.count(Filter(state="decided"), NOW) == 3


def test_a_complaint_is_ruled_on_by_somebody_who_did_not_decide(desk: Desk) -> None:
    desk.take(answered("a"))
    (item,) = desk.browsing.page(Filter(), NOW)
    with pytest.raises(ReviewConflictError, match="no decision to complain of"):
        desk.appeals.receive(item.id, "It is safe.", "portal", NOW)
    desk.decide("ada", BLOCK)
    desk.decide("ben", BLOCK)
    with pytest.raises(ReviewRefusedError, match="seller's words"):
        desk.appeals.receive(item.id, " ", "portal", NOW)
    appeal = desk.appeals.receive(item.id, "It is safe.", "portal", NOW)
    with pytest.raises(ReviewConflictError, match="waits already"):
        desk.appeals.receive(item.id, "Again.", "portal", NOW)
    assert desk.appeals.waiting() == [appeal]
    with pytest.raises(ReviewConflictError, match="took part"):
        desk.appeals.rule(appeal.id, "ada", "overturned", "The test report is in order.", NOW)
    ruled = desk.appeals.rule(appeal.id, "cy", "overturned", "The test report is in order.", NOW)
    assert (ruled.ruling, ruled.reviewer) == ("overturned", "cy")
    assert desk.appeals.waiting() == []
    last, _ = desk.browsing.final(NOW + minutes(1))[-1]
    assert (last.round, last.action, last.reviewer) == ("appeal", "publish", "cy")
    with pytest.raises(ReviewConflictError, match="is not taken back"):
        desk.decisions.undo(last.id, "cy", NOW)
    with pytest.raises(ReviewConflictError, match="was overturned by cy"):
        desk.appeals.rule(appeal.id, "dee", "upheld", "No.", NOW)

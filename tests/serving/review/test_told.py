"""What reviews tell outside: what counts, once it counts, and never what was taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, text

from serving.review.items import ReviewConflictError
from serving.store.database import writing
from serving.store.hook_tables import EventRow
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered, minutes

GRACE = dt.timedelta(seconds=30)


def told(desk: Desk, by: str = "") -> list[dict[str, Any]]:
    """Events that were not taken back, in order; of decisions only, where `by` says so."""
    events = EventRow.__table__
    with desk.engine.connect() as connection:
        rows = connection.execute(select(events).where(events.c.withdrawn_at.is_(None)).order_by(events.c.number))
        found = [dict(row._mapping) for row in rows]
    return [event for event in found if not by or event["body"].get("by") in (None, by)]


def test_a_listing_that_the_plan_sends_to_a_person_is_told_once(desk: Desk) -> None:
    for _ in range(2):
        desk.take(answered("a"))
    (event,) = told(desk)
    assert (event["kind"], event["subject"]) == ("listing.hold_for_review", "listing:a")
    assert (event["body"]["listing_id"], event["body"]["by"]) == ("a", "plan")
    assert event["body"]["reason_codes"] == ["risk"]
    desk.take(answered("a", title="Another text"))
    assert len(told(desk)) == 2


def test_what_is_published_is_not_told(desk: Desk) -> None:
    desk.take(answered("a", queue=None))
    assert told(desk) == []


def test_a_decision_is_told_when_its_grace_time_is_over_with_what_it_does_to_the_listing(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("hugo", ASK)  # a name that no hash can spell
    review, listing = told(desk, "review")
    assert (review["kind"], listing["kind"]) == ("review.decided", "listing.request_information")
    assert review["not_before"] == listing["not_before"] == NOW + GRACE
    assert review["body"]["outcome"] == "confirmed_risk"
    assert review["body"]["hazards"] == ["burns"]
    assert (listing["body"]["level"], listing["body"]["reason_codes"]) == ("high", ["risk"])
    assert "hugo" not in str(review["body"]) + str(listing["body"]), "who decided is nobody's business outside"


def test_with_four_eyes_only_what_both_come_to_is_told(desk: Desk) -> None:
    desk.take(answered("a", "serious"))
    desk.decide("ada", BLOCK)
    assert told(desk, "review") == []
    desk.decide("bo", BLOCK)
    review, listing = told(desk, "review")
    assert (review["body"]["round"], listing["kind"]) == ("second", "listing.block")


def test_what_is_taken_back_is_never_told(desk: Desk) -> None:
    desk.take(answered("a"))
    decision = desk.decide("ada", ASK)
    desk.decisions.undo(decision, "ada", desk.now + dt.timedelta(seconds=10))
    assert told(desk, "review") == []
    desk.now += minutes(1)
    desk.decide("ada", RELEASE)
    review, listing = told(desk, "review")
    assert (review["body"]["outcome"], listing["kind"]) == ("false_alarm", "listing.publish")


def test_what_was_told_already_is_not_taken_back(desk: Desk) -> None:
    """Clocks of two machines may differ: what has left is what counts."""
    desk.take(answered("a"))
    decision = desk.decide("ada", ASK)
    with writing(desk.engine) as connection:
        connection.execute(text("UPDATE hook_events SET dispatched_at = not_before WHERE kind = 'review.decided'"))
    with pytest.raises(ReviewConflictError, match="told outside already"):
        desk.decisions.undo(decision, "ada", desk.now)
    assert [event["kind"] for event in told(desk, "review")] == ["review.decided", "listing.request_information"]
    assert desk.browsing.item(1).state == "decided"


def test_a_complaint_that_succeeds_releases_the_listing(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", ASK)
    desk.now += minutes(5)
    appeal = desk.appeals.receive(1, "It is harmless.", "support", desk.now)
    desk.appeals.rule(appeal.id, "bo", "overturned", "It is.", desk.now)
    review, listing = told(desk, "appeal")[-2:]
    assert (review["body"]["round"], listing["kind"], listing["body"]["by"]) == ("appeal", "listing.publish", "appeal")
    assert "harmless" not in str(review["body"])

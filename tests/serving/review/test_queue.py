"""What comes first, and who gets it."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.action import Due
from models.domain.listing import LIMITS
from models.domain.risk import RiskLevel
from serving.review.browsing import Filter
from serving.review.claims import Claims
from serving.review.deciding import Decisions
from serving.review.intake import Intake, IntakeRules
from serving.review.items import ReviewConflictError, ReviewRefusedError
from serving.review.ranking import place_of
from serving.review.words import Sample, State
from tests.serving.review.conftest import ASK, BLOCK, NOW, REASON_CODES, RELEASE, RISK_TYPES, Desk, answered, minutes

DAY = dt.timedelta(days=1)
chances = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5).filter(lambda p: sum(p) > 0.01)


@given(chances, st.integers(-72, 72), st.integers(0, 500))
def test_the_order_is_harm_times_uncertainty_times_urgency_whenever_it_is_asked(
    weights: list[float], hours: int, later: int
) -> None:
    levels = dict(zip(RiskLevel, weights, strict=True))
    due, now = NOW + dt.timedelta(hours=hours), NOW + dt.timedelta(hours=later)
    place, other = place_of(levels, due), place_of({RiskLevel.HIGH: 1.0}, NOW)

    def worth(harm: float, uncertainty: float, due_at: dt.datetime) -> float:
        return math.log(max(harm, 1e-6) * (1 + uncertainty)) - (due_at - now) / DAY

    difference = other.rank(DAY) - place.rank(DAY)
    expected = worth(place.harm, place.uncertainty, due) - worth(other.harm, other.uncertainty, NOW)
    assert difference == pytest.approx(expected, abs=1e-6)
    assert 0 <= place.harm <= 1
    assert 0 <= place.uncertainty <= 1


def test_the_worse_the_less_sure_and_the_sooner_due_come_first(desk: Desk) -> None:
    soon = Due(amount=4, unit="hours")
    later = Due(amount=48, unit="hours")
    desk.take(
        answered("high later", "high", due=later),
        answered("serious later", "serious", due=later),
        answered("high soon", "high", due=soon),
        answered("unsure later", "high", sure=0.4, due=later),
    )
    order = [item.listing_id for item in desk.browsing.page(Filter(), NOW)]
    assert order.index("serious later") < order.index("high later")
    assert order.index("high soon") < order.index("high later")
    assert order.index("unsure later") < order.index("high later")


def test_only_what_the_plan_sends_to_a_person_waits(desk: Desk) -> None:
    desk.take(answered("a"), answered("b", "none", queue=None))
    assert [item.listing_id for item in desk.browsing.page(Filter(), NOW)] == ["a"]
    due = desk.browsing.page(Filter(), NOW)[0].due_at
    assert due == dt.datetime(2026, 3, 9, 23, tzinfo=dt.UTC)  # five working days after Monday


def test_a_listing_waits_once_with_its_newest_text(desk: Desk) -> None:
    desk.take(answered("a", title="Heater"))
    desk.take(answered("a", title="Heater with thermostat"), answered("a", title="Heater with thermostat"))
    (item,) = desk.browsing.page(Filter(state="all"), NOW)
    assert item.title == "Heater with thermostat"
    harmless = answered("a", "none", queue=None, title="Blanket")
    desk.take(harmless)
    (item,) = desk.browsing.page(Filter(state="all"), NOW)
    assert (item.title, item.assessment_id, item.queue) == ("Blanket", harmless.assessment.id, "safety")


def test_equal_content_is_not_asked_about_again_and_other_content_is(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", RELEASE)
    desk.take(answered("a", model="m2"))
    assert desk.browsing.count(Filter(), NOW) == 0
    desk.take(answered("a", title="Heater for the bath"))
    assert desk.browsing.count(Filter(), NOW) == 1


def test_a_few_uncertain_listings_a_day_are_asked_about_to_learn(desk: Desk) -> None:
    desk.intake = Intake(desk.engine, IntakeRules(desk.intake.rules.calendar, learn_daily=2, learn_from=0.5))
    desk.take(*(answered(f"sure {i}", "none", sure=1.0, queue=None) for i in range(3)))
    desk.take(*(answered(f"unsure {i}", "low", sure=0.3, queue=None) for i in range(5)))
    waiting = desk.browsing.page(Filter(), NOW)
    assert [(item.queue, item.sample) for item in waiting] == [("learn", Sample.LEARN)] * 2
    desk.take(answered("one more", "low", sure=0.3, queue=None))
    assert desk.browsing.count(Filter(queue="learn"), NOW) == 2
    desk.now += DAY
    desk.take(*(answered(f"next day {i}", "low", sure=0.3, queue=None) for i in range(5)))
    assert desk.browsing.count(Filter(queue="learn"), NOW) == 4


def test_filters_find_what_they_say(desk: Desk) -> None:
    desk.take(
        answered("a", "serious", countries=("DE",), seller="x", due=Due(amount=1, unit="hours")),
        answered("b", "high", countries=("FR", "BE"), queue="recalls", title="100 % wool_hat"),
    )

    def found(**wanted: str) -> list[str]:
        return sorted(item.listing_id for item in desk.browsing.page(Filter(**wanted), NOW + minutes(61)))

    assert found() == ["a", "b"]
    assert found(level="serious") == found(country="de") == found(seller="x") == found(due="overdue") == ["a"]
    assert found(queue="recalls") == found(country="BE") == found(text="% WOOL_") == found(text="b") == ["b"]
    assert found(text="wool%hat") == found(country="E") == found(category="nothing") == []
    assert found(category="hom", language="en") == ["a", "b"]
    counts = {count.queue: (count.waiting, count.overdue) for count in desk.browsing.queues(NOW + minutes(61))}
    assert counts == {"recalls": (1, 0), "safety": (1, 1)}


def test_a_queue_begins_with_its_first_items_and_their_number(desk: Desk) -> None:
    desk.take(*(answered(f"l{i}", "high" if i % 2 else "serious") for i in range(9)))
    desk.decide("ada", ASK)
    for chosen in (Filter(), Filter(level="high"), Filter(text="heater"), Filter(state="decided"), Filter(queue="no")):
        begins = desk.browsing.beginning(chosen, NOW, "", 3, 100)
        assert begins.items == desk.browsing.page(chosen, NOW, limit=3)
        assert begins.total == desk.browsing.count(chosen, NOW)
    assert desk.browsing.beginning(Filter(), NOW, "", 3, 5).total == 5  # counting ends


def test_the_longest_listing_that_is_taken_can_wait(desk: Desk) -> None:
    # PostgreSQL refuses rows whose entry in an index is too long, and random letters are not made shorter.
    letters = random.Random(1)
    texts = {
        name: "".join(chr(letters.randrange(0x20000, 0x2A000)) for _ in range(LIMITS[name]))
        for name in ("id", "title", "category")
    }
    found = answered("a")
    listing = found.listing.model_copy(update={**texts, "seller_id": texts["id"]})
    desk.take(replace(found, listing=listing))
    (item,) = desk.browsing.page(Filter(text=texts["id"]), NOW)
    assert (item.title, item.category) == (texts["title"][:200], texts["category"][:200])


def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    desk.take(*(answered(f"l{i}", "high" if i % 2 else "serious") for i in range(25)))
    seen, after = [], None
    while page := desk.browsing.page(Filter(), NOW, limit=7, after=after):
        seen += [item.listing_id for item in page]
        after = (page[-1].rank, page[-1].id)
    assert len(seen) == len(set(seen)) == 25


def test_a_claim_is_exclusive_renewable_and_runs_out(desk: Desk) -> None:
    desk.take(answered("a"))
    item = desk.claims.next("ada", NOW)
    assert item is not None
    assert desk.claims.next("ada", NOW) == item  # the same again, not another one
    assert desk.claims.next("ben", NOW) is None
    with pytest.raises(ReviewConflictError, match="is with ada until"):
        desk.claims.claim(item.id, "ben", NOW + minutes(9))
    desk.claims.renew(item.id, "ada", NOW + minutes(9))
    assert desk.claims.next("ben", NOW + minutes(18)) is None
    taken = desk.claims.next("ben", NOW + minutes(19))
    assert taken is not None
    assert taken.claimed_by == "ben"
    with pytest.raises(ReviewConflictError, match="ada does not have item"):
        desk.claims.renew(item.id, "ada", NOW + minutes(20))
    with pytest.raises(ReviewConflictError, match="it is with ben"):
        desk.decisions.decide(item.id, "ada", item.assessment_id, RELEASE, NOW + minutes(20))
    desk.claims.release(item.id, "ada", NOW + minutes(20))  # not hers any more: nothing happens
    desk.claims.release(item.id, "ben", NOW + minutes(20))
    assert desk.claims.next("ada", NOW + minutes(20)) is not None


def test_what_was_passed_over_goes_to_others(desk: Desk) -> None:
    desk.take(answered("a"))
    item = desk.claims.next("ada", NOW)
    assert item is not None
    with pytest.raises(ReviewRefusedError, match="say why"):
        desk.claims.skip(item.id, "ada", " ", NOW)
    desk.claims.skip(item.id, "ada", "cannot read Greek", NOW)
    assert desk.claims.next("ada", NOW) is None
    assert desk.claims.next("ben", NOW) is not None


def test_what_was_put_aside_comes_back(desk: Desk) -> None:
    desk.take(answered("a"))
    item = desk.claims.next("ada", NOW)
    assert item is not None
    with pytest.raises(ReviewRefusedError, match="moment to come"):
        desk.claims.hold(item.id, "ada", NOW, "asked the seller", NOW)
    desk.claims.hold(item.id, "ada", NOW + minutes(60), "asked the seller", NOW)
    assert desk.claims.next("ben", NOW + minutes(59)) is None
    back = desk.claims.next("ben", NOW + minutes(60))
    assert back is not None
    assert back.state is State.OPEN


def test_an_escalated_item_is_for_the_person_alone_and_first_for_them(desk: Desk) -> None:
    desk.take(answered("a"), answered("b", "serious"))
    item = next(i for i in desk.browsing.page(Filter(), NOW) if i.listing_id == "a")
    desk.claims.claim(item.id, "ada", NOW)
    with pytest.raises(ReviewRefusedError, match="name a queue or a person"):
        desk.claims.escalate(item.id, "ada", "unclear", NOW)
    desk.claims.escalate(item.id, "ada", "unclear", NOW, person="eve")
    with pytest.raises(ReviewConflictError, match="was sent to eve"):
        desk.claims.claim(item.id, "ben", NOW)
    first = desk.claims.next("eve", NOW)
    assert first is not None
    assert first.listing_id == "a"
    desk.claims.escalate(item.id, "eve", "a matter of recalls", NOW, queue="recalls")
    given = desk.claims.next("ben", NOW, Filter(queue="recalls").conditions(NOW))
    assert given is not None
    assert given.listing_id == "a"


def test_reviewers_at_once_never_get_one_item_and_lose_none(desk: Desk) -> None:
    desk.take(*(answered(f"l{i}", "high" if i % 3 else "serious") for i in range(200)))

    def work(reviewer: str) -> list[int]:
        claims, decisions, done = Claims(desk.engine), Decisions(desk.engine, RISK_TYPES, REASON_CODES), []
        while (item := claims.next(reviewer, NOW)) is not None:
            decisions.decide(item.id, reviewer, item.assessment_id, ASK, NOW)
            done.append(item.id)
        return done

    with ThreadPoolExecutor(4) as pool:
        lists = list(pool.map(work, ["ada", "ben", "cy", "dee"]))
    counted = Counter(item_id for done in lists for item_id in done)
    assert len(counted) == 200
    assert set(counted.values()) == {1}
    assert desk.browsing.count(Filter(state="decided"), NOW) == 200


def test_nobody_is_given_what_they_decided_in_an_earlier_round(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", BLOCK)
    assert desk.claims.next("ada", NOW) is None
    (item,) = desk.browsing.page(Filter(), NOW)
    with pytest.raises(ReviewConflictError, match="ada has decided item"):
        desk.claims.claim(item.id, "ada", NOW)
    assert desk.claims.next("ben", NOW) is not None

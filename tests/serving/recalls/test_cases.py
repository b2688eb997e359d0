"""From receipt to answer: clocks, matches, takedown orders, completeness; every step noted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from models.deadlines.clocks import Duty, NoticeKind
from models.domain.errors import InputError
from serving.recalls.cases import CaseFilter, CaseLine
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.recalls.events import breaks
from serving.recalls.matches import Judged, Proposal
from serving.recalls.telling import completeness_of
from serving.recalls.words import FoundBy, Informed, MatchState
from serving.store.database import writing
from serving.store.hook_tables import EventRow
from tests.serving.recalls.conftest import BEAR, Desk, listing, numbered

ORDER = NoticeKind.ORDER
CONFIRM, REFUSE = MatchState.CONFIRMED, MatchState.REFUSED


def line(desk: Desk, case_id: int) -> CaseLine:
    return desk.desk.cases.get(case_id)


def judge(desk: Desk, case_id: int, match_ids: list[int], state: MatchState, note: str = "") -> Judged:
    return desk.desk.matches.judge(line(desk, case_id), match_ids, state, "ada", note, desk.now)


def ordered(desk: Desk, *names: str) -> tuple[int, list[str]]:
    """A case of an order with listings that were confirmed; and their takedown orders."""
    case_id = desk.case(kind=ORDER, authority="NVWA", country="NL")
    matches = desk.found(case_id, *[listing(name) for name in names])
    return case_id, judge(desk, case_id, matches, CONFIRM).orders


def told(desk: Desk, kind: str) -> list[dict[str, object]]:
    with desk.engine.connect() as connection:
        query = select(EventRow.body).where(EventRow.kind == kind).order_by(EventRow.number)
        return list(connection.execute(query).scalars())


def test_an_order_starts_its_clocks_by_the_authoritys_calendar(desk: Desk) -> None:
    desk.now = dt.datetime(2025, 4, 17, 9, 0, tzinfo=dt.UTC)  # Maundy Thursday
    german = desk.case(kind=ORDER, authority="BAuA", country="DE")
    home = desk.case(replace(BEAR, reference="SR/00008/30"))  # found by the marketplace, which is in the Netherlands
    ends = {clock.duty: clock.due_at.isoformat() for clock in desk.desk.cases.clocks(german)}
    assert ends == {Duty.REMOVE: "2025-04-23T22:00:00+00:00", Duty.IDENTIFY: "2025-04-24T22:00:00+00:00"}
    (clock,) = desk.desk.cases.clocks(home)
    assert (clock.country, clock.duty) == ("NL", Duty.IDENTIFY)
    assert clock.target_at < clock.due_at
    assert line(desk, german).case.due_at == min(c.due_at for c in desk.desk.cases.clocks(german))


def test_a_calendar_that_is_not_known_takes_nothing_in(small_desk: Desk) -> None:
    with pytest.raises(InputError, match="'US' are not known"):
        small_desk.case(kind=ORDER, authority="CPSC", country="US")
    assert small_desk.desk.cases.count(CaseFilter(state="all"), small_desk.now) == 0


def test_an_order_on_a_known_alert_adds_its_clocks_and_makes_the_case_stricter(desk: Desk) -> None:
    case_id = desk.case()
    desk.later(hours=2)
    assert desk.case(kind=ORDER, authority="NVWA", country="NL") == case_id
    found = line(desk, case_id).case
    assert (found.kind, found.authority) == ("order", "NVWA")
    assert [clock.duty for clock in desk.desk.cases.clocks(case_id)] == [Duty.IDENTIFY, Duty.REMOVE, Duty.IDENTIFY]
    assert [notice.kind for notice in desk.desk.cases.notices(case_id)] == ["monitoring", "order"]
    assert "notified" in desk.acts(case_id)


def test_what_an_authority_sends_on_a_closed_case_opens_it_again(small_desk: Desk) -> None:
    case_id = small_desk.case()
    small_desk.found(case_id)
    small_desk.desk.cases.close(case_id, "ada", "nothing found", small_desk.now)
    small_desk.later(days=3)
    small_desk.case(kind=ORDER, authority="NVWA", country="NL")
    assert line(small_desk, case_id).case.closed_at is None
    assert line(small_desk, case_id).case.due_at is not None


def test_identification_is_complete_once_the_search_is_over_and_every_match_judged(desk: Desk) -> None:
    case_id = desk.case()
    assert line(desk, case_id).case.state == "search"
    desk.later(hours=1)
    first, second = desk.found(case_id, listing("a"), listing("b"))
    assert line(desk, case_id).case.state == "identify"
    desk.later(hours=1)
    judge(desk, case_id, [first], CONFIRM)
    assert line(desk, case_id).case.identified_at is None
    desk.later(hours=1)
    judge(desk, case_id, [second], REFUSE, "another model")
    assert line(desk, case_id).case.identified_at == desk.now
    (clock,) = desk.desk.cases.clocks(case_id)
    assert clock.met_at == desk.now
    assert clock.state(desk.now) == "met"


def test_a_case_without_matches_is_identified_and_removed_at_once(small_desk: Desk) -> None:
    case_id = small_desk.case(kind=ORDER, authority="NVWA", country="NL")
    small_desk.later(hours=1)
    small_desk.found(case_id, looked_at=18_968)
    found = line(small_desk, case_id)
    assert found.case.identified_at == found.case.removed_at == small_desk.now
    assert {clock.state(small_desk.now) for clock in small_desk.desk.cases.clocks(case_id)} == {"met"}
    assert completeness_of(found).complete


def test_what_is_confirmed_is_ordered_down_in_one_event_with_the_message_to_the_seller(desk: Desk) -> None:
    case_id = desk.case(kind=ORDER, authority="NVWA", country="NL")
    matches = desk.found(case_id, listing("a", language="de"), listing("b"))
    judged = judge(desk, case_id, matches, CONFIRM)
    (event,) = told(desk, "case.takedown_ordered")
    orders = {each["listing_id"]: each for each in event["orders"]}  # type: ignore[attr-defined]
    assert {each["order_id"] for each in orders.values()} == set(judged.orders)
    assert orders["a"]["language"] == "de"
    assert "SR/00007/30" in " ".join(orders["a"]["message"])
    assert "gefährlich" in " ".join(orders["a"]["message"])
    assert line(desk, case_id).case.ordered_at == desk.now
    due = desk.desk.orders.get(judged.orders[0]).due_at
    assert due == min(clock.due_at for clock in desk.desk.cases.clocks(case_id) if clock.duty is Duty.REMOVE)


def test_all_removed_meets_the_clock_at_the_moment_of_the_last_removal(desk: Desk) -> None:
    case_id, (first, second) = ordered(desk, "a", "b")
    removed = desk.later(hours=1)
    desk.later(hours=3)
    desk.desk.orders.receipt(first, "shop", desk.now, removed_at=removed)
    assert line(desk, case_id).case.removed_at is None
    desk.desk.orders.receipt(second, "shop", desk.now, removed_at=removed + dt.timedelta(hours=1))
    assert line(desk, case_id).case.removed_at == removed + dt.timedelta(hours=1)
    clock = next(each for each in desk.desk.cases.clocks(case_id) if each.duty is Duty.REMOVE)
    assert clock.met_at == removed + dt.timedelta(hours=1)


def test_a_receipt_that_comes_twice_changes_nothing_and_one_that_contradicts_is_refused(desk: Desk) -> None:
    case_id, (order,) = ordered(desk, "a")
    removed = desk.now
    desk.later(hours=1)
    desk.desk.orders.receipt(order, "shop", desk.now, removed_at=removed)
    acts = desk.acts(case_id)
    again = desk.desk.orders.receipt(order, "shop", desk.later(hours=1), removed_at=desk.now)
    assert again.removed_at == removed
    assert desk.acts(case_id) == acts
    with pytest.raises(RecallConflictError, match="has the receipt that"):
        desk.desk.orders.receipt(order, "shop", desk.now, refused="not ours")
    with pytest.raises(NoRecallError, match="no takedown order"):
        desk.desk.orders.receipt("nope", "shop", desk.now, removed_at=desk.now)


@pytest.mark.parametrize(("hours", "refused"), [(None, ""), (1, "why"), (2, "")])
def test_a_receipt_says_one_thing_and_nothing_of_the_future(small_desk: Desk, hours: int | None, refused: str) -> None:
    _, (order,) = ordered(small_desk, "a")
    at = None if hours is None else small_desk.now + dt.timedelta(hours=hours)
    with pytest.raises(RecallRefusedError, match="removed_at"):
        small_desk.desk.orders.receipt(order, "shop", small_desk.now, removed_at=at, refused=refused)


def test_a_removal_that_was_refused_keeps_the_case_open_until_it_is_done(small_desk: Desk) -> None:
    case_id, (order,) = ordered(small_desk, "a")
    small_desk.later(hours=1)
    small_desk.desk.orders.receipt(order, "shop", small_desk.now, refused="no such offer")
    assert line(small_desk, case_id).counts.removal_refused == 1
    assert line(small_desk, case_id).case.state == "remove"
    small_desk.desk.orders.receipt(order, "shop", small_desk.later(hours=1), removed_at=small_desk.now)
    assert line(small_desk, case_id).case.removed_at == small_desk.now
    assert line(small_desk, case_id).counts.removal_refused == 0


def test_an_order_without_a_receipt_is_sent_again_once_a_day(desk: Desk) -> None:
    case_id, (first, second) = ordered(desk, "a", "b")
    assert desk.desk.orders.remind(desk.later(hours=23)) == 0
    desk.desk.orders.receipt(first, "shop", desk.now, removed_at=desk.now)
    assert desk.desk.orders.remind(desk.later(hours=2)) == 1
    assert desk.desk.orders.remind(desk.now) == 0
    assert desk.desk.orders.remind(desk.later(hours=25)) == 1
    events = told(desk, "case.takedown_reminder")
    assert [[each["order_id"] for each in event["orders"]] for event in events] == [[second], [second]]  # type: ignore[attr-defined]
    assert desk.acts(case_id).count("reminded") == 2


def test_a_confirmation_can_be_taken_back_until_the_listing_is_removed(desk: Desk) -> None:
    case_id, (first, second) = ordered(desk, "a", "b")
    one, two = desk.desk.matches.of_case(case_id)
    desk.desk.matches.take_back(line(desk, case_id), one.id, "ada", "another model", desk.later(minutes=1))
    assert desk.desk.orders.get(first).state == "withdrawn"
    assert told(desk, "case.takedown_withdrawn")[0]["order_id"] == first
    assert [each.state for each in desk.desk.matches.get(case_id, [one.id])] == [MatchState.PROPOSED]
    with pytest.raises(RecallConflictError, match="withdrawn"):
        desk.desk.orders.receipt(first, "shop", desk.now, removed_at=desk.now)
    desk.desk.orders.receipt(second, "shop", desk.now, removed_at=desk.now)
    with pytest.raises(RecallConflictError, match="was removed"):
        desk.desk.matches.take_back(line(desk, case_id), two.id, "ada", "changed my mind", desk.now)


def test_judging_in_bulk_leaves_what_was_judged_and_says_why(small_desk: Desk) -> None:
    case_id = small_desk.case()
    first, second, third = small_desk.found(case_id, listing("a"), listing("b"), listing("c"))
    judge(small_desk, case_id, [first], REFUSE, "another model")
    judged = judge(small_desk, case_id, [first, second, third], CONFIRM)
    assert judged.done == [second, third]
    assert judged.left == {first: "It is refused already, by ada."}
    assert len(judged.orders) == 2


def test_a_judgement_that_is_not_in_order_is_refused(small_desk: Desk) -> None:
    case_id = small_desk.case()
    matches = small_desk.found(case_id, listing("a"))
    with pytest.raises(RecallRefusedError, match="say why it is another product"):
        judge(small_desk, case_id, matches, REFUSE)
    with pytest.raises(RecallRefusedError, match="0 are chosen"):
        judge(small_desk, case_id, [], CONFIRM)
    with pytest.raises(NoRecallError, match="no match 99"):
        judge(small_desk, case_id, [99], CONFIRM)


def test_a_listing_stands_once_in_a_case_and_a_refused_one_does_not_come_back(desk: Desk) -> None:
    case_id = desk.case()
    (match,) = desk.found(case_id, listing("a"))
    judge(desk, case_id, [match], REFUSE, "another model")
    desk.found(case_id, listing("a", title="Softpaw bear, new photos"))
    assert [each.state for each in desk.desk.matches.of_case(case_id)] == [REFUSE]


def test_a_confirmed_listing_that_is_put_up_again_is_asked_about_again(desk: Desk) -> None:
    case_id, (order,) = ordered(desk, "a")
    desk.desk.orders.receipt(order, "shop", desk.later(hours=1), removed_at=desk.now)
    again = [
        Proposal(listing("a", title="Softpaw plush bear, NEW"), 0.97),
        Proposal(listing("z", title="Plush bear PB-7"), 0.95, relisted=True),
    ]
    asked = desk.desk.matches.add(case_id, again, FoundBy.SCORING, "server", desk.later(days=1))
    assert len(asked) == 2
    found = line(desk, case_id)
    assert found.counts.relisted == 2
    assert found.case.removed_at is None
    judged = judge(desk, case_id, asked, CONFIRM)
    assert len(judged.orders) == 2
    assert desk.acts(case_id).count("relisted") == 2


def test_clocks_are_warned_of_once_and_breached_once(desk: Desk) -> None:
    case_id = desk.case(kind=ORDER, authority="NVWA", country="NL")
    ends = {clock.duty: clock.due_at for clock in desk.desk.cases.clocks(case_id)}
    assert desk.desk.clocks.sweep(desk.now).warned == []
    desk.now = ends[Duty.REMOVE] - dt.timedelta(hours=5)
    assert [each.duty for each in desk.desk.clocks.sweep(desk.now).warned] == [Duty.REMOVE]
    assert desk.desk.clocks.sweep(desk.now).warned == []
    desk.now = ends[Duty.REMOVE] + dt.timedelta(minutes=1)
    swept = desk.desk.clocks.sweep(desk.now)
    assert [each.duty for each in swept.breached] == [Duty.REMOVE]
    assert [each.duty for each in swept.warned] == [Duty.IDENTIFY]
    assert desk.desk.clocks.sweep(desk.now) == type(swept)([], [])
    assert desk.desk.clocks.counts(desk.now) == {
        "remove": {"running": 1, "paused": 0, "soon": 0, "breached": 1},
        "identify": {"running": 1, "paused": 0, "soon": 1, "breached": 0},
        "process": {"running": 0, "paused": 0, "soon": 0, "breached": 0},
    }


def test_a_duty_that_is_done_too_late_is_a_breach_although_nobody_had_looked(small_desk: Desk) -> None:
    case_id, (order,) = ordered(small_desk, "a")
    small_desk.later(days=9)
    small_desk.desk.orders.receipt(order, "shop", small_desk.now, removed_at=small_desk.now)
    clock = next(each for each in small_desk.desk.cases.clocks(case_id) if each.duty is Duty.REMOVE)
    assert clock.state(small_desk.now) == "met late"
    assert clock.breached_at == clock.due_at
    assert small_desk.acts(case_id).count("clock_breached") == 1


def test_a_clock_stands_still_goes_on_and_is_extended_with_a_reason(desk: Desk) -> None:
    case_id = desk.case(kind=ORDER, authority="NVWA", country="NL")  # on a Monday
    clock = desk.desk.cases.clocks(case_id)[0]
    clocks = desk.desk.clocks
    with pytest.raises(RecallRefusedError, match="reason"):
        clocks.pause(clock.id, "ada", " ", desk.now)
    clocks.pause(clock.id, "ada", "the authority checks its own number", desk.later(hours=1))
    assert line(desk, case_id).case.due_at == desk.desk.cases.clocks(case_id)[1].due_at
    desk.now = clock.due_at + dt.timedelta(days=1)
    assert clock.id not in [each.id for each in clocks.sweep(desk.now).breached]
    resumed = clocks.resume(clock.id, "ada", desk.now)
    assert resumed.due_at - clock.due_at >= dt.timedelta(days=3)
    with pytest.raises(RecallConflictError, match="does not stand still"):
        clocks.resume(clock.id, "ada", desk.now)
    later = resumed.due_at + dt.timedelta(days=2)
    with pytest.raises(RecallRefusedError, match="no later end"):
        clocks.extend(clock.id, resumed.due_at, "ada", "granted by e-mail", desk.now)
    assert clocks.extend(clock.id, later, "ada", "granted by e-mail", desk.now).due_at == later
    assert [kind for kind in desk.acts(case_id) if kind in ("clock_paused", "clock_resumed", "clock_extended")] == [
        "clock_paused", "clock_resumed", "clock_extended",
    ]  # fmt: skip


def test_an_answer_ends_the_clock_of_a_notice(desk: Desk) -> None:
    case_id = desk.case(kind=NoticeKind.NOTICE, authority="a consumer association")
    desk.found(case_id)
    draft = desk.desk.telling.answer(line(desk, case_id), desk.now)
    assert "It looked at 1,000 offers" in draft
    assert "No offer of this product" in draft
    desk.desk.draft(case_id, draft, "ada", desk.now)
    sent = desk.later(hours=3)
    with pytest.raises(RecallRefusedError, match="in the future"):
        desk.desk.answered(case_id, draft, "ada", sent + dt.timedelta(hours=1), sent)
    desk.desk.answered(case_id, draft + " Regards", "ada", sent, sent)
    found = line(desk, case_id).case
    assert found.answered_at == sent
    assert found.answer.endswith("Regards")
    assert [clock.met_at for clock in desk.desk.cases.clocks(case_id)] == [sent]
    desk.desk.cases.close(case_id, "ada", "answered", sent)
    with pytest.raises(RecallConflictError, match="is closed"):
        desk.desk.draft(case_id, "more", "ada", sent)


@pytest.mark.parametrize(("country", "words"), [("DE", "Sehr geehrte"), ("FR", "Madame"), ("NL", "To whom")])
def test_the_draft_is_in_a_language_of_the_authority_where_there_is_one(
    small_desk: Desk, country: str, words: str
) -> None:
    case_id = small_desk.case(kind=ORDER, authority="x", country=country)
    assert words in small_desk.desk.telling.answer(line(small_desk, case_id), small_desk.now)


def test_the_completeness_statement_is_counted_in_the_store(desk: Desk) -> None:
    case_id = desk.case(kind=ORDER, authority="NVWA", country="NL")
    a, b, c = desk.found(case_id, listing("a"), listing("b"), listing("c"), looked_at=18_968)
    judge(desk, case_id, [a, b], CONFIRM)
    judge(desk, case_id, [c], REFUSE, "another model")
    order = desk.desk.orders.of_case(case_id)[0]
    desk.desk.orders.receipt(order.id, "shop", desk.now, removed_at=desk.now)
    found = completeness_of(line(desk, case_id))
    assert (found.looked_at, found.matched, found.confirmed, found.refused) == (18_968, 3, 2, 1)
    assert (found.removed, found.waiting, found.complete) == (1, 1, False)
    assert "Of the 2 offers that are this product, 1 are removed" in desk.desk.telling.answer(
        line(desk, case_id), desk.now, "en"
    )


def test_a_case_is_closed_only_when_nothing_is_left_to_do(small_desk: Desk) -> None:
    case_id, (order,) = ordered(small_desk, "a")
    close = small_desk.desk.cases.close
    with pytest.raises(RecallConflictError, match="listings are not removed"):
        close(case_id, "ada", "done", small_desk.now)
    small_desk.desk.orders.receipt(order, "shop", small_desk.now, removed_at=small_desk.now)
    with pytest.raises(RecallConflictError, match="nobody was answered"):
        close(case_id, "ada", "done", small_desk.now)
    small_desk.desk.answered(case_id, "removed", "ada", small_desk.now, small_desk.now)
    with pytest.raises(RecallRefusedError, match="reason"):
        close(case_id, "ada", "", small_desk.now)
    close(case_id, "ada", "done", small_desk.now)
    small_desk.desk.cases.reopen(case_id, "ada", "a further question", small_desk.now)
    assert line(small_desk, case_id).case.state == "close"


def test_cases_are_listed_by_the_end_of_their_time_and_found_by_what_is_to_do(desk: Desk) -> None:
    later = desk.case(replace(BEAR, reference="SR/00100/30", title="Lamp", brand="Lumo"))
    sooner, _ = ordered(desk, "a")
    desk.found(later, listing("b"))

    def ids(**chosen: str) -> list[int]:
        return [each.case.id for each in desk.desk.cases.page(CaseFilter(**chosen), desk.now)]

    assert ids() == [sooner, later]
    assert ids(work="match") == [later]
    assert ids(work="receipt") == [sooner]
    assert ids(text="lumo") == [later]
    assert ids(kind="order") == ids(country="nl") == [sooner]
    assert ids(due="overdue") == ids(state="closed") == []
    desk.later(days=30)
    assert ids(due="overdue") == [sooner, later]
    assert desk.desk.cases.count(CaseFilter(), desk.now) == 2


def test_a_search_that_was_wanted_again_meanwhile_is_not_over(small_desk: Desk) -> None:
    case_id = small_desk.case()
    wanted = small_desk.now
    small_desk.later(hours=1)
    small_desk.receive(replace(BEAR, models=("PB-9",)))
    small_desk.desk.search_done(case_id, [], 100, small_desk.later(minutes=1), wanted)
    assert not line(small_desk, case_id).case.searched
    assert line(small_desk, case_id).case.identified_at is None


def test_the_log_of_cases_is_whole_and_refuses_changes(desk: Desk) -> None:
    ordered(desk, "a")
    desk.receive(*numbered(3, 50))
    with desk.engine.connect() as connection:
        assert list(breaks(connection)) == []
    for change in ("UPDATE case_events SET actor = 'eve'", "DELETE FROM case_events"):
        with pytest.raises(DatabaseError, match="append-only"), writing(desk.engine) as connection:
            connection.execute(text(change))


def test_every_step_of_a_case_is_an_act_with_its_instant(desk: Desk) -> None:
    case_id, (order,) = ordered(desk, "a")
    desk.desk.orders.receipt(order, "shop", desk.later(hours=1), removed_at=desk.now)
    desk.desk.informed(case_id, Informed.SELLERS, "ada", desk.now, desk.later(minutes=5), "by mail")
    desk.desk.informed(case_id, Informed.BUYERS, "ada", desk.now, desk.now)
    desk.desk.answered(case_id, "Done.", "ada", desk.now, desk.now)
    acts = desk.acts(case_id)
    assert [acts.count(kind) for kind in ("received", "identified", "ordered", "all_removed", "answered")] == [1] * 5
    assert acts.count("informed") == 2
    assert all(at is not None for _, at in line(desk, case_id).case.steps)
    with pytest.raises(RecallRefusedError, match="before the receipt or in the future"):
        desk.desk.informed(case_id, Informed.SELLERS, "ada", desk.now + dt.timedelta(hours=1), desk.now)


def test_listings_names_and_free_text_are_sealed_in_the_log_of_cases(desk: Desk) -> None:
    case_id, _ = ordered(desk, "li-wombat")
    for event in desk.desk.cases.history(case_id):
        assert "ada" not in (event.actor, *orjson.loads(event.new).values())
        assert "li-wombat" not in event.new
    (confirmed,) = [each for each in desk.desk.cases.history(case_id) if each.kind == "confirmed"]
    assert (confirmed.person, orjson.loads(confirmed.after)["listing"]) == ("ada", "li-wombat")
    with writing(desk.engine) as connection:
        connection.execute(text("UPDATE case_event_personal SET personal = '{}'"))
    with desk.engine.connect() as connection:
        assert {each.what for each in breaks(connection)} == {"its personal part does not fit its seal"}

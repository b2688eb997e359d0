"""The log of acts: whole, chained, and every change to it found."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from serving.review.events import LOG, START, Event, Head, append, breaks, events, head
from serving.review.words import Act
from serving.store.database import writing
from serving.store.review_tables import ReviewEventPersonalRow, ReviewEventRow
from serving.store.sealed_log import SEALED_ACTOR
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered, minutes


@pytest.fixture
def worked(desk: Desk) -> Desk:
    """A desk at which something was done."""
    desk.take(answered("a"), answered("b"))
    number = desk.decide("ada", RELEASE)
    desk.decisions.undo(number, "ada", NOW)
    desk.decide("ada", BLOCK)
    desk.decide("ben", ASK)
    return desk


def unguarded(connection: Connection) -> None:
    """Drop the triggers, as somebody with the password of the database could."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP TRIGGER review_events_kept ON review_events"))
    else:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER review_events_no_{act}"))


def found(desk: Desk, known: Head | None = None) -> list[str]:
    with desk.engine.connect() as connection:
        return [f"{each.number}: {each.what}" for each in breaks(connection, known)]


def test_every_act_is_in_the_log_with_old_and_new(worked: Desk) -> None:
    (first,) = [item for item in worked.browsing.of_listing("a") if item.listing_id == "a"]
    acts = [(event.person, event.kind) for event in worked.browsing.history(first.id)]
    assert acts[:4] == [("ada", "claimed"), ("ada", "decided"), ("ada", "undone"), ("ada", "decided")]
    decided = worked.browsing.history(first.id)[1]
    assert orjson.loads(decided.old) == {"state": "open"}
    assert orjson.loads(decided.new)["action"] == "publish"
    assert "note" not in orjson.loads(decided.new)  # free text can be erased, the log cannot


def test_the_log_is_whole_as_it_was_written(worked: Desk) -> None:
    assert found(worked) == []
    with worked.engine.connect() as connection:
        whole = list(events(connection))
        assert [event.number for event in whole] == list(range(1, len(whole) + 1))
        assert whole[0].previous == START
        assert head(connection) == Head(len(whole), whole[-1].digest)
        assert found(worked, head(connection)) == []


def test_the_database_itself_refuses_to_change_the_log(worked: Desk) -> None:
    for change in (update(ReviewEventRow).values(actor="eve"), delete(ReviewEventRow)):
        with pytest.raises(DatabaseError, match="append-only"), writing(worked.engine) as connection:
            connection.execute(change)
    assert found(worked) == []


@pytest.mark.parametrize("column", ["at", "actor", "kind", "item_id", "old", "new", "seal"])
def test_a_changed_column_is_found(worked: Desk, column: str) -> None:
    value = {"at": NOW + minutes(1), "item_id": 77}.get(column, '{"action":"block"}')
    with writing(worked.engine) as connection:
        unguarded(connection)
        connection.execute(update(ReviewEventRow).where(ReviewEventRow.number == 2).values({column: value}))
    assert found(worked)[0] == "2: its content does not fit its digest"


def test_a_removed_entry_is_found_also_when_its_neighbour_is_chained_anew(worked: Desk) -> None:
    with writing(worked.engine) as connection:
        unguarded(connection)
        connection.execute(delete(ReviewEventRow).where(ReviewEventRow.number == 3))
    assert found(worked) == ["4: entries 3 to 3 are missing"]


def test_a_forged_entry_breaks_the_chain_after_it(worked: Desk) -> None:
    with writing(worked.engine) as connection:
        unguarded(connection)
        second = next(event for event in events(connection) if event.number == 2)
        forged = {**vars(second), "actor": "eve"}
        digest = type(second)(**forged).own_digest()
        where = ReviewEventRow.number == 2
        connection.execute(update(ReviewEventRow).where(where).values(actor="eve", digest=digest))
    assert found(worked) == ["3: it is not chained to the entry before"]


def test_a_cut_off_end_is_found_by_a_head_that_was_noted(worked: Desk) -> None:
    with worked.engine.connect() as connection:
        known = head(connection)
    with writing(worked.engine) as connection:
        unguarded(connection)
        connection.execute(delete(ReviewEventRow).where(ReviewEventRow.number == known.number))
    assert found(worked) == []
    assert found(worked, known) == [
        f"{known.number}: the log ends at entry {known.number - 1}, before the one that was noted"
    ]


def test_an_act_that_fails_leaves_nothing_in_the_log(worked: Desk) -> None:
    with worked.engine.connect() as connection:
        before = connection.execute(select(ReviewEventRow.number)).all()
    with pytest.raises(Exception, match="no item 99"):
        worked.claims.claim(99, "ada", NOW)
    with worked.engine.connect() as connection:
        assert connection.execute(select(ReviewEventRow.number)).all() == before


def entry(desk: Desk, number: int) -> Event:
    with desk.engine.connect() as connection:
        return next(event for event in events(connection) if event.number == number)


def test_names_and_free_text_are_sealed_and_not_chained(desk: Desk) -> None:
    desk.take(answered("a"))
    # Names that no hash can spell.
    item = desk.claims.next("hugo", NOW)
    assert item is not None
    desk.claims.escalate(item.id, "hugo", "the seller is a cousin of mine", NOW, person="grace")
    kept = entry(desk, 2)
    assert (kept.actor, kept.person) == (SEALED_ACTOR, "hugo")
    for chained in (kept.actor, kept.old, kept.new):
        assert not any(word in chained for word in ("hugo", "grace", "cousin"))
    told = {"queue": "safety", "reason": "the seller is a cousin of mine", "assigned_to": "grace"}
    assert orjson.loads(kept.after) == told


def test_the_id_of_an_account_is_chained_as_it_is(desk: Desk) -> None:
    with writing(desk.engine) as connection:
        append(connection, NOW, "u_0a1b2c3d", Act.CLAIMED, 1, {"until": "x"})
    assert (entry(desk, 1).actor, entry(desk, 1).person, entry(desk, 1).salt) == ("u_0a1b2c3d", "u_0a1b2c3d", None)
    assert found(desk) == []


def test_what_is_erased_is_gone_and_the_log_is_whole(worked: Desk) -> None:
    with worked.engine.connect() as connection:
        known = head(connection)
    with writing(worked.engine) as connection:
        assert LOG.erase(connection, [1, 2, 3, 99], NOW, "server", "account") == 3
    assert found(worked, known) == []
    erased = entry(worked, 2)
    assert (erased.person, erased.salt, erased.personal) == (SEALED_ACTOR, None, None)
    assert orjson.loads(erased.new)["action"] == "publish"  # what was done stays, and is still checked
    last = entry(worked, known.number + 1)
    assert (last.kind, orjson.loads(last.new)) == ("erased", {"entries": [[1, 3]], "why": "account"})
    with writing(worked.engine) as connection:
        assert LOG.erase(connection, [1, 2, 3], NOW, "server", "account") == 0


def test_what_was_taken_away_without_an_erasure_is_found(worked: Desk) -> None:
    with writing(worked.engine) as connection:
        connection.execute(delete(ReviewEventPersonalRow).where(ReviewEventPersonalRow.number == 2))
    assert found(worked) == ["2: its personal part is gone, and no erasure names it"]


def test_an_erasure_names_what_was_before_it_only(worked: Desk) -> None:
    with writing(worked.engine) as connection:
        append(connection, NOW, "server", Act.ERASED, None, {"entries": [[1, 99]], "why": "account"})
        later = append(connection, NOW, "ada", Act.CLAIMED, 1, {})
        connection.execute(delete(ReviewEventPersonalRow).where(ReviewEventPersonalRow.number == later.number))
    assert found(worked) == [f"{later.number}: its personal part is gone, and no erasure names it"]


def test_another_name_in_place_of_the_sealed_one_is_found(worked: Desk) -> None:
    with writing(worked.engine) as connection:
        where = ReviewEventPersonalRow.number == 2
        connection.execute(update(ReviewEventPersonalRow).where(where).values(personal='{"actor":"eve"}'))
    assert found(worked) == ["2: its personal part does not fit its seal"]


def test_entries_from_before_there_were_seals_are_still_checked(desk: Desk) -> None:
    old = Event(1, NOW, "ada", "claimed", 1, "{}", '{"until":"x"}', START, "")
    kept = {name: value for name, value in vars(old).items() if name not in ("salt", "personal")}
    with writing(desk.engine) as connection:
        connection.execute(insert(ReviewEventRow).values(**{**kept, "digest": old.own_digest()}))
        append(connection, NOW, "ben", Act.CLAIMED, 2, {})
    assert found(desk) == []
    assert entry(desk, 1).person == "ada"

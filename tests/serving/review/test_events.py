"""The log of acts: whole, chained, and every change to it found."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.exc import DatabaseError

from serving.review.events import START, Head, breaks, events, head
from serving.store.database import writing
from serving.store.review_tables import ReviewEventRow
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
    acts = [(event.actor, event.kind) for event in worked.browsing.history(first.id)]
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


@pytest.mark.parametrize("column", ["at", "actor", "kind", "item_id", "old", "new"])
def test_a_changed_column_is_found(worked: Desk, column: str) -> None:
    value = {"at": NOW + minutes(1), "item_id": 77}.get(column, '{"action":"block"}')
    with writing(worked.engine) as connection:
        unguarded(connection)
        connection.execute(update(ReviewEventRow).where(ReviewEventRow.number == 2).values({column: value}))
    assert found(worked) == ["2: its content does not fit its digest"]


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

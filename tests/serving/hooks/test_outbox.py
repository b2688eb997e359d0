"""The outbox: an event is kept with what it tells of, once, and can be taken back before it leaves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from serving.hooks.kinds import KINDS
from serving.hooks.outbox import Outbox, event_id_of
from serving.store.database import writing
from serving.store.hook_tables import EventRow

SOON = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)


def kept(database: Engine) -> list[dict[str, Any]]:
    with database.connect() as connection:
        rows = connection.execute(select(EventRow.__table__).order_by(EventRow.__table__.c.number))
        return [dict(row._mapping) for row in rows]


class TestPutting:
    def test_an_event_is_kept_with_the_transaction(self, database: Engine) -> None:
        with writing(database) as connection:
            event_id = Outbox.put(connection, "alert.received", "alert:7", {"alert": 7}, subject="alert:7")
        (event,) = kept(database)
        assert event["id"] == event_id == event_id_of("alert.received", "alert:7")
        assert (event["kind"], event["body"], event["subject"]) == ("alert.received", {"alert": 7}, "alert:7")
        assert event["not_before"] <= dt.datetime.now(dt.UTC)

    def test_a_transaction_that_fails_leaves_none(self, database: Engine) -> None:
        def fail() -> None:
            with writing(database) as connection:
                Outbox.put(connection, "alert.received", "alert:7", {"alert": 7})
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert kept(database) == []

    def test_a_key_is_written_once_and_keeps_its_first_body(self, database: Engine) -> None:
        ids = set()
        for number in (1, 2):
            with writing(database) as connection:
                ids.add(Outbox.put(connection, "alert.received", "alert:7", {"try": number}))
        assert len(ids) == 1
        assert [event["body"] for event in kept(database)] == [{"try": 1}]

    def test_one_key_of_two_kinds_is_two_events(self, database: Engine) -> None:
        with writing(database) as connection:
            one = Outbox.put(connection, "alert.received", "7", {})
            other = Outbox.put(connection, "case.takedown_ordered", "7", {})
        assert one != other
        assert len(kept(database)) == 2

    def test_a_kind_that_nobody_described_is_refused(self, database: Engine) -> None:
        with writing(database) as connection, pytest.raises(ValueError, match="invented"):
            Outbox.put(connection, "alert.invented", "7", {})

    def test_a_body_that_is_not_as_described_is_refused(self, database: Engine) -> None:
        with writing(database) as connection, pytest.raises(ValueError, match="asked_by"):
            Outbox.put(connection, "hook.ping", "7", {"whatever": 1})


class TestWithdrawing:
    def test_what_has_not_left_is_taken_back(self, database: Engine) -> None:
        with writing(database) as connection:
            Outbox.put(connection, "alert.received", "7", {}, not_before=SOON)
            assert Outbox.withdraw(connection, "alert.received", "7")
        (event,) = kept(database)
        assert event["withdrawn_at"] is not None

    def test_what_has_left_is_not(self, database: Engine) -> None:
        with writing(database) as connection:
            Outbox.put(connection, "alert.received", "7", {})
            connection.execute(text("UPDATE hook_events SET dispatched_at = not_before"))
            assert not Outbox.withdraw(connection, "alert.received", "7")
        (event,) = kept(database)
        assert event["withdrawn_at"] is None

    def test_of_what_was_never_put_nothing_has_left(self, database: Engine) -> None:
        with writing(database) as connection:
            assert Outbox.withdraw(connection, "alert.received", "7")


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.body], ids=lambda kind: kind.name)
def test_the_example_of_a_kind_is_one(kind: Any) -> None:
    example = kind.body.model_json_schema()["example"]
    assert kind.body.model_validate(example).model_dump(mode="json") == example

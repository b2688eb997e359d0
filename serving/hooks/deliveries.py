"""From the outbox to the endpoints: one delivery for each, held by a lease while it is tried."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, insert, literal_column, or_, select, update

from serving.hooks.endpoints import Endpoint, known_endpoints
from serving.hooks.schedule import Schedule
from serving.store.database import insert_into, one_at_a_time, writing
from serving.store.hook_tables import DeliveryRow, EndpointRow, EventRow, TryRow

EVENTS, ENDPOINTS, DELIVERIES = EventRow.__table__, EndpointRow.__table__, DeliveryRow.__table__
WAITING = DELIVERIES.c.state == literal_column("'waiting'")
"""In the words of the indexes of what waits, which a parameter would keep from being used."""
_UNSENT = and_(EVENTS.c.dispatched_at.is_(None), EVENTS.c.withdrawn_at.is_(None))
_DISPATCHING = 0x4F555442  # "OUTB"
_AT_ONCE = 500


@dataclass(frozen=True)
class Claimed:
    """A delivery that the caller holds until its lease ends.

    Parameters
    ----------
    tries : int
        With this one.
    tries_left : int
        After this one.
    """

    id: int
    endpoint: Endpoint
    tries: int
    tries_left: int
    event_id: str
    kind: str
    subject: str
    created_at: dt.datetime
    body: Mapping[str, Any]

    def content(self) -> bytes:
        """Return what is sent; the same bytes at every try."""
        event = {
            "id": self.event_id,
            "kind": self.kind,
            "subject": self.subject,
            "created_at": self.created_at,
            "body": self.body,
        }
        return orjson.dumps(event, option=orjson.OPT_UTC_Z)


@dataclass(frozen=True)
class Tried:
    """What came of a try.

    Parameters
    ----------
    status : int or None
        Of the answer, if there was one.
    failure : str
        Empty where it has arrived.
    answer : str
        The beginning of the answer.
    wish : timedelta or None
        How long the receiver asks to be left alone.
    """

    at: dt.datetime
    seconds: float
    status: int | None = None
    failure: str = ""
    answer: str = ""
    wish: dt.timedelta | None = None


@dataclass(frozen=True)
class DeliveryStore:
    """Deliveries in the database. Its methods block: call them from a thread.

    Several processes may work on them. Whatever one writes is bound to the number of the try that it holds, so that one
    that was taken for dead and lives cannot disturb its successor.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    lease : timedelta
        How long a process that died keeps a delivery. Longer than any try takes.
    schedule : Schedule
    """

    engine: Engine
    lease: dt.timedelta
    schedule: Schedule = field(default_factory=Schedule)

    def dispatch(self) -> int:
        """Make deliveries of the events that may leave; return how many events there were.

        An event waits for those of its subject that were written before it.
        """
        now = dt.datetime.now(dt.UTC)
        due = _due_events(now).limit(_AT_ONCE)
        with self.engine.connect() as connection:  # not to take SQLite's one place to write for nothing
            if connection.execute(due.limit(1)).first() is None:
                return 0
        with one_at_a_time(self.engine, _DISPATCHING) as connection:
            rows = connection.execute(due).all()
            endpoints = known_endpoints(connection)
            made = [
                {
                    "event_number": row.number,
                    "endpoint_id": endpoint.id,
                    "subject": row.subject,
                    "state": "waiting",
                    "tries": 0,
                    "tries_left": self.schedule.tries,
                    "next_at": now,
                    "created_at": now,
                }
                for row in rows
                for endpoint in endpoints
                if (endpoint.hears(row.kind) if row.endpoint_id is None else endpoint.id == row.endpoint_id)
            ]
            if made:
                connection.execute(insert_into(self.engine, DeliveryRow).on_conflict_do_nothing(), made)
            sent = update(EventRow).where(EVENTS.c.number.in_([row.number for row in rows]))
            connection.execute(sent.values(dispatched_at=now))
        return len(rows)

    def claim(self, places: Mapping[str, int], otherwise: int, most: int) -> list[Claimed]:
        """Take deliveries that are due, each until its lease ends.

        Parameters
        ----------
        places : mapping
            Most deliveries by endpoint id.
        otherwise : int
            Most for each other endpoint.
        most : int
            Most of all; which endpoints come first changes from time to time, so that none waits for ever.
        """
        now = dt.datetime.now(dt.UTC)
        found: list[Claimed] = []
        with self.engine.connect() as connection:
            endpoints = known_endpoints(connection)
            random.shuffle(endpoints)
            for endpoint in endpoints:
                places_left = min(places.get(endpoint.id, otherwise), most - len(found))
                asked = self._asked(connection, endpoint, now, places_left)
                if asked > 0:
                    query = _due_deliveries(endpoint, now).limit(asked)
                    found += [_claimed(endpoint, row) for row in connection.execute(query)]
        if not found:
            return []
        with writing(self.engine) as connection:
            return [each for each in found if self._take(connection, each, now)]

    def note(self, claimed: Claimed, tried: Tried) -> str:
        """Keep what came of a try, and when the next one is.

        Returns
        -------
        str
            `delivered`, `failed` (there will be another try), `dead`, or `lost`: it was somebody else's by then.
        """
        now = dt.datetime.now(dt.UTC)
        outcome = "delivered" if not tried.failure else "failed" if claimed.tries_left else "dead"
        values: dict[str, Any] = {"leased_until": None}
        if outcome == "failed":
            values["next_at"] = now + max(self.schedule.wait(claimed.tries), tried.wish or dt.timedelta())
        else:
            values |= {"state": outcome, "ended_at": now}
        with writing(self.engine) as connection:
            if not _change(connection, claimed, **values):
                outcome = "lost"
            row = {"delivery_id": claimed.id, "number": claimed.tries, "at": tried.at, "seconds": tried.seconds,
                   "status": tried.status, "failure": tried.failure, "answer": tried.answer}  # fmt: skip
            connection.execute(insert(TryRow).values(**row))
            self._judge(connection, claimed.endpoint.id, tried, now)
        return outcome

    def release(self, claimed: Claimed) -> None:
        """Put a delivery back whose try was broken off; it costs no try."""
        with writing(self.engine) as connection:
            _change(connection, claimed, leased_until=None, tries_left=claimed.tries_left + 1)

    def _asked(self, connection: Connection, endpoint: Endpoint, now: dt.datetime, places: int) -> int:
        """Return how many deliveries an endpoint can be given: none while it rests, then one to ask."""
        if not endpoint.enabled or (endpoint.rests_until is not None and endpoint.rests_until > now):
            return 0
        if endpoint.failures < self.schedule.failures:
            return places
        held = select(DELIVERIES.c.id).where(
            DELIVERIES.c.endpoint_id == endpoint.id, WAITING, DELIVERIES.c.leased_until > now
        )
        return min(places, 1 if connection.execute(held.limit(1)).first() is None else 0)

    def _take(self, connection: Connection, claimed: Claimed, now: dt.datetime) -> bool:
        free = or_(DELIVERIES.c.leased_until.is_(None), DELIVERIES.c.leased_until <= now)
        taken = update(DeliveryRow).where(
            DELIVERIES.c.id == claimed.id, WAITING, DELIVERIES.c.tries == claimed.tries - 1, free
        )
        values = {"tries": claimed.tries, "tries_left": claimed.tries_left, "leased_until": now + self.lease}
        return connection.execute(taken.values(**values)).rowcount > 0

    def _judge(self, connection: Connection, endpoint_id: str, tried: Tried, now: dt.datetime) -> None:
        """Let an endpoint rest that fails, or that asks for it; one that answers well goes on."""
        counted = select(ENDPOINTS.c.failures).where(ENDPOINTS.c.id == endpoint_id).with_for_update()
        failures = connection.execute(counted).scalar_one() + 1 if tried.failure else 0
        rests = [wait for wait in (self.schedule.rest(failures), tried.wish) if wait is not None]
        values = {"failures": failures, "rests_until": now + max(rests) if rests else None}
        connection.execute(update(EndpointRow).where(ENDPOINTS.c.id == endpoint_id).values(**values))


def _due_events(now: dt.datetime) -> Select[Any]:
    earlier = EVENTS.alias("earlier")
    held_up = select(earlier.c.number).where(
        earlier.c.subject == EVENTS.c.subject,
        earlier.c.number < EVENTS.c.number,
        earlier.c.dispatched_at.is_(None),
        earlier.c.withdrawn_at.is_(None),
        earlier.c.not_before > now,
    )
    in_order = or_(EVENTS.c.subject == "", ~held_up.exists())
    columns = (EVENTS.c.number, EVENTS.c.kind, EVENTS.c.subject, EVENTS.c.endpoint_id)
    return select(*columns).where(_UNSENT, EVENTS.c.not_before <= now, in_order).order_by(EVENTS.c.number)


def _due_deliveries(endpoint: Endpoint, now: dt.datetime) -> Select[Any]:
    """The deliveries of an endpoint that are due, the first one of each subject only."""
    earlier = DELIVERIES.alias("earlier")
    held_up = select(earlier.c.id).where(
        earlier.c.endpoint_id == DELIVERIES.c.endpoint_id,
        earlier.c.subject == DELIVERIES.c.subject,
        earlier.c.event_number < DELIVERIES.c.event_number,
        earlier.c.state == literal_column("'waiting'"),
    )
    due: list[ColumnElement[bool]] = [
        DELIVERIES.c.endpoint_id == endpoint.id,
        WAITING,
        DELIVERIES.c.next_at <= now,
        or_(DELIVERIES.c.leased_until.is_(None), DELIVERIES.c.leased_until <= now),
        or_(DELIVERIES.c.subject == "", ~held_up.exists()),
    ]
    columns = (DELIVERIES.c.id, DELIVERIES.c.tries, DELIVERIES.c.tries_left)
    event = (EVENTS.c.id.label("event_id"), EVENTS.c.kind, EVENTS.c.subject, EVENTS.c.created_at, EVENTS.c.body)
    query = select(*columns, *event).join(EVENTS, EVENTS.c.number == DELIVERIES.c.event_number).where(*due)
    return query.order_by(DELIVERIES.c.next_at, DELIVERIES.c.event_number)


def _claimed(endpoint: Endpoint, row: Any) -> Claimed:
    return Claimed(
        row.id, endpoint, row.tries + 1, max(0, row.tries_left - 1), row.event_id, row.kind, row.subject,
        row.created_at, row.body,
    )  # fmt: skip


def _change(connection: Connection, claimed: Claimed, **values: Any) -> bool:
    held = update(DeliveryRow).where(DELIVERIES.c.id == claimed.id, WAITING, DELIVERIES.c.tries == claimed.tries)
    return connection.execute(held.values(**values)).rowcount > 0

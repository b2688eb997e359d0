"""What became of each event: the deliveries and their tries, to be read, sent again, and forgotten in time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, and_, delete, func, or_, select, update

from serving.hooks.deliveries import DELIVERIES, ENDPOINTS, EVENTS, WAITING
from serving.hooks.schedule import Schedule
from serving.store.database import writing
from serving.store.hook_tables import DeliveryRow, EventRow, TryRow

_TRIES = TryRow.__table__
_SWEPT_AT_ONCE = 1_000


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up after its last try."""
    DROPPED = "dropped"
    """Its endpoint was removed."""


@dataclass(frozen=True)
class Delivery:
    """One event for one endpoint."""

    id: int
    event_id: str
    kind: str
    subject: str
    endpoint_id: str
    url: str
    state: State
    tries: int
    next_at: dt.datetime
    created_at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True)
class Try:
    """One try; `failure` is empty where it arrived."""

    number: int
    at: dt.datetime
    seconds: float
    status: int | None
    failure: str
    answer: str


@dataclass(frozen=True)
class WholeDelivery:
    """A delivery with what was sent and every try, oldest first."""

    delivery: Delivery
    body: dict[str, Any]
    tries: list[Try]


@dataclass(frozen=True)
class Figures:
    """How it goes.

    Parameters
    ----------
    backlog : int
        Deliveries that wait, of endpoints that are enabled.
    oldest_seconds : float
        Age of the oldest of them; 0 where there is none.
    dead : int
        Dead letters.
    """

    backlog: int = 0
    oldest_seconds: float = 0.0
    dead: int = 0


class NoDeliveryError(Exception):
    """There is no delivery of that number."""


@dataclass(frozen=True)
class DeliveryLog:
    """Reads the log of deliveries. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    schedule : Schedule
        Gives the tries of what is sent again.
    """

    engine: Engine
    schedule: Schedule = field(default_factory=Schedule)

    def page(
        self, limit: int, before: int | None = None, endpoint_id: str = "", state: str = "", kind: str = ""
    ) -> list[Delivery]:
        """Return deliveries, newest first, below a number."""
        query = _QUERY.order_by(DELIVERIES.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(DELIVERIES.c.id < before)
        if endpoint_id:
            query = query.where(DELIVERIES.c.endpoint_id == endpoint_id)
        if state:
            query = query.where(DELIVERIES.c.state == state)
        if kind:
            query = query.where(EVENTS.c.kind == kind)
        with self.engine.connect() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def get(self, delivery_id: int) -> WholeDelivery:
        """Return a delivery with its tries.

        Raises
        ------
        NoDeliveryError
        """
        tries = select(*_TRIES.c[Try.__match_args__]).where(_TRIES.c.delivery_id == delivery_id).order_by(_TRIES.c.id)
        with self.engine.connect() as connection:
            row = connection.execute(_QUERY.where(DELIVERIES.c.id == delivery_id)).one_or_none()
            if row is None:
                raise NoDeliveryError(f"No delivery has the number {delivery_id}.")
            return WholeDelivery(_delivery(row), row.body, [Try(*each) for each in connection.execute(tries)])

    def resend(self, delivery_id: int) -> Delivery:
        """Send a delivery again, whatever became of it, with all its tries; the id of the event stays.

        Raises
        ------
        NoDeliveryError
            Also where its endpoint was removed.
        """
        with writing(self.engine) as connection:
            again = update(DeliveryRow).where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.state != State.DROPPED.value)
            if not connection.execute(again.values(**self._anew())).rowcount:
                raise NoDeliveryError(f"No delivery to an endpoint that is there has the number {delivery_id}.")
            return _delivery(connection.execute(_QUERY.where(DELIVERIES.c.id == delivery_id)).one())

    def resend_dead(self, endpoint_id: str) -> int:
        """Send the dead letters of an endpoint again; return how many there are."""
        dead = and_(DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == State.DEAD.value)
        with writing(self.engine) as connection:
            return connection.execute(update(DeliveryRow).where(dead).values(**self._anew())).rowcount

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many deliveries there are by endpoint id and state, those that have arrived left out."""
        query = select(DELIVERIES.c.endpoint_id, DELIVERIES.c.state, func.count()).where(
            or_(WAITING, DELIVERIES.c.state == State.DEAD.value)
        )
        found: dict[str, dict[str, int]] = {}
        with self.engine.connect() as connection:
            for endpoint_id, state, count in connection.execute(
                query.group_by(DELIVERIES.c.endpoint_id, DELIVERIES.c.state)
            ):
                found.setdefault(endpoint_id, {})[state] = count
        return found

    def figures(self) -> Figures:
        """Return how it goes."""
        waiting = select(func.count(), func.min(DELIVERIES.c.created_at)).join(
            ENDPOINTS, and_(ENDPOINTS.c.id == DELIVERIES.c.endpoint_id, ENDPOINTS.c.enabled)
        )
        dead = select(func.count()).where(DELIVERIES.c.state == State.DEAD.value)
        with self.engine.connect() as connection:
            backlog, oldest = connection.execute(waiting.where(WAITING)).one()
            age = 0.0 if oldest is None else (dt.datetime.now(dt.UTC) - oldest).total_seconds()
            return Figures(backlog, max(0.0, age), connection.execute(dead).scalar_one())

    def sweep(self, before: dt.datetime) -> int:
        """Forget events that were written before a moment, with their deliveries, if all of these ended before it too.

        Returns
        -------
        int
            How many events were forgotten: some 1,000 at most.
        """
        still = select(DELIVERIES.c.id).where(
            DELIVERIES.c.event_number == EVENTS.c.number,
            or_(DELIVERIES.c.state == State.WAITING.value, DELIVERIES.c.ended_at >= before),
        )
        gone = and_(
            EVENTS.c.created_at < before,
            or_(EVENTS.c.dispatched_at.is_not(None), EVENTS.c.withdrawn_at.is_not(None)),
            ~still.exists(),
        )
        old = select(EVENTS.c.number).where(gone).limit(_SWEPT_AT_ONCE)
        with self.engine.connect() as connection:
            if connection.execute(old.limit(1)).first() is None:
                return 0
        with writing(self.engine) as connection:
            return connection.execute(delete(EventRow).where(EVENTS.c.number.in_(old))).rowcount

    def _anew(self) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC)
        # `tries` counts on: what a holder of the earlier tries may still write does not count.
        return {"state": State.WAITING.value, "tries": DELIVERIES.c.tries + 1, "tries_left": self.schedule.tries,
                "next_at": now, "leased_until": None, "ended_at": None}  # fmt: skip


_QUERY = (
    select(
        DELIVERIES.c.id,
        EVENTS.c.id.label("event_id"),
        EVENTS.c.kind,
        DELIVERIES.c.subject,
        DELIVERIES.c.endpoint_id,
        ENDPOINTS.c.url,
        DELIVERIES.c.state,
        DELIVERIES.c.tries,
        DELIVERIES.c.next_at,
        DELIVERIES.c.created_at,
        DELIVERIES.c.ended_at,
        EVENTS.c.body,
    )
    .join(EVENTS, EVENTS.c.number == DELIVERIES.c.event_number)
    .join(ENDPOINTS, ENDPOINTS.c.id == DELIVERIES.c.endpoint_id)
)


def _delivery(row: Any) -> Delivery:
    *values, _ = row
    kept = Delivery(*values)
    return Delivery(**{**vars(kept), "state": State(kept.state)})

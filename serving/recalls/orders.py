"""Takedown orders to the marketplace, by webhook; its receipts; reminders where none comes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Row, and_, func, insert, or_, select, update

from models.deadlines.clocks import Duty, ends_of
from models.domain.alert import Alert
from models.domain.parts import in_parts
from serving.hooks.kinds import TAKEDOWN_ORDERED, TAKEDOWN_REMINDER, TAKEDOWN_WITHDRAWN
from serving.hooks.outbox import Outbox
from serving.recalls import alerts as kept
from serving.recalls.cases import CaseLine, get_case, settle
from serving.recalls.clocks import clocks_of
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.recalls.events import ACTS, SERVER, append
from serving.recalls.rules import RecallRules
from serving.recalls.telling import Telling
from serving.recalls.words import CaseAct
from serving.store.database import one_at_a_time
from serving.store.recall_tables import UNANSWERED, CaseMatchRow, TakedownOrderRow

if TYPE_CHECKING:
    from serving.recalls.matches import CaseMatch

ORDERS = TakedownOrderRow.__table__
_MATCHES = CaseMatchRow.__table__
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
_AT_ONCE = 500
"""Orders of one event: a receiver reads a body of some hundred kilobytes at most."""


@dataclass(frozen=True)
class Ordering:
    """How listings are ordered down.

    Parameters
    ----------
    rules : RecallRules
    telling : Telling
        Writes the message to the seller.
    """

    rules: RecallRules
    telling: Telling


@dataclass(frozen=True)
class TakedownOrder:
    """One listing that is to be removed; the columns of its row."""

    id: str
    case_id: int
    match_id: int
    listing_id: str
    ordered_by: str
    ordered_at: dt.datetime
    due_at: dt.datetime
    reminders: int
    reminded_at: dt.datetime | None
    receipt_at: dt.datetime | None
    receipt_by: str | None
    removed_at: dt.datetime | None
    refused: str
    withdrawn_at: dt.datetime | None

    @property
    def state(self) -> str:
        """Return ``withdrawn``, ``removed``, ``refused`` or ``waiting``."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.removed_at is not None:
            return "removed"
        return "refused" if self.refused else "waiting"


def as_order(row: Row[Any]) -> TakedownOrder:
    """Return the order of a row."""
    return TakedownOrder(**{each.name: row._mapping[each.name] for each in fields(TakedownOrder)})


def order(
    connection: Connection,
    ordering: Ordering,
    line: CaseLine,
    confirmed: Sequence[CaseMatch],
    person: str,
    now: dt.datetime,
) -> list[str]:
    """Order listings down: the orders and the event that tells of them are kept together with what asks for them."""
    rules = ordering.rules
    due = ends_of(rules.clocks.takedown, now, rules.home).due
    running = [
        clock.due_at for clock in clocks_of(connection, line.case.id) if clock.duty is Duty.REMOVE and clock.runs
    ]
    due = min([due, *(end for end in running if end > now)])
    made = []
    for match in confirmed:
        key = uuid.uuid4().hex
        values = {
            "id": key, "case_id": line.case.id, "match_id": match.id, "listing_id": match.listing_id,
            "ordered_by": person, "ordered_at": now, "due_at": due, "reminders": 0, "refused": "",
        }  # fmt: skip
        connection.execute(insert(TakedownOrderRow).values(**values))
        facts = {"order": key, "match": match.id, "listing": match.listing_id, "due": due.isoformat()}
        append(connection, now, person, CaseAct.ORDERED, line.case.id, facts)
        made.append(key)
    _tell(connection, ordering.telling, line.case.id, line.alert, made, TAKEDOWN_ORDERED, made[0])
    return made


def withdraw_orders(
    connection: Connection, case_id: int, match_id: int, person: str, reason: str, now: dt.datetime
) -> None:
    """Withdraw what was ordered for a match.

    Raises
    ------
    RecallConflictError
        If the listing was removed already: to put it up again is another matter than to leave it.
    """
    query = select(ORDERS).where(ORDERS.c.match_id == match_id, ORDERS.c.withdrawn_at.is_(None))
    for found in map(as_order, connection.execute(query).all()):
        if found.removed_at is not None:
            raise RecallConflictError(f"Listing {found.listing_id} was removed; its seller has to complain.")
        connection.execute(update(TakedownOrderRow).where(ORDERS.c.id == found.id).values(withdrawn_at=now))
        facts = {"order": found.id, "listing": found.listing_id, "reason": reason}
        append(connection, now, person, CaseAct.ORDER_WITHDRAWN, case_id, facts)
        body = {"case_id": case_id, "order_id": found.id, "listing_id": found.listing_id, "reason": reason}
        Outbox.put(connection, TAKEDOWN_WITHDRAWN, f"order:{found.id}", body, subject=f"case:{case_id}")


@dataclass(frozen=True)
class Orders:
    """Reads orders, takes receipts, reminds. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    ordering : Ordering
    """

    engine: Engine
    ordering: Ordering

    def get(self, order_id: str) -> TakedownOrder:
        """Return an order.

        Raises
        ------
        NoRecallError
            If there is none of that id.
        """
        with self.engine.connect() as connection:
            return _get(connection, order_id)

    def of_case(self, case_id: int) -> list[TakedownOrder]:
        """Return the orders of a case, newest first."""
        query = select(ORDERS).where(ORDERS.c.case_id == case_id)
        with self.engine.connect() as connection:
            found = connection.execute(query.order_by(ORDERS.c.ordered_at.desc(), ORDERS.c.id))
            return [as_order(row) for row in found]

    def page(
        self, state: str = "waiting", limit: int = 100, after: tuple[dt.datetime, str] | None = None
    ) -> list[TakedownOrder]:
        """Return orders, oldest first.

        Parameters
        ----------
        state : str
            ``waiting`` or ``all``.
        after : (ordered_at, id), optional
            Of the last one of the page before.
        """
        query = select(ORDERS).order_by(ORDERS.c.ordered_at, ORDERS.c.id).limit(limit)
        if state == "waiting":
            query = query.where(UNANSWERED)
        if after is not None:
            moment, key = after
            query = query.where(
                or_(ORDERS.c.ordered_at > moment, and_(ORDERS.c.ordered_at == moment, ORDERS.c.id > key))
            )
        with self.engine.connect() as connection:
            return [as_order(row) for row in connection.execute(query)]

    def receipt(
        self, order_id: str, person: str, now: dt.datetime, removed_at: dt.datetime | None = None, refused: str = ""
    ) -> TakedownOrder:
        """Take the marketplace's word that a listing was removed, or why it was not; saying it again changes nothing.

        Raises
        ------
        NoRecallError
            If there is no such order.
        RecallConflictError
            If it was withdrawn, or the listing was removed by an earlier receipt that says otherwise.
        RecallRefusedError
            If both or neither are given, or the removal lies in the future or before the listing's last sighting.
        """
        if (removed_at is None) == (not refused.strip()):
            raise RecallRefusedError("removed_at", "give either it or refused", "say when it was removed, or why not")
        if removed_at is not None and removed_at > now + _CLOCKS_DIFFER:
            hint = "give the moment at which it was removed"
            raise RecallRefusedError("removed_at", "it lies in the future", hint, removed_at.isoformat())
        with one_at_a_time(self.engine, ACTS) as connection:
            found = _get(connection, order_id)
            if removed_at is not None and removed_at < found.ordered_at - _CLOCKS_DIFFER:
                hint = (
                    f"give the moment at which it was removed, after {found.ordered_at.isoformat(timespec='seconds')}"
                )
                raise RecallRefusedError("removed_at", "it lies before the order", hint, removed_at.isoformat())
            if found.withdrawn_at is not None:
                raise RecallConflictError(f"Order {order_id} was withdrawn at {found.withdrawn_at:%Y-%m-%d %H:%M} UTC.")
            if found.removed_at is not None:
                if removed_at is not None:
                    return found
                raise RecallConflictError(f"Order {order_id} has the receipt that the listing was removed.")
            values = {
                "receipt_at": found.receipt_at or now,
                "receipt_by": person,
                "removed_at": removed_at,
                "refused": refused,
            }
            connection.execute(update(TakedownOrderRow).where(ORDERS.c.id == order_id).values(**values))
            facts: dict[str, Any] = {"order": order_id, "listing": found.listing_id}
            if removed_at is not None:
                facts["removed"] = removed_at.isoformat()
            else:
                facts["why"] = refused
            act = CaseAct.REMOVED if removed_at is not None else CaseAct.REMOVAL_REFUSED
            append(connection, now, person, act, found.case_id, facts)
            settle(connection, found.case_id, now, person)
            return _get(connection, order_id)

    def remind(self, now: dt.datetime) -> int:
        """Send again what has no receipt for too long; return how many orders that were."""
        since = func.coalesce(ORDERS.c.reminded_at, ORDERS.c.ordered_at, type_=ORDERS.c.ordered_at.type)
        late = and_(UNANSWERED, since <= now - self.ordering.rules.remind)
        query = select(ORDERS).where(late).order_by(ORDERS.c.case_id, ORDERS.c.ordered_at, ORDERS.c.id).limit(_AT_ONCE)
        with self.engine.connect() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return 0
        with one_at_a_time(self.engine, ACTS) as connection:
            found = [as_order(row) for row in connection.execute(query).all()]
            for case_id in dict.fromkeys(each.case_id for each in found):
                of_case = [each for each in found if each.case_id == case_id]
                for each in of_case:
                    again = {"reminders": each.reminders + 1, "reminded_at": now}
                    connection.execute(update(TakedownOrderRow).where(ORDERS.c.id == each.id).values(**again))
                append(connection, now, SERVER, CaseAct.REMINDED, case_id, {"orders": [each.id for each in of_case]})
                alert = kept.get(connection, get_case(connection, case_id).alert_id)
                assert alert is not None
                key = f"{of_case[0].id}:{of_case[0].reminders + 1}"
                telling = self.ordering.telling
                _tell(connection, telling, case_id, alert, [each.id for each in of_case], TAKEDOWN_REMINDER, key)
        return len(found)

    def waiting(self, now: dt.datetime) -> tuple[int, int]:
        """Return how many orders have no receipt, and how many of these are past their end."""
        with self.engine.connect() as connection:
            counted = [
                connection.execute(select(func.count()).select_from(ORDERS).where(UNANSWERED, *more)).scalar_one()
                for more in ((), (ORDERS.c.due_at <= now,))
            ]
        return counted[0], counted[1]


def _get(connection: Connection, order_id: str) -> TakedownOrder:
    row = connection.execute(select(ORDERS).where(ORDERS.c.id == order_id)).one_or_none()
    if row is None:
        raise NoRecallError(f"There is no takedown order {order_id}.")
    return as_order(row)


def _tell(
    connection: Connection,
    telling: Telling,
    case_id: int,
    alert: kept.KeptAlert,
    order_ids: Sequence[str],
    kind: str,
    key: str,
) -> None:
    for number, part in enumerate(in_parts(order_ids, _AT_ONCE)):
        body = {
            "case_id": case_id,
            "alert_id": alert.id,
            "reference": alert.alert.reference,
            "orders": list(_bodies(connection, telling, alert.alert, part)),
        }
        Outbox.put(connection, kind, f"orders:{key}:{number}", body, subject=f"case:{case_id}")


def _bodies(
    connection: Connection, telling: Telling, alert: Alert, order_ids: Sequence[str]
) -> Iterable[dict[str, Any]]:
    query = select(ORDERS.c.id, ORDERS.c.listing_id, ORDERS.c.due_at, _MATCHES.c.seller, _MATCHES.c.listing).join(
        _MATCHES, _MATCHES.c.id == ORDERS.c.match_id
    )
    for row in connection.execute(query.where(ORDERS.c.id.in_(order_ids)).order_by(ORDERS.c.id)):
        message = telling.seller_message(row.listing, alert)
        yield {
            "order_id": row.id,
            "listing_id": row.listing_id,
            "seller_id": row.seller,
            "due_at": row.due_at,
            "message": message.lines,
            "language": message.language,
        }

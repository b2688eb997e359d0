"""Erases listings from what was told outside: bodies of webhooks, and answers that are kept for a second request."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Engine, and_, delete, or_, select, update

from serving.erasure.names import Names
from serving.hooks.deliveries import DELIVERIES, EVENTS, WAITING
from serving.store.database import writing
from serving.store.hook_tables import DeliveryRow, EventRow, TryRow
from serving.store.tables import IdempotencyRow

_AT_ONCE = 500
_LISTING_ID = re.compile(rb'"(?:listing_id|id)":\s?("(?:[^"\\]|\\.)*")')
_EMPTIED: dict[str, Any] = {"seller_id": "", "message": [], "reason": ""}
"""What else an event says of a listing."""


class ToldErasure:
    """Erases listings from events and from kept answers. Its methods block: call them from a thread.

    An event that is still on its way stays until it has arrived or is given up: without its listing it would say
    nothing. It is forgotten with the log of webhooks then.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def erase(self, names: Names, seller: str, needed: Collection[str] = ()) -> dict[str, int]:
        """Erase listings from what was told, and return how much of what was.

        Parameters
        ----------
        needed : collection of str
            Listings that a recall still needs: events on these stay.
        """
        gone = {key: name for key, name in names.items() if key not in needed}
        changed = waiting = 0
        for row in self._events():
            emptied = without_listings(row.body, gone, seller)
            subject = _other_subject(row.subject, gone)
            if emptied == row.body and subject == row.subject:
                continue
            if row.waits:
                waiting += 1
                continue
            self._empty(row.number, emptied, subject)
            changed += 1
        return {"webhooks": changed, "webhooks on their way, kept": waiting, "kept answers": self._answers(names)}

    def _events(self) -> Iterator[Any]:
        """Yield every event, and whether it is still on its way, some in memory at a time."""
        waits = or_(
            and_(EVENTS.c.dispatched_at.is_(None), EVENTS.c.withdrawn_at.is_(None)),
            select(DELIVERIES.c.id).where(DELIVERIES.c.event_number == EVENTS.c.number, WAITING).exists(),
        )
        last = 0
        while True:
            query = select(EVENTS.c.number, EVENTS.c.subject, EVENTS.c.body, waits.label("waits"))
            with self.engine.connect() as connection:
                some = query.where(EVENTS.c.number > last).order_by(EVENTS.c.number).limit(_AT_ONCE)
                rows = connection.execute(some).all()
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1].number

    def _empty(self, number: int, body: Mapping[str, Any], subject: str) -> None:
        of_event = DELIVERIES.c.event_number == number
        with writing(self.engine) as connection:
            event = update(EventRow).where(EVENTS.c.number == number)
            connection.execute(event.values(body=dict(body), subject=subject))
            connection.execute(update(DeliveryRow).where(of_event).values(subject=subject))
            deliveries = select(DELIVERIES.c.id).where(of_event)
            connection.execute(update(TryRow).where(TryRow.delivery_id.in_(deliveries)).values(answer=""))

    def _answers(self, names: Names) -> int:
        """Forget kept answers that name a listing: the same request is done anew then."""
        wanted = {orjson.dumps(key) for key in names}
        table = IdempotencyRow.__table__
        with self.engine.connect() as connection:
            query = select(table.c.principal, table.c.key, table.c.body).where(table.c.body.is_not(None))
            found = [
                (row.principal, row.key)
                for row in connection.execute(query.execution_options(yield_per=50))
                if not wanted.isdisjoint(_LISTING_ID.findall(zlib.decompress(row.body)))
            ]
        with writing(self.engine) as connection:
            for principal, key in found:
                same = (table.c.principal == principal, table.c.key == key)
                connection.execute(delete(IdempotencyRow).where(*same))
        return len(found)


def without_listings(body: Mapping[str, Any], names: Mapping[str, str], seller: str = "") -> dict[str, Any]:
    """Return the body of an event without what it says of some listings, or of any of a seller.

    Examples
    --------
    >>> without_listings({"listing_id": "li-1", "action": "block"}, {"li-1": "erased-0"})
    {'listing_id': 'erased-0', 'action': 'block'}
    """
    emptied = dict(body)
    if isinstance(orders := body.get("orders"), list):
        emptied["orders"] = [without_listings(each, names, seller) for each in orders]
    named = body.get("listing_id")
    of_seller = bool(seller) and body.get("seller_id") == seller
    if named not in names and not of_seller:
        return emptied
    emptied["listing_id"] = names.get(str(named), "")
    return emptied | {field: nothing for field, nothing in _EMPTIED.items() if field in emptied}


def _other_subject(subject: str, names: Mapping[str, str]) -> str:
    kind, colon, key = subject.partition(":")
    return f"{kind}:{names[key]}" if colon and kind == "listing" and key in names else subject

"""The outbox: an event is written in the transaction of what it tells of, so that both are kept or neither."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from serving.hooks.kinds import described
from serving.store.database import insert_into
from serving.store.hook_tables import EventRow

_EVENTS = EventRow.__table__


class Outbox:
    """Takes events. It holds nothing: what it is given is in the caller's connection."""

    @staticmethod
    def put(
        connection: Connection,
        kind: str,
        key: str,
        body: Mapping[str, Any],
        *,
        subject: str = "",
        not_before: dt.datetime | None = None,
        only_for: str | None = None,
    ) -> str:
        """Write an event, within the caller's transaction.

        Parameters
        ----------
        connection : Connection
            In a transaction that writes (`serving.store.database.writing`).
        kind : str
            One that `serving.hooks.kinds` describes.
        key : str
            What makes it this event: under the same kind and key it is written once, and the first body counts.
        body : mapping
            JSON. Receivers get it as it is; no more personal data than they need.
        subject : str
            What it is about, such as ``case:17``: an endpoint gets the events of one subject one after another, in the
            order in which they were written. Without one it stands alone.
        not_before : datetime, optional
            When it may leave; until then `withdraw` takes it back.
        only_for : str, optional
            The endpoint that gets it, whatever kinds it asks for.

        Returns
        -------
        str
            Id of the event: what receivers know it by.

        Raises
        ------
        ValueError
            For a kind or a body that is not described.
        """
        event_id, now = event_id_of(kind, key), dt.datetime.now(dt.UTC)
        values = {
            "id": event_id,
            "kind": kind,
            "key": key,
            "subject": subject,
            "body": described(kind, body),
            "endpoint_id": only_for,
            "created_at": now,
            "not_before": not_before or now,
        }
        connection.execute(insert_into(connection.engine, EventRow).values(**values).on_conflict_do_nothing())
        return event_id

    @staticmethod
    def withdraw(connection: Connection, kind: str, key: str) -> bool:
        """Take an event back before it leaves, within the caller's transaction.

        Returns
        -------
        bool
            False where it has left already; True where it has not, or there is none.
        """
        of_event = _EVENTS.c.id == event_id_of(kind, key)
        taken_back = update(EventRow).where(
            of_event, _EVENTS.c.dispatched_at.is_(None), _EVENTS.c.withdrawn_at.is_(None)
        )
        connection.execute(taken_back.values(withdrawn_at=dt.datetime.now(dt.UTC)))
        left = select(_EVENTS.c.number).where(of_event, _EVENTS.c.dispatched_at.is_not(None))
        return connection.execute(left).first() is None


def event_id_of(kind: str, key: str) -> str:
    """Return the id of an event: it follows from kind and key, so that no crash and no second try makes two of one.

    Examples
    --------
    >>> event_id_of("review.decided", "decision:7")
    '018946b7a663bbafafa55ad0680512b8'
    """
    return hashlib.sha256(f"{kind}\x1f{key}".encode()).hexdigest()[:32]

"""Where each source stands, and who asks it now: one worker at a time, by a lease."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from serving.recalls.sources import Source
from serving.store.database import insert_into, writing
from serving.store.recall_tables import AlertSourceRow

_STATES = AlertSourceRow.__table__
LEASE = dt.timedelta(minutes=10)
"""How long a worker that died keeps a source; one that lives renews it with every document."""


class LostLeaseError(Exception):
    """Another worker asks the source by now."""


@dataclass(frozen=True)
class SourceState:
    """How far a source was read; the columns of its row."""

    source: str
    cursor: dict[str, Any]
    polled_at: dt.datetime | None
    succeeded_at: dt.datetime | None
    next_at: dt.datetime
    failures: int
    failure: str
    token: str
    leased_until: dt.datetime


@dataclass(frozen=True)
class SourceStates:
    """Hands sources to who asks them. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    lease : timedelta
    """

    engine: Engine
    lease: dt.timedelta = LEASE

    def claim(self, sources: Sequence[Source], now: dt.datetime, *, due_only: bool = True) -> SourceState | None:
        """Take the source that should be asked first, None where none is to be asked, or others do.

        Parameters
        ----------
        due_only : bool
            Leave those whose time has not come.
        """
        ids = [source.id for source in sources if source.enabled]
        if not ids:
            return None
        waits = [_STATES.c.source.in_(ids), _STATES.c.leased_until <= now]
        if due_only:
            waits.append(_STATES.c.next_at <= now)
        with writing(self.engine) as connection:
            for key in ids:
                new = {"source": key, "cursor": {}, "next_at": now, "failures": 0, "failure": "", "token": "",
                       "leased_until": now}  # fmt: skip
                connection.execute(insert_into(self.engine, AlertSourceRow).values(**new).on_conflict_do_nothing())
            query = select(_STATES.c.source).where(*waits).order_by(_STATES.c.next_at, _STATES.c.source)
            for (key,) in connection.execute(query).all():
                taken = update(AlertSourceRow).where(_STATES.c.source == key, _STATES.c.leased_until <= now)
                values = {"token": uuid.uuid4().hex, "leased_until": now + self.lease}
                if connection.execute(taken.values(**values)).rowcount:
                    return _get(connection, key)
        return None

    def save(self, connection: Connection, held: SourceState, cursor: Mapping[str, Any], now: dt.datetime) -> None:
        """Move the cursor of a source that one has, within the transaction that takes in what was read.

        Raises
        ------
        LostLeaseError
            If another worker has it by now: nothing of the transaction is kept.
        """
        self._change(connection, held, cursor=dict(cursor), leased_until=now + self.lease)

    def renew(self, held: SourceState, now: dt.datetime) -> None:
        """Keep a source for as long as a new lease.

        Raises
        ------
        LostLeaseError
            If another worker has it by now.
        """
        with writing(self.engine) as connection:
            self._change(connection, held, leased_until=now + self.lease)

    def release(self, held: SourceState, now: dt.datetime, next_at: dt.datetime, failure: str = "") -> None:
        """Give a source back with when it is to be asked again, and what went wrong, if anything did."""
        values: dict[str, Any] = {"polled_at": now, "next_at": next_at, "failure": failure, "leased_until": now}
        values |= {"failures": held.failures + 1} if failure else {"failures": 0, "succeeded_at": now}
        with writing(self.engine) as connection:
            self._change(connection, held, **values)

    def all(self) -> dict[str, SourceState]:
        """Return every source that was ever asked, by its id."""
        with self.engine.connect() as connection:
            return {row.source: _as_state(row) for row in connection.execute(select(_STATES))}

    def _change(self, connection: Connection, held: SourceState, **values: Any) -> None:
        mine = update(AlertSourceRow).where(_STATES.c.source == held.source, _STATES.c.token == held.token)
        if not connection.execute(mine.values(**values)).rowcount:
            raise LostLeaseError(f"Another worker asks {held.source} by now.")


def _get(connection: Connection, key: str) -> SourceState:
    return _as_state(connection.execute(select(_STATES).where(_STATES.c.source == key)).one())


def _as_state(row: Row[Any]) -> SourceState:
    return SourceState(**{each.name: row._mapping[each.name] for each in fields(SourceState)})

"""Keeps the answers given under an `Idempotency-Key`; the database decides which of several workers runs a request."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, select, update

from serving.store.database import insert_into, writing
from serving.store.tables import IdempotencyRow

LEASE = timedelta(seconds=10)
"""How long a worker that died in the middle keeps a key; one that lives renews it."""


@dataclass(frozen=True)
class Mine:
    """The request is to be run by the caller, who then keeps its answer or gives the key up."""

    principal: str
    key: str
    token: str
    since: datetime


@dataclass(frozen=True)
class Kept:
    """The request was answered before."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class UnderWay:
    """The request is being answered elsewhere."""


@dataclass(frozen=True)
class OtherRequest:
    """The key was used for another request."""


Finding = Mine | Kept | UnderWay | OtherRequest


class IdempotencyStore:
    """Keys in the database. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    keep : timedelta
        How long an answer is kept.
    lease : timedelta
        How long a key is held by a worker that no longer renews it.
    """

    def __init__(self, engine: Engine, keep: timedelta, lease: timedelta = LEASE) -> None:
        self.engine = engine
        self.keep = keep
        self.lease = lease

    def begin(self, principal: str, key: str, fingerprint: str) -> Finding:
        """Take a key for a request, or learn what became of the first request under it."""
        now, token = datetime.now(UTC), uuid.uuid4().hex
        fresh = {
            "principal": principal,
            "key": key,
            "fingerprint": fingerprint,
            "token": token,
            "leased_until": now + self.lease,
            "created_at": now,
            "expires_at": now + self.keep,
            "status": None,
            "headers": None,
            "body": None,
        }
        of_key = and_(IdempotencyRow.principal == principal, IdempotencyRow.key == key)
        with writing(self.engine) as connection:
            adding = insert_into(self.engine, IdempotencyRow).values(**fresh).on_conflict_do_nothing()
            if connection.execute(adding.returning(IdempotencyRow.token)).first():
                return Mine(principal, key, token, now)
            row = connection.execute(select(IdempotencyRow.__table__).where(of_key).with_for_update()).one_or_none()
            if row is None:  # given up between the two statements
                return UnderWay()
            if row.expires_at <= now:
                connection.execute(update(IdempotencyRow).where(of_key).values(**fresh))
                return Mine(principal, key, token, now)
            if row.fingerprint != fingerprint:
                return OtherRequest()
            if row.status is not None:
                return Kept(row.status, row.headers, zlib.decompress(row.body))
            if row.leased_until > now:
                return UnderWay()
            taken = {"token": token, "leased_until": now + self.lease}
            connection.execute(update(IdempotencyRow).where(of_key).values(**taken))
            return Mine(principal, key, token, row.created_at)

    def renew(self, mine: Mine) -> None:
        """Hold a key for another lease."""
        self._change(mine, leased_until=datetime.now(UTC) + self.lease)

    def finish(self, mine: Mine, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer; without effect where another worker took the key meanwhile."""
        # Level 1 makes a tenth of our JSON in a fraction of the time that the listings took.
        self._change(mine, status=status, headers=dict(headers), body=zlib.compress(body, 1))

    def give_up(self, mine: Mine) -> None:
        """Forget a request that failed, so that it can be tried again under its key."""
        with writing(self.engine) as connection:
            connection.execute(delete(IdempotencyRow).where(_held(mine)))

    def forget_old(self) -> int:
        """Remove what has been kept long enough; return how many."""
        with writing(self.engine) as connection:
            gone = connection.execute(delete(IdempotencyRow).where(IdempotencyRow.expires_at <= datetime.now(UTC)))
        return gone.rowcount

    def _change(self, mine: Mine, **values: Any) -> None:
        with writing(self.engine) as connection:
            connection.execute(update(IdempotencyRow).where(_held(mine)).values(**values))


def _held(mine: Mine) -> ColumnElement[bool]:
    return and_(
        IdempotencyRow.principal == mine.principal, IdempotencyRow.key == mine.key, IdempotencyRow.token == mine.token
    )

"""Removes what has been kept long enough: in the server, by one worker at a time, now and then."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError

from serving.access.principal import SERVER
from serving.buyers.forgetting import forget_buyers
from serving.erasure.cases import CaseErasure
from serving.erasure.listings import ListingErasure, forget_what_hangs_on, unreviewed_before
from serving.erasure.names import ERASED_PREFIX, Names
from serving.recalls import events as cases
from serving.review import events as reviews
from serving.review.items import ACTS, ITEMS
from serving.review.words import State
from serving.store.account_tables import SessionRow, SweepRow
from serving.store.database import insert_into, one_at_a_time, writing
from serving.store.sign_in_failures import SignInFailures
from serving.store.tables import AssessmentRow

_log = logging.getLogger("hazardlens.store")
_EVERY = timedelta(hours=1)
_LOOKS_EVERY = 300.0
_AT_ONCE, _ENTRIES_AT_ONCE = 500, 10_000
_SWEEP = "retention"
_LOCK = 0x53574550  # "SWEP"
_ASSESSMENTS = AssessmentRow.__table__


@dataclass(frozen=True)
class Keep:
    """How long what is kept; None keeps it.

    Parameters
    ----------
    assessments : timedelta or None
        Assessments that no review is of, since they were made.
    reviews : timedelta or None
        What items tell of seller and listing, since the decision.
    names : timedelta or None
        Names of keys and free text in the logs of reviews and cases, since the act.
    """

    assessments: timedelta | None = None
    reviews: timedelta | None = None
    names: timedelta | None = None


class Retention:
    """Sweeps the database. `sweep` blocks; `watch` runs on the event loop.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    keep : Keep
    """

    def __init__(self, engine: Engine, keep: Keep) -> None:
        self.engine = engine
        self.keep = keep
        self._listings = ListingErasure(engine)
        self._cases = CaseErasure(engine)
        self._failures = SignInFailures(engine)

    async def watch(self) -> None:
        """Sweep whenever it is time and no other worker does."""
        while True:
            try:
                await asyncio.to_thread(self.sweep_if_due, datetime.now(UTC))
            except SQLAlchemyError as error:
                _log.error("what has been kept long enough could not be removed: %s", error)
            await asyncio.sleep(_LOOKS_EVERY)

    def sweep_if_due(self, now: datetime) -> bool:
        """Sweep unless some worker has done so, or has begun to, within the last hour."""
        with one_at_a_time(self.engine, _LOCK) as connection:
            last = connection.execute(select(SweepRow.swept_at).where(SweepRow.name == _SWEEP)).scalar()
            if last is not None and last > now - _EVERY:
                return False
            noting = insert_into(self.engine, SweepRow).values(name=_SWEEP, swept_at=now)
            noted = noting.on_conflict_do_update(index_elements=[SweepRow.name], set_={"swept_at": now})
            connection.execute(noted)
        removed = self.sweep(now)
        if any(removed.values()):
            _log.info("kept long enough: %s", ", ".join(f"{n:,} {what}" for what, n in removed.items() if n))
        return True

    def sweep(self, now: datetime) -> dict[str, int]:
        """Remove what has been kept long enough by a moment, in steps, and return how much of what."""
        keep = self.keep
        return {
            "sessions": self._sessions(now),
            "failed sign-ins": self._failures.forget_old(now),
            "order lines of recalls": forget_buyers(self.engine, now),
            "listings whose recall is through": self._cases.finish(),
            "assessments": self._assessments(now - keep.assessments) if keep.assessments is not None else 0,
            "reviewed listings": self._reviews(now - keep.reviews) if keep.reviews is not None else 0,
            "names in the log": self._names(now - keep.names, now) if keep.names is not None else 0,
        }

    def _sessions(self, now: datetime) -> int:
        with writing(self.engine) as connection:
            return connection.execute(delete(SessionRow).where(SessionRow.expires_at <= now)).rowcount

    def _assessments(self, before: datetime) -> int:
        removed = 0
        while True:
            query = (
                select(_ASSESSMENTS.c.id, _ASSESSMENTS.c.content_hash).where(unreviewed_before(before)).limit(_AT_ONCE)
            )
            with one_at_a_time(self.engine, ACTS) as connection:  # no item is opened for one of them meanwhile
                rows = connection.execute(query).all()
                ids = [row.id for row in rows]
                connection.execute(delete(AssessmentRow).where(_ASSESSMENTS.c.id.in_(ids)))
                forget_what_hangs_on(connection, ids, {row.content_hash for row in rows})
            removed += len(ids)
            if len(ids) < _AT_ONCE:
                return removed

    def _reviews(self, before: datetime) -> int:
        emptied = 0
        over = (
            ITEMS.c.state == State.DECIDED.value,
            ITEMS.c.decided_at < before,
            ITEMS.c.listing_id.not_like(f"{ERASED_PREFIX}%"),
        )
        while True:
            with self.engine.connect() as connection:
                ids = list(connection.execute(select(ITEMS.c.id).where(*over).limit(_AT_ONCE)).scalars())
            if not ids:
                return emptied
            self._listings.erase_items(ids, SERVER, "age", Names())
            emptied += len(ids)

    def _names(self, before: datetime, now: datetime) -> int:
        erased = 0
        for log, turn in ((reviews.LOG, ACTS), (cases.LOG, cases.ACTS)):
            found = _ENTRIES_AT_ONCE
            while found == _ENTRIES_AT_ONCE:
                with one_at_a_time(self.engine, turn) as connection:
                    numbers = log.sealed_before(connection, before, _ENTRIES_AT_ONCE)
                    erased += log.erase(connection, numbers, now, SERVER, "age")
                found = len(numbers)
        return erased

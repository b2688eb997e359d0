"""Keeps pictures and the readings that wait: who reads them, what was read, what came of it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, or_, select, update

from serving.pictures.entries import Entry, Reading
from serving.store.assessments import Answered
from serving.store.database import insert_into, writing
from serving.store.picture_tables import PictureReadingRow, PictureRow

LEASE = dt.timedelta(seconds=30)
"""How long a worker that died keeps a reading; one that lives renews it."""
MOST_ATTEMPTS = 5
_FETCHED_ANEW = dt.timedelta(hours=24)
"""Until then, what a URL of the same listing led to is not fetched again."""
_ENTRY = [getattr(PictureRow, column.name) for column in fields(Entry)]
_READING = [getattr(PictureReadingRow, column.name) for column in fields(Reading)]
_FREE = {"state": "queued", "leased_until": None, "attempts": 0, "finished_at": None}


class PictureStore:
    """Pictures in the database. Its methods block: call them from a thread.

    A worker holds a reading by a lease, and ends it only under the `epoch` under which it was taken.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    lease : timedelta
    """

    def __init__(self, engine: Engine, lease: dt.timedelta = LEASE) -> None:
        self.engine = engine
        self.lease = lease

    def keep_within(self, connection: Connection, answers: Sequence[Answered]) -> None:
        """Queue the pictures of answers, in the transaction that keeps these.

        The same pictures of the same assessment are read once; again only where some failed.
        """
        for answer in answers:
            if answer.pictures:
                self._keep(connection, answer, dt.datetime.now(dt.UTC))

    def _keep(self, connection: Connection, answer: Answered, now: dt.datetime) -> None:
        key = reading_id(answer.assessment.id, [entry.key for entry in answer.pictures])
        done = all(entry.state == "read" for entry in answer.pictures)
        values = {
            "id": key, "assessment_id": answer.assessment.id, "listing_id": answer.listing.id,
            "state": "done" if done else "queued", "failures": 0, "epoch": 0, "attempts": 0, "queued_at": now,
            "finished_at": now if done else None, "outcome_id": answer.assessment.id if done else None,
        }  # fmt: skip
        row = insert_into(self.engine, PictureReadingRow).values(**values).on_conflict_do_nothing()
        if connection.execute(row.returning(PictureReadingRow.id)).first() is not None:
            rows = [_row(replace(entry, id=""), key, answer.listing.id) for entry in answer.pictures]
            connection.execute(insert_into(self.engine, PictureRow), rows)
            return
        failed = and_(PictureReadingRow.id == key, PictureReadingRow.state == "done", PictureReadingRow.failures > 0)
        again = update(PictureReadingRow).where(failed)
        if connection.execute(again.values(**_FREE, failures=0, queued_at=now)).rowcount:
            stood = and_(PictureRow.reading_id == key, PictureRow.state == "failed")
            connection.execute(update(PictureRow).where(stood).values(state="waiting", error=None))

    def read_before(self, pictures: Sequence[Entry], listing_id: str) -> list[Entry] | None:
        """Return pictures as they were read before, None unless all of them were."""
        found = []
        with self.engine.connect() as connection:
            for picture in pictures:
                known = connection.execute(self._query_before(picture, listing_id)).first()
                if known is None:
                    return None
                entry = Entry(*known)
                found.append(
                    replace(entry, position=picture.position, alt=picture.alt, id="", captions=_said(entry, picture))
                )
        return found

    @staticmethod
    def _query_before(picture: Entry, listing_id: str) -> Any:
        query = select(*_ENTRY).where(PictureRow.state == "read").order_by(PictureRow.read_at.desc()).limit(1)
        if picture.url is None:
            return query.where(PictureRow.sha256 == picture.sha256)
        since = dt.datetime.now(dt.UTC) - _FETCHED_ANEW
        return query.where(
            PictureRow.url == picture.url, PictureRow.listing_id == listing_id, PictureRow.read_at > since
        )

    def claim(self) -> Reading | None:
        """Take the reading that has waited longest; None where nothing waits."""
        while True:
            now = dt.datetime.now(dt.UTC)
            with self.engine.connect() as connection:
                query = select(*_READING).where(_waiting(now)).order_by(PictureReadingRow.queued_at).limit(1)
                row = connection.execute(query).one_or_none()
            if row is None:
                return None
            found = Reading(*row)
            taken = {"state": "running", "epoch": found.epoch + 1, "attempts": found.attempts + 1}
            this = and_(PictureReadingRow.id == found.id, PictureReadingRow.epoch == found.epoch, _waiting(now))
            with writing(self.engine) as connection:
                won = connection.execute(
                    update(PictureReadingRow).where(this).values(**taken, leased_until=now + self.lease)
                )
            if won.rowcount:
                return replace(found, state="running", epoch=found.epoch + 1, attempts=found.attempts + 1)

    def renew(self, reading: Reading) -> bool:
        """Hold a reading for another lease; False where it is no longer the caller's."""
        with writing(self.engine) as connection:
            return self._change(connection, reading, leased_until=dt.datetime.now(dt.UTC) + self.lease)

    def release(self, reading: Reading) -> bool:
        """Put a reading back for another worker, at once."""
        with writing(self.engine) as connection:
            return self._change(connection, reading, **_FREE)

    def note(self, entry: Entry) -> None:
        """Write what was read of a picture."""
        values = {name: value for name, value in asdict(entry).items() if name not in ("id", "position", "alt", "url")}
        with writing(self.engine) as connection:
            connection.execute(update(PictureRow).where(PictureRow.id == entry.id).values(**values))

    def finish(
        self,
        connection: Connection,
        reading: Reading,
        failures: int,
        outcome_id: str | None = None,
        change: dict[str, Any] | None = None,
    ) -> bool:
        """End a reading, in the transaction that keeps what came of it; False where it is no longer the caller's."""
        now = dt.datetime.now(dt.UTC)
        values = {"failures": failures, "outcome_id": outcome_id, "change": change, "finished_at": now}
        return self._change(connection, reading, state="done", leased_until=None, **values)

    def entries(self, reading_id: str) -> list[Entry]:
        """Return the pictures of a reading, in their order."""
        query = select(*_ENTRY).where(PictureRow.reading_id == reading_id).order_by(PictureRow.position)
        with self.engine.connect() as connection:
            return [Entry(*row) for row in connection.execute(query)]

    def entry(self, picture_id: str) -> Entry | None:
        """Return one picture, None where there is none of that id."""
        with self.engine.connect() as connection:
            row = connection.execute(select(*_ENTRY).where(PictureRow.id == picture_id)).one_or_none()
        return None if row is None else Entry(*row)

    def of_assessment(self, assessment_id: str) -> Reading | None:
        """Return the newest reading that began with an assessment, or ended with it."""
        asked = or_(PictureReadingRow.assessment_id == assessment_id, PictureReadingRow.outcome_id == assessment_id)
        newest = select(*_READING).where(asked).order_by(PictureReadingRow.queued_at.desc()).limit(1)
        with self.engine.connect() as connection:
            row = connection.execute(newest).one_or_none()
        return None if row is None else Reading(*row)

    def hashes_of(self, listing_ids: Collection[str]) -> dict[str, list[list[str]]]:
        """Return, for each listing with pictures that were read, the hashes of each of these."""
        query = select(PictureRow.listing_id, PictureRow.hashes).where(
            PictureRow.listing_id.in_(listing_ids), PictureRow.state == "read"
        )
        found: dict[str, list[list[str]]] = {}
        with self.engine.connect() as connection:
            for listing_id, hashes in connection.execute(query):
                found.setdefault(listing_id, []).append(hashes or [])
        return found

    def backlog(self) -> int:
        """Return how many readings are not done."""
        query = select(func.count()).where(PictureReadingRow.state.in_(("queued", "running")))
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def awaited(self, hashes: Collection[str]) -> set[str]:
        """Return those of some files that a picture still waits for."""
        query = select(PictureRow.sha256).where(PictureRow.sha256.in_(hashes), PictureRow.state == "waiting")
        with self.engine.connect() as connection:
            return {found for found in connection.execute(query).scalars() if found}

    def _change(self, connection: Connection, reading: Reading, **values: Any) -> bool:
        held = and_(
            PictureReadingRow.id == reading.id,
            PictureReadingRow.epoch == reading.epoch,
            PictureReadingRow.state == "running",
        )
        return connection.execute(update(PictureReadingRow).where(held).values(**values)).rowcount > 0


def forget_pictures(connection: Connection, assessment_ids: Collection[str]) -> None:
    """Forget the pictures of assessments; copies of them that nobody can ask for any more go with time."""
    of_these = or_(
        PictureReadingRow.assessment_id.in_(assessment_ids), PictureReadingRow.outcome_id.in_(assessment_ids)
    )
    readings = list(connection.execute(select(PictureReadingRow.id).where(of_these)).scalars())
    connection.execute(delete(PictureRow).where(PictureRow.reading_id.in_(readings)))
    connection.execute(delete(PictureReadingRow).where(PictureReadingRow.id.in_(readings)))


def reading_id(assessment_id: str, keys: Sequence[str]) -> str:
    """Return the id of the reading of some pictures for an assessment."""
    return hashlib.sha256("\x1f".join((assessment_id, *keys)).encode()).hexdigest()[:32]


def _row(entry: Entry, reading: str, listing_id: str) -> dict[str, Any]:
    own = hashlib.sha256(f"{reading}\x1f{entry.position}".encode()).hexdigest()[:32]
    return {**asdict(entry), "id": own, "reading_id": reading, "listing_id": listing_id}


def _said(read: Entry, sent: Entry) -> list[dict[str, Any]]:
    """Return the captions of a picture that was read before, with the words that it is sent with now."""
    given = {"text": sent.alt, "source": "given", "picture": read.sha256}
    found = [each for each in read.captions or [] if each.get("source") != "given"]
    return [given, *found] if sent.alt.strip() else found


def _waiting(now: dt.datetime) -> ColumnElement[bool]:
    lapsed = and_(PictureReadingRow.state == "running", PictureReadingRow.leased_until < now)
    return or_(PictureReadingRow.state == "queued", lapsed)

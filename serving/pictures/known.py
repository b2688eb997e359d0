"""Pictures that are to be known again: those of alerts, and those of listings that were removed."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import Engine, delete, exists, func, select

from models.domain.action import Action
from models.pictures.hash_index import PictureIndex
from models.pictures.identity import BITS, Fingerprint
from serving.store.database import insert_into, writing
from serving.store.match_tables import JudgementRow
from serving.store.picture_tables import KnownPictureRow, PictureRow
from serving.store.review_tables import ReviewDecisionRow, ReviewItemRow

Kind = Literal["alert", "removed"]
_LOOKED_BACK = dt.timedelta(hours=1)
"""A decision becomes final after its grace time, and clocks differ: those of the last hour are looked at again."""
_MOST_SHOWN = 10
_CONFIRMED = "confirmed for alert "
"""Begins the note of a picture that a match has brought, so that it is forgotten with it."""


@dataclass(frozen=True)
class KnownPicture:
    """A picture that is known; `subject` is the id of the alert, or of the listing that was removed."""

    id: str
    kind: Kind
    subject: str
    sha256: str
    note: str
    added_by: str
    added_at: dt.datetime


_COLUMNS = [getattr(KnownPictureRow, column.name) for column in fields(KnownPicture)]


class KnownPictures:
    """The known pictures of a database. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.Lock()
        self._state: object = None
        self._known: list[KnownPicture] = []
        self._index = PictureIndex([])
        self._looked_until: dt.datetime | None = None

    def add(self, kind: Kind, subject: str, sha256: str, hashes: list[str], note: str, added_by: str) -> KnownPicture:
        """Know a picture from now on. The same picture of the same subject is known once."""
        key = hashlib.sha256(f"{kind}\x1f{subject}\x1f{sha256}".encode()).hexdigest()[:32]
        values = {
            "id": key, "kind": kind, "subject": subject, "sha256": sha256, "hashes": hashes, "note": note,
            "added_by": added_by, "added_at": dt.datetime.now(dt.UTC),
        }  # fmt: skip
        with writing(self.engine) as connection:
            connection.execute(insert_into(self.engine, KnownPictureRow).values(**values).on_conflict_do_nothing())
            return KnownPicture(*connection.execute(select(*_COLUMNS).where(KnownPictureRow.id == key)).one())

    def remove(self, key: str) -> bool:
        """Forget a picture; False where there is none of that id."""
        with writing(self.engine) as connection:
            return connection.execute(delete(KnownPictureRow).where(KnownPictureRow.id == key)).rowcount > 0

    def newest(self, limit: int) -> list[KnownPicture]:
        """Return the newest, newest first."""
        query = select(*_COLUMNS).order_by(KnownPictureRow.added_at.desc(), KnownPictureRow.id).limit(limit)
        with self.engine.connect() as connection:
            return [KnownPicture(*row) for row in connection.execute(query)]

    def of_alerts(self, alert_ids: Collection[str]) -> dict[str, list[list[str]]]:
        """Return, for each alert with known pictures, the hashes of each of these."""
        query = select(KnownPictureRow.subject, KnownPictureRow.hashes).where(
            KnownPictureRow.kind == "alert", KnownPictureRow.subject.in_(alert_ids)
        )
        found: dict[str, list[list[str]]] = {}
        with self.engine.connect() as connection:
            for subject, hashes in connection.execute(query):
                found.setdefault(subject, []).append(hashes)
        return found

    def matches(self, picture: Fingerprint) -> list[dict[str, Any]]:
        """Return the known pictures that look the same, nearest first: kind, subject, note, distance and similarity."""
        known, index = self._fresh()
        found = []
        for place, distance in list(index.same(picture).items())[:_MOST_SHOWN]:
            one = known[place]
            likeness = round(1 - distance / (BITS / 2), 3)
            named = {"id": one.id, "kind": one.kind, "subject": one.subject, "note": one.note}
            found.append({**named, "distance": distance, "similarity": likeness})
        return found

    def _fresh(self) -> tuple[list[KnownPicture], PictureIndex]:
        """Return what is known now; read anew where something was added or removed since."""
        table = KnownPictureRow
        with self._lock, self.engine.connect() as connection:
            state = tuple(connection.execute(select(func.count(), func.max(table.added_at))).one())
            if state != self._state:
                rows = list(connection.execute(select(*_COLUMNS, table.hashes).order_by(table.id)))
                self._known = [KnownPicture(*row[:-1]) for row in rows]
                self._index = PictureIndex([Fingerprint.of_texts(row[-1]) for row in rows])
                self._state = state
            return self._known, self._index

    def follow_decisions(self) -> None:
        """Know the pictures of listings that reviewers had removed, and forget those of listings that came back."""
        now = dt.datetime.now(dt.UTC)
        decision, item = ReviewDecisionRow, ReviewItemRow
        query = (
            select(decision.final_at, decision.action, decision.reviewer, decision.reason_code, item.listing_id)
            .join(item, item.id == decision.item_id)
            .where(decision.final_at <= now, decision.undone_at.is_(None))
            .order_by(decision.id)
        )
        if self._looked_until is not None:
            query = query.where(decision.final_at > self._looked_until - _LOOKED_BACK)
        with self.engine.connect() as connection:
            newest = {row.listing_id: row for row in connection.execute(query)}
        for listing_id, row in newest.items():
            self._settle(listing_id, row.action == Action.BLOCK.value, row.reviewer, row.reason_code)
        self._looked_until = now

    def follow_judgements(self) -> None:
        """Know the pictures of listings that were confirmed for an alert, and forget those of which that is undone."""
        known, judged = KnownPictureRow, JudgementRow
        newest = select(func.max(judged.number)).group_by(judged.alert_id, judged.listing_id)
        stands = (judged.number.in_(newest), judged.verdict == "confirmed")
        there = exists().where(
            known.kind == "removed", known.subject == judged.listing_id, known.sha256 == PictureRow.sha256
        )
        missing = (
            select(judged.alert_id, judged.listing_id, judged.person, PictureRow.sha256, PictureRow.hashes)
            .join(PictureRow, PictureRow.listing_id == judged.listing_id)
            .where(*stands, PictureRow.state == "read", PictureRow.sha256.is_not(None), ~there)
            .order_by(judged.number)
        )
        with self.engine.connect() as connection:
            rows = [row for row in connection.execute(missing) if row.hashes]
        for row in rows:
            note = f"{_CONFIRMED}{row.alert_id}"
            self.add("removed", row.listing_id, row.sha256, row.hashes, note, row.person)
        with writing(self.engine) as connection:
            confirmed = exists().where(judged.listing_id == known.subject, *stands)
            connection.execute(
                delete(known).where(known.kind == "removed", known.note.startswith(_CONFIRMED), ~confirmed)
            )

    def _settle(self, listing_id: str, removed: bool, reviewer: str, reason: str) -> None:
        if not removed:
            gone = (KnownPictureRow.kind == "removed", KnownPictureRow.subject == listing_id)
            with writing(self.engine) as connection:
                connection.execute(delete(KnownPictureRow).where(*gone))
            return
        query = select(PictureRow.sha256, PictureRow.hashes).where(
            PictureRow.listing_id == listing_id, PictureRow.state == "read"
        )
        with self.engine.connect() as connection:
            found = {sha256: hashes for sha256, hashes in connection.execute(query) if sha256 and hashes}
        for sha256, hashes in found.items():
            self.add("removed", listing_id, sha256, hashes, reason, reviewer)

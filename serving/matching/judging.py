"""Remembers what people have said of matches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select

from models.domain.listing import Listing
from serving.store.database import writing
from serving.store.match_tables import JudgementRow


class Verdict(StrEnum):
    """What a person says of a match."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Judgement:
    """One verdict; `listing` as JSON."""

    number: int
    alert_id: str
    listing_id: str
    content_hash: str
    verdict: Verdict
    person: str
    reason: str
    judged_at: dt.datetime
    listing: dict[str, Any]


class JudgementStore:
    """Judgements in a database; rows are only ever added. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def judge(
        self,
        alert_id: str,
        listings: Sequence[Listing],
        verdict: Verdict,
        person: str,
        now: dt.datetime,
        reason: str = "",
        connection: Connection | None = None,
    ) -> None:
        """Keep a person's verdict on whether listings offer the product of an alert.

        Parameters
        ----------
        connection : Connection, optional
            In whose transaction it is kept; otherwise in one of its own.
        """
        rows = [
            {
                "alert_id": alert_id,
                "listing_id": listing.id,
                "content_hash": listing.content_hash(),
                "verdict": verdict.value,
                "person": person,
                "reason": reason,
                "listing": listing.model_dump(mode="json", exclude_defaults=True),
                "judged_at": now,
            }
            for listing in listings
        ]
        if not rows:
            return
        if connection is not None:
            connection.execute(insert(JudgementRow), rows)
            return
        with writing(self.engine) as own:
            own.execute(insert(JudgementRow), rows)

    def newest(self) -> int:
        """Return the number of the last judgement, 0 where there is none."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.coalesce(func.max(JudgementRow.number), 0))).scalar_one()

    def standing(self) -> list[Judgement]:
        """Return what holds: of each alert and content the newest verdict, in the order in which they were given."""
        latest = select(func.max(JudgementRow.number)).group_by(JudgementRow.alert_id, JudgementRow.content_hash)
        return self._read(select(JudgementRow.__table__).where(JudgementRow.number.in_(latest)))

    def of_listing(self, listing_id: str) -> list[Judgement]:
        """Return every verdict on matches of a listing."""
        return self._read(select(JudgementRow.__table__).where(JudgementRow.listing_id == listing_id))

    def _read(self, query: Any) -> list[Judgement]:
        with self.engine.connect() as connection:
            return [_judgement(row) for row in connection.execute(query.order_by(JudgementRow.number))]


def _judgement(row: Row[Any]) -> Judgement:
    values = {name: row._mapping[name] for name in Judgement.__dataclass_fields__}
    return Judgement(**{**values, "verdict": Verdict(values["verdict"])})

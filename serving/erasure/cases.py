"""Erases listings from recall cases; of what a recall still needs it waits until that is through.

What stays is that a listing was found, judged and removed, when and by whom, under a name that leads back to nothing:
an authority may ask for it, and figures are counted from it. Of a judged product its codes and the hash of its content
stay, by which it is known when it is put up again. Documents stay as they came: they are what others told us.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, String, and_, cast, func, or_, select, update

from models.domain.parts import in_parts
from serving.access.principal import SERVER
from serving.erasure.names import ERASED_PREFIX, ERASED_TEXT, Names
from serving.erasure.told import ToldErasure
from serving.recalls.events import ACTS, LOG
from serving.recalls.words import MatchState
from serving.store.database import one_at_a_time
from serving.store.match_tables import JudgementRow
from serving.store.recall_tables import (
    ERASE,
    OPEN,
    UNANSWERED,
    CaseMatchRow,
    CaseNoticeRow,
    RecallCaseRow,
    TakedownOrderRow,
)

_MATCHES, _ORDERS, _CASES = CaseMatchRow.__table__, TakedownOrderRow.__table__, RecallCaseRow.__table__
_JUDGEMENTS, _NOTICES = JudgementRow.__table__, CaseNoticeRow.__table__
_AT_ONCE = 200
_NOTHING_TOLD: dict[str, Any] = {
    "assessment_id": "", "content_hash": "", "title": "", "seller": "", "countries": "", "features": [], "note": "",
    "erase_wanted_at": None,
}  # fmt: skip
_CODES = ("gtin", "model")
"""Fields of a judged listing that say which product it is, and nothing of who sells it."""


class CaseErasure:
    """Erases listings from cases, orders, judgements and the log of cases. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def listings_of(self, seller: str) -> set[str]:
        """Return the listings of a seller that stand in cases."""
        with self.engine.connect() as connection:
            query = select(_MATCHES.c.listing_id).where(_MATCHES.c.seller == seller)
            return set(connection.execute(query.distinct()).scalars())

    def count(self, listing_ids: Collection[str]) -> dict[str, int]:
        """Return how much of listings stands in cases, and how much of it a recall still needs."""
        found: Counter[str] = Counter()
        with self.engine.connect() as connection:
            for some in in_parts(sorted(listing_ids), _AT_ONCE):
                of_these = _MATCHES.c.listing_id.in_(some)
                for what, condition in (("all", of_these), ("needed", and_(of_these, _needed()))):
                    query = select(func.count()).select_from(_MATCHES).where(condition)
                    found[what] += connection.execute(query).scalar_one()
        done = found["all"] - found["needed"]
        return {"matches in recall cases": done, "kept until their recall is through": found["needed"]}

    def erase(self, names: Names, by: str, why: str) -> tuple[dict[str, int], set[str]]:
        """Erase listings, and return how much of what was erased, and the listings that a recall still needs."""
        done: Counter[str] = Counter()
        needed: set[str] = set()
        for some in in_parts(sorted(names), _AT_ONCE):
            with one_at_a_time(self.engine, ACTS) as connection:
                now = dt.datetime.now(dt.UTC)
                of_these = _MATCHES.c.listing_id.in_(some)
                kept = select(_MATCHES.c.id, _MATCHES.c.listing_id).where(of_these, _needed())
                rows = connection.execute(kept).all()
                wanted = update(CaseMatchRow).where(_MATCHES.c.id.in_([row.id for row in rows]))
                connection.execute(wanted.values(erase_wanted_at=now))
                waiting = {row.listing_id for row in rows}
                needed |= waiting
                gone = [key for key in some if key not in waiting]
                done.update(_erase(connection, gone, names, now, by, why))
        done["kept until their recall is through"] = len(needed)
        return dict(done), needed

    def through(self) -> list[str]:
        """Return the listings whose erasure was asked for, and which no recall needs any more."""
        query = select(_MATCHES.c.listing_id).where(ERASE).distinct()
        with self.engine.connect() as connection:
            wanted = list(connection.execute(query).scalars())
            if not wanted:
                return []
            still = select(_MATCHES.c.listing_id).where(_MATCHES.c.listing_id.in_(wanted), _needed())
            needed = set(connection.execute(still).scalars())
        return [key for key in wanted if key not in needed]

    def finish(self) -> int:
        """Erase what a recall needed when somebody asked, and needs no more; return how many listings that were."""
        through = self.through()
        if through:
            names = Names(through)
            self.erase(names, SERVER, "listing")
            ToldErasure(self.engine).erase(names, "")
        return len(through)


def _erase(
    connection: Connection, listing_ids: Sequence[str], names: Names, now: dt.datetime, by: str, why: str
) -> dict[str, int]:
    """Erase listings from everything that recalls keep, within a transaction that holds the turn of cases."""
    query = select(_MATCHES.c.id, _MATCHES.c.case_id, _MATCHES.c.listing_id)
    matches = connection.execute(query.where(_MATCHES.c.listing_id.in_(listing_ids))).all()
    for match in matches:
        name = names[match.listing_id]
        values = {**_NOTHING_TOLD, "listing_id": name, "listing": {"id": name, "title": ""}}
        connection.execute(update(CaseMatchRow).where(_MATCHES.c.id == match.id).values(**values))
        of_match = update(TakedownOrderRow).where(_ORDERS.c.match_id == match.id)
        connection.execute(of_match.values(listing_id=name))
        connection.execute(of_match.where(_ORDERS.c.refused != "").values(refused=ERASED_TEXT))
    judged = _erase_judgements(connection, listing_ids, names)
    said = _erase_said(connection, set(listing_ids), names)
    cases = {match.case_id for match in matches}
    numbers = LOG.naming(connection, listing_ids, cases) if cases else []
    entries = LOG.erase(connection, numbers, now, by, why)
    return {"matches in recall cases": len(matches), "judgements": judged, "notices": said, "texts in the log": entries}


def _erase_judgements(connection: Connection, listing_ids: Sequence[str], names: Names) -> int:
    query = select(_JUDGEMENTS.c.number, _JUDGEMENTS.c.listing_id, _JUDGEMENTS.c.listing)
    rows = connection.execute(query.where(_JUDGEMENTS.c.listing_id.in_(listing_ids))).all()
    for row in rows:
        name = names[row.listing_id]
        codes = {field: row.listing[field] for field in _CODES if row.listing.get(field)}
        values = {"listing_id": name, "reason": "", "listing": {"id": name, "title": "", **codes}}
        connection.execute(update(JudgementRow).where(_JUDGEMENTS.c.number == row.number).values(**values))
    return len(rows)


def _erase_said(connection: Connection, listing_ids: Collection[str], names: Names) -> int:
    """Put other names in place of the ids that notices say."""
    query = select(_NOTICES.c.id, _NOTICES.c.said).where(cast(_NOTICES.c.said, String).contains('"listing_ids"'))
    changed = 0
    for row in connection.execute(query).all():
        said = row.said.get("listing_ids", [])
        if not any(key in listing_ids for key in said):
            continue
        told = {**row.said, "listing_ids": [names[key] if key in listing_ids else key for key in said]}
        connection.execute(update(CaseNoticeRow).where(_NOTICES.c.id == row.id).values(said=told))
        changed += 1
    return changed


def _needed() -> ColumnElement[bool]:
    """The condition that a match waits to be judged in an open case, or to be removed."""
    open_case = select(_CASES.c.id).where(_CASES.c.id == _MATCHES.c.case_id, OPEN).exists()
    waits = and_(_MATCHES.c.state == MatchState.PROPOSED.value, open_case)
    ordered = select(_ORDERS.c.id).where(_ORDERS.c.match_id == _MATCHES.c.id, UNANSWERED).exists()
    return and_(_MATCHES.c.listing_id.not_like(f"{ERASED_PREFIX}%"), or_(waits, ordered))

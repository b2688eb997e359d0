"""Erases what sellers wrote, and who they are; what was decided, when and by what rule stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, or_, select, update

from models.domain.assessment import Assessment
from serving.erasure.names import ERASED_PREFIX, Names
from serving.pictures.store import forget_pictures
from serving.review.events import LOG
from serving.review.items import ACTS, DECISIONS, ITEMS
from serving.review.words import State
from serving.store.database import one_at_a_time
from serving.store.match_tables import SignatureRow
from serving.store.review_tables import (
    GoldenAnswerRow,
    ReviewAppealRow,
    ReviewDecisionRow,
    ReviewEventPersonalRow,
    ReviewEventRow,
    ReviewItemRow,
    ReviewSkipRow,
)
from serving.store.tables import AssessmentRow, ShadowDecisionRow

_ASSESSMENTS = AssessmentRow.__table__
_AT_ONCE = 200
_REASON = '"reason"'


@dataclass(frozen=True)
class Which:
    """Which listings: all of a seller, or one."""

    seller: str = ""
    listing: str = ""

    @property
    def why(self) -> str:
        """What the log says of it."""
        return "seller" if self.seller else "listing"

    def of_assessments(self) -> ColumnElement[bool]:
        """The condition on assessments."""
        seller: ColumnElement[Any] = _ASSESSMENTS.c.listing["seller_id"].as_string()
        return seller == self.seller if self.seller else _ASSESSMENTS.c.listing_id == self.listing

    def of_items(self) -> ColumnElement[bool]:
        """The condition on items."""
        return ITEMS.c.seller == self.seller if self.seller else ITEMS.c.listing_id == self.listing


class ListingErasure:
    """Erases assessments and reviews of listings in steps of some hundred, so that nobody waits long.

    An assessment that no review is of is removed. Of one that somebody decided on, the listing's text, its ids and what
    quotes it are removed; hazards, level, scenario and the decision stay, and so do the acts in the log.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def count(self, which: Which) -> dict[str, int]:
        """Return how much would be erased."""
        with self.engine.connect() as connection:

            def number(table: Any, condition: ColumnElement[bool]) -> int:
                return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()

            return {
                "assessments": number(_ASSESSMENTS, which.of_assessments()),
                "items": number(ITEMS, which.of_items()),
            }

    def listings_of(self, which: Which) -> set[str]:
        """Return the ids of the listings."""
        assessed = select(_ASSESSMENTS.c.listing_id).where(which.of_assessments())
        reviewed = select(ITEMS.c.listing_id).where(which.of_items())
        with self.engine.connect() as connection:
            return set(connection.execute(assessed.union(reviewed)).scalars())

    def erase(self, which: Which, by: str, names: Names | None = None) -> dict[str, int]:
        """Erase listings and return how much of what was erased; begun anew it goes on where it ended.

        Parameters
        ----------
        names : Names, optional
            What stands in place of ids that other rooms know too.
        """
        done, names = Counter[str](), Names() if names is None else names
        for item_ids in self._in_steps(ITEMS.c.id, which.of_items()):
            done.update(self.erase_items(item_ids, by, which.why, names))
        for ids in self._in_steps(_ASSESSMENTS.c.id, which.of_assessments()):
            done.update(self._erase_assessments(ids, names))
        return dict(done)

    def erase_items(self, item_ids: Sequence[int], by: str, why: str, names: Names) -> dict[str, int]:
        """Erase what items tell of sellers and listings, with their assessments and free texts."""
        with one_at_a_time(self.engine, ACTS) as connection:
            items = connection.execute(select(ITEMS.c.id, ITEMS.c.listing_id).where(ITEMS.c.id.in_(item_ids))).all()
            shown = select(ITEMS.c.assessment_id).where(ITEMS.c.id.in_(item_ids))
            judged = select(DECISIONS.c.assessment_id).where(_of(DECISIONS, item_ids))
            assessed = set(connection.execute(shown.union(judged)).scalars())
            rows = connection.execute(select(_ASSESSMENTS).where(_ASSESSMENTS.c.id.in_(assessed))).all()
            for row in rows:
                _pseudonymise(connection, row, names)
            forget_what_hangs_on(connection, assessed, {row.content_hash for row in rows})
            _retire_answers(connection, assessed, names)
            for item in items:
                values = {"listing_id": names.of(item.listing_id), **_NOTHING_TOLD}
                connection.execute(update(ReviewItemRow).where(ITEMS.c.id == item.id).values(**values))
            closed = {"state": State.ERASED.value, "claimed_by": None, "claimed_until": None, "assigned_to": None}
            undecided = (ITEMS.c.id.in_(item_ids), ITEMS.c.state != State.DECIDED.value)
            connection.execute(update(ReviewItemRow).where(*undecided).values(**closed))
            self._erase_texts(connection, item_ids)
            now = datetime.now(UTC)
            entries = LOG.erase(connection, _with_reasons(connection, item_ids), now, by, why)
        return {"items": len(items), "assessments emptied": len(rows), "texts in the log": entries}

    def _erase_assessments(self, ids: Sequence[str], names: Names) -> dict[str, int]:
        """Remove assessments, and empty those that items, decisions or known answers still name."""
        with one_at_a_time(self.engine, ACTS) as connection:
            named = set(
                connection.execute(select(ITEMS.c.assessment_id).where(ITEMS.c.assessment_id.in_(ids))).scalars()
            )
            made = select(DECISIONS.c.assessment_id).where(DECISIONS.c.assessment_id.in_(ids))
            named |= set(connection.execute(made).scalars())
            known = select(GoldenAnswerRow.assessment_id).where(GoldenAnswerRow.assessment_id.in_(ids))
            named |= set(connection.execute(known).scalars())
            all_rows = connection.execute(select(_ASSESSMENTS).where(_ASSESSMENTS.c.id.in_(ids))).all()
            rows = [row for row in all_rows if row.id in named]
            for row in rows:
                _pseudonymise(connection, row, names)
            gone = set(ids) - named
            connection.execute(delete(AssessmentRow).where(_ASSESSMENTS.c.id.in_(gone)))
            tried = forget_what_hangs_on(connection, ids, {row.content_hash for row in all_rows})
            _retire_answers(connection, ids, names)
        return {"assessments removed": len(gone), "assessments emptied": len(rows), "trials removed": tried}

    @staticmethod
    def _erase_texts(connection: Connection, item_ids: Sequence[int]) -> None:
        """Empty what people wrote about items."""
        connection.execute(update(ReviewDecisionRow).where(_of(DECISIONS, item_ids)).values(note=""))
        texts = {"complaint": "", "reason": ""}
        connection.execute(update(ReviewAppealRow).where(_of(ReviewAppealRow.__table__, item_ids)).values(**texts))
        connection.execute(update(ReviewSkipRow).where(_of(ReviewSkipRow.__table__, item_ids)).values(reason=""))

    def _in_steps(self, key: Any, condition: ColumnElement[bool]) -> Iterator[list[Any]]:
        """Yield keys in steps; each step changes what it was given, so that the next begins with others."""
        last: Any = None
        while True:
            query = select(key).where(condition, *([] if last is None else [key > last])).order_by(key)
            with self.engine.connect() as connection:
                found = list(connection.execute(query.limit(_AT_ONCE)).scalars())
            if not found:
                return
            last = found[-1]
            yield found


_NOTHING_TOLD = {"seller": "", "title": "", "content_hash": "", "countries": ""}


def _of(table: Any, item_ids: Collection[int]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = table.c.item_id.in_(item_ids)
    return condition


def _with_reasons(connection: Connection, item_ids: Collection[int]) -> list[int]:
    """Return the entries of the log on items in which somebody gave a reason in their own words."""
    query = (
        select(ReviewEventRow.number)
        .join(ReviewEventPersonalRow, ReviewEventPersonalRow.number == ReviewEventRow.number)
        .where(ReviewEventRow.item_id.in_(item_ids), ReviewEventPersonalRow.personal.contains(_REASON))
    )
    return list(connection.execute(query).scalars())


def forget_what_hangs_on(connection: Connection, assessment_ids: Collection[str], contents: Iterable[str]) -> int:
    """Forget what was made of assessments that are gone or emptied: pictures, trials, signatures of their contents.

    A signature that another listing of the same content has too stays.

    Returns
    -------
    int
        How many trials there were.
    """
    forget_pictures(connection, assessment_ids)
    alone = SignatureRow.content_hash.in_(set(contents))
    others = select(_ASSESSMENTS.c.id).where(_ASSESSMENTS.c.content_hash == SignatureRow.content_hash).exists()
    connection.execute(delete(SignatureRow).where(alone, ~others))
    trials = delete(ShadowDecisionRow).where(ShadowDecisionRow.assessment_id.in_(assessment_ids))
    return connection.execute(trials).rowcount


def _retire_answers(connection: Connection, assessment_ids: Collection[str], names: Names) -> None:
    """Hand known answers on erased listings out no more; what they measured stays."""
    table = GoldenAnswerRow.__table__
    rows = connection.execute(select(table).where(table.c.assessment_id.in_(assessment_ids))).all()
    for row in rows:
        shown = {**row.shown, **_NOTHING_TOLD, "listing_id": names.of(row.shown["listing_id"])}
        values = {"shown": shown, "retired_at": row.retired_at or datetime.now(UTC)}
        connection.execute(update(GoldenAnswerRow).where(table.c.id == row.id).values(**values))


def _pseudonymise(connection: Connection, row: Any, names: Names) -> None:
    """Empty an assessment of what the seller wrote and what quotes it; it can still be read as one."""
    if row.listing_id.startswith(ERASED_PREFIX):
        return
    name = names.of(row.listing_id)
    kept = Assessment.model_validate(row.assessment)
    decision = kept.decision.model_copy(update={"seller": None})
    nothing: dict[str, Any] = {
        "listing_id": name,
        "content_hash": "",
        "cues": [],
        "notes": [],
        "explanation": [],
        "matches": [],
    }
    emptied = kept.model_copy(update={**nothing, "decision": decision})
    values = {
        "listing_id": name,
        "content_hash": "",
        "title": "",
        "detail": -1,  # the same content, sent again, is kept in its place
        "listing": {"id": name, "title": ""},
        "assessment": emptied.model_dump(mode="json"),
    }
    connection.execute(update(AssessmentRow).where(_ASSESSMENTS.c.id == row.id).values(**values))


def unreviewed_before(moment: datetime) -> ColumnElement[bool]:
    """Return the condition that an assessment is older than a moment, and no review is of it."""
    item = select(ITEMS.c.id).where(ITEMS.c.assessment_id == _ASSESSMENTS.c.id).exists()
    decision = select(DECISIONS.c.id).where(DECISIONS.c.assessment_id == _ASSESSMENTS.c.id).exists()
    return (_ASSESSMENTS.c.created_at < moment) & ~or_(item, decision)

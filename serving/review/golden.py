"""Listings whose right answer is known: chosen, handed out as ordinary items, and what each reviewer made of them.

A reviewer is given a copy that only they see, in place of an item that would have come next. It looks like any other
and has no effect: no decision on it becomes final, so nothing that follows final decisions hears of it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, TextClause, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.domain.risk import RiskLevel
from serving.review.events import append
from serving.review.intake import described
from serving.review.items import (
    ACTS,
    DECISIONS,
    ITEMS,
    Item,
    NoItemError,
    ReviewConflictError,
    ReviewRefusedError,
    as_item,
    countries_column,
    decisions_of,
    get_item,
)
from serving.review.ranking import Place
from serving.review.words import Act, Outcome, Sample, State
from serving.store.assessments import Answered
from serving.store.database import one_at_a_time
from serving.store.review_tables import GoldenAnswerRow, GoldenUseRow, ReviewItemRow

ANSWERS = GoldenAnswerRow.__table__
USES = GoldenUseRow.__table__
_TRIED = 5
"""Answers that are tried when the reviewer's filter leaves some out."""
_SHOWN = (
    "listing_id", "assessment_id", "content_hash", "queue", "level", "action", "hazard", "risk_score", "p_unsafe",
    "category", "language", "countries", "seller", "title", "harm", "uncertainty",
)  # fmt: skip
"""Columns of an item that a copy has from the start."""
OTHERWISE_QUEUE = "safety"
"""Queue that a copy seems to stand in where the plan sends the listing nowhere."""
_OTHERWISE_HOURS = 120.0


@dataclass(frozen=True)
class GoldenAnswer:
    """A listing and its right answer."""

    id: int
    assessment_id: str
    item_id: int | None
    title: str
    level: RiskLevel
    hazards: tuple[str, ...]
    uses: int
    most_uses: int
    added_by: str
    added_at: dt.datetime
    retired_at: dt.datetime | None


class GoldenAnswers:
    """The known answers of one database. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    most_uses : int
        Reviewers that an answer is shown to before it is retired: what everybody has seen measures memory.
    """

    def __init__(self, engine: Engine, most_uses: int = 20) -> None:
        self.engine = engine
        self.most_uses = most_uses

    def add_item(self, item_id: int, added_by: str, now: dt.datetime) -> int:
        """Make the final decision on an item a known answer, and return its number.

        Raises
        ------
        ReviewConflictError
            If the item has no final decision, or is an answer already.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            item = get_item(connection, item_id)
            final = [d for d in decisions_of(connection, item_id) if d.final_at is not None and d.final_at <= now]
            if item.sample == Sample.GOLDEN or item.state is not State.DECIDED or not final:
                raise ReviewConflictError(f"Item {item_id} has no decision that is final: its answer is not known yet.")
            verdict = final[-1]
            hazards = verdict.hazards if verdict.outcome == Outcome.CONFIRMED_RISK else []
            shown = {name: getattr(item, name) for name in _SHOWN} | {"countries": countries_column(item.countries)}
            hours = (item.due_at - item.opened_at).total_seconds() / 3600
            return self._add(connection, shown, hours, verdict.level, hazards, item_id, added_by, now)

    def add_answer(
        self, answer: Answered, level: RiskLevel, hazards: Sequence[str], added_by: str, now: dt.datetime
    ) -> int:
        """Keep the known answer to a listing that was assessed for it, and return its number.

        Raises
        ------
        ReviewConflictError
            If it is kept already.
        ReviewRefusedError
            If hazards and level contradict each other.
        """
        if bool(hazards) != (level.rank > RiskLevel.NONE.rank):
            raise ReviewRefusedError(
                "hazards",
                f"{len(hazards)} hazards at level {level}",
                "name hazards for a risk, and none for level none",
            )
        decision = answer.assessment.decision
        hours = float(decision.due.least_hours) if decision.due is not None else _OTHERWISE_HOURS
        shown = {**described(answer.listing, answer.assessment), "queue": decision.queue or OTHERWISE_QUEUE}
        with one_at_a_time(self.engine, ACTS) as connection:
            return self._add(connection, shown, hours, level.value, hazards, None, added_by, now)

    def retire(self, golden_id: int, retired_by: str, now: dt.datetime) -> None:
        """Hand an answer out no more; what it measured stays.

        Raises
        ------
        NoItemError
            If there is none of that number that is in use.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            done = connection.execute(
                update(GoldenAnswerRow)
                .where(ANSWERS.c.id == golden_id, ANSWERS.c.retired_at.is_(None))
                .values(retired_at=now)
            )
            if done.rowcount == 0:
                raise NoItemError(f"There is no known answer {golden_id} in use.")
            append(connection, now, retired_by, Act.GOLDEN_RETIRED, None, {"golden": golden_id})

    def all(self) -> list[GoldenAnswer]:
        """Return every answer, newest first."""
        uses = select(func.count()).where(USES.c.golden_id == ANSWERS.c.id).scalar_subquery()
        query = select(ANSWERS, uses.label("uses")).order_by(ANSWERS.c.id.desc())
        with self.engine.connect() as connection:
            return [_as_answer(row) for row in connection.execute(query)]

    def of_item(self, item_id: int) -> int | None:
        """Return the number of the answer that an item was made into; None where it is none."""
        with self.engine.connect() as connection:
            return connection.execute(select(ANSWERS.c.id).where(ANSWERS.c.item_id == item_id)).scalar()

    def _add(
        self,
        connection: Connection,
        shown: dict[str, Any],
        hours: float,
        level: str,
        hazards: Sequence[str],
        item_id: int | None,
        added_by: str,
        now: dt.datetime,
    ) -> int:
        values = {
            "assessment_id": shown["assessment_id"], "item_id": item_id, "level": level, "hazards": sorted(hazards),
            "shown": shown, "hours": hours, "most_uses": self.most_uses, "added_by": added_by, "added_at": now,
        }  # fmt: skip
        try:
            added = insert(GoldenAnswerRow).values(**values).returning(GoldenAnswerRow.id)
            key = connection.execute(added).scalar_one()
        except IntegrityError as error:
            raise ReviewConflictError(f"{shown['title']!r} is a known answer already.") from error
        # The log is read by reviewers too: it says that there is one, and not of what.
        append(connection, now, added_by, Act.GOLDEN_ADDED, None, {"golden": key})
        return int(key)


@dataclass(frozen=True)
class GoldenMix:
    """Puts known answers among what reviewers are given.

    Parameters
    ----------
    share : float
        Of the items that are given to a reviewer, 0 to 1.
    draw : callable
        Gives a number from 0 to 1.
    """

    share: float = 0.0
    draw: Callable[[], float] = field(default=random.SystemRandom().random)

    def instead_of(
        self,
        connection: Connection,
        item: Item,
        reviewer: str,
        now: dt.datetime,
        conditions: Sequence[ColumnElement[bool] | TextClause] = (),
    ) -> Item | None:
        """Open a copy for the reviewer in place of an item that waits for them; None where none is due or fits.

        The copy came in when that item did, and fits the reviewer's filter: nothing tells it apart.
        """
        if self.share <= 0 or self.draw() >= self.share:
            return None
        for answer in connection.execute(_unseen_by(reviewer).limit(_TRIED)).all():
            copy = self._copied(connection, answer, item, reviewer, now, conditions)
            if copy is not None:
                return copy
        return None

    @staticmethod
    def _copied(
        connection: Connection,
        answer: Row[Any],
        item: Item,
        reviewer: str,
        now: dt.datetime,
        conditions: Sequence[ColumnElement[bool] | TextClause],
    ) -> Item | None:
        due_at = item.opened_at + dt.timedelta(hours=answer.hours)
        values = {
            **answer.shown,
            "rank": Place(answer.shown["harm"], answer.shown["uncertainty"], due_at).rank(dt.timedelta(hours=24)),
            "state": State.OPEN.value,
            "sample": Sample.GOLDEN.value,
            "opened_at": item.opened_at,
            "due_at": due_at,
            "only_for": reviewer,
        }
        trial = connection.begin_nested()
        key = connection.execute(insert(ReviewItemRow).values(**values).returning(ReviewItemRow.id)).scalar_one()
        row = connection.execute(select(ITEMS).where(ITEMS.c.id == key, *conditions)).one_or_none()
        if row is None:  # the filter leaves it out
            trial.rollback()
            return None
        trial.commit()
        used = {"golden_id": answer.id, "item_id": key, "reviewer": reviewer, "given_at": now}
        connection.execute(insert(GoldenUseRow).values(**used))
        if answer.uses + 1 >= answer.most_uses:
            connection.execute(update(GoldenAnswerRow).where(ANSWERS.c.id == answer.id).values(retired_at=now))
        return as_item(row)


def _unseen_by(reviewer: str) -> Any:
    """Return the query of answers that a reviewer can be asked for, the least used first.

    Not those that they were given before, nor those that they helped to find.
    """
    uses = select(func.count()).where(USES.c.golden_id == ANSWERS.c.id).scalar_subquery()
    seen = select(USES.c.id).where(USES.c.golden_id == ANSWERS.c.id, USES.c.reviewer == reviewer).exists()
    decided = and_(DECISIONS.c.item_id == ANSWERS.c.item_id, DECISIONS.c.reviewer == reviewer)
    known = select(DECISIONS.c.id).where(decided).exists()
    return (
        select(ANSWERS, uses.label("uses"))
        .where(ANSWERS.c.retired_at.is_(None), ~seen, ~known)
        .order_by(uses, ANSWERS.c.id)
    )


def _as_answer(row: Row[Any]) -> GoldenAnswer:
    return GoldenAnswer(
        row.id,
        row.assessment_id,
        row.item_id,
        row.shown["title"],
        RiskLevel(row.level),
        tuple(row.hazards),
        row.uses,
        row.most_uses,
        row.added_by,
        row.added_at,
        row.retired_at,
    )

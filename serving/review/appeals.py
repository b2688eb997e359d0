"""Sellers' complaints against decisions: received, and upheld or overturned by somebody who did not decide."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine, insert, select, update

from models.domain.action import Action
from models.domain.risk import RiskLevel
from serving.review.events import append
from serving.review.items import (
    ACTS,
    NoItemError,
    ReviewConflictError,
    ReviewRefusedError,
    add_decision,
    decisions_of,
    get_item,
)
from serving.review.told import tell_decision
from serving.review.words import Act, Outcome, Round, Sample, State
from serving.store.database import one_at_a_time
from serving.store.review_tables import ReviewAppealRow

Ruling = Literal["upheld", "overturned"]
_APPEALS = ReviewAppealRow.__table__


@dataclass(frozen=True)
class Appeal:
    """A complaint; `ruling` is None while it waits."""

    id: int
    item_id: int
    complaint: str
    received_at: dt.datetime
    ruling: str | None
    reviewer: str | None
    reason: str
    ruled_at: dt.datetime | None


@dataclass(frozen=True)
class Appeals:
    """Complaints against decisions (DSA Article 20). Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    grace : timedelta
        How long an overturning ruling has no effect outside.
    """

    engine: Engine
    grace: dt.timedelta = dt.timedelta(seconds=30)

    def receive(self, item_id: int, complaint: str, received_by: str, now: dt.datetime) -> Appeal:
        """Note a complaint.

        Raises
        ------
        ReviewConflictError
            If the item is not decided, or a complaint against it waits already.
        ReviewRefusedError
            If it says nothing.
        """
        if not complaint.strip():
            raise ReviewRefusedError("complaint", "it is empty", "give the seller's words")
        with one_at_a_time(self.engine, ACTS) as connection:
            item = get_item(connection, item_id)
            if item.sample == Sample.GOLDEN:
                raise NoItemError(f"There is no item {item_id}.")
            if item.state is not State.DECIDED:
                raise ReviewConflictError(f"Item {item_id} is {item.state}: there is no decision to complain of.")
            waits = select(_APPEALS.c.id).where(_APPEALS.c.item_id == item_id, _APPEALS.c.ruled_at.is_(None))
            if connection.execute(waits).scalar() is not None:
                raise ReviewConflictError(f"A complaint about item {item_id} waits already.")
            values = {"item_id": item_id, "complaint": complaint, "received_at": now, "reason": ""}
            added = insert(ReviewAppealRow).values(**values).returning(ReviewAppealRow.id)
            key = connection.execute(added).scalar_one()
            append(connection, now, received_by, Act.APPEALED, item_id, {"appeal": key})
            return _get(connection, key)

    def rule(self, appeal_id: int, reviewer: str, ruling: Ruling, reason: str, now: dt.datetime) -> Appeal:
        """Uphold a decision, or overturn it: the listing is then released.

        Raises
        ------
        ReviewConflictError
            If the complaint is ruled on, or the reviewer took part in the decision.
        ReviewRefusedError
            Without a reason.
        """
        if not reason.strip():
            raise ReviewRefusedError("reason", "there is none", "say why; the seller is told")
        with one_at_a_time(self.engine, ACTS) as connection:
            appeal = _get(connection, appeal_id)
            if appeal.ruled_at is not None:
                raise ReviewConflictError(f"Complaint {appeal_id} was {appeal.ruling} by {appeal.reviewer}.")
            made = decisions_of(connection, appeal.item_id)
            if reviewer in {decision.reviewer for decision in made}:
                raise ReviewConflictError(f"{reviewer} took part in the decision; another person must rule.")
            done = {"ruling": ruling, "reviewer": reviewer, "reason": reason, "ruled_at": now}
            connection.execute(update(ReviewAppealRow).where(_APPEALS.c.id == appeal_id).values(**done))
            if ruling == "overturned":
                item = get_item(connection, appeal.item_id)
                release = {
                    "item_id": item.id,
                    "assessment_id": item.assessment_id,
                    "round": Round.APPEAL.value,
                    "reviewer": reviewer,
                    "outcome": Outcome.JUSTIFIED_ALERT.value,
                    "action": Action.PUBLISH.value,
                    "level": RiskLevel.NONE.value,
                    "hazards": [],
                    "reason_code": "",
                    "note": reason,
                    "worksheet": None,
                    "model_action": item.action,
                    "model_level": item.level,
                    "seconds": 0.0,
                    "decided_at": now,
                    "final_at": now + self.grace,
                }
                tell_decision(connection, item, add_decision(connection, release))
            append(connection, now, reviewer, Act.RULED, appeal.item_id, {"appeal": appeal_id, "ruling": ruling})
            return _get(connection, appeal_id)

    def waiting(self) -> list[Appeal]:
        """Return complaints that wait, oldest first."""
        query = select(_APPEALS).where(_APPEALS.c.ruled_at.is_(None)).order_by(_APPEALS.c.received_at, _APPEALS.c.id)
        with self.engine.connect() as connection:
            return [Appeal(*row) for row in connection.execute(query)]

    def of_item(self, item_id: int) -> list[Appeal]:
        """Return the complaints about an item, oldest first."""
        query = select(_APPEALS).where(_APPEALS.c.item_id == item_id).order_by(_APPEALS.c.id)
        with self.engine.connect() as connection:
            return [Appeal(*row) for row in connection.execute(query)]


def _get(connection: Connection, appeal_id: int) -> Appeal:
    row = connection.execute(select(_APPEALS).where(_APPEALS.c.id == appeal_id)).one_or_none()
    if row is None:
        raise NoItemError(f"There is no complaint {appeal_id}.")
    return Appeal(*row)

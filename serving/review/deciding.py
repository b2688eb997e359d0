"""Decisions: kept, looked at by a second person where that is due, taken back within a grace time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from models.domain.risk import RiskLevel
from serving.review.claims import held_by, state_by, wake
from serving.review.events import append
from serving.review.items import (
    ACTS,
    DECISIONS,
    Decided,
    Item,
    NoItemError,
    ReviewConflictError,
    add_decision,
    as_decided,
    change_item,
    deciders,
    decisions_now,
    decisions_of,
    get_item,
)
from serving.review.told import take_back, tell_decision
from serving.review.verdicts import Verdict, needs_second
from serving.review.words import ROUND_IN, WAITING, Act, Round, Sample, State
from serving.store.database import one_at_a_time
from serving.store.review_tables import ReviewDecisionRow


@dataclass(frozen=True)
class Bulk:
    """What became of a selection."""

    batch: str
    decided: list[int]
    left: dict[int, str] = field(default_factory=dict)
    """Items that were left as they are, and why."""


@dataclass(frozen=True)
class Decisions:
    """Takes verdicts. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    risk_types : collection of str
        Hazards that a verdict can name.
    reason_codes : collection of str
        Codes of the plan, for verdicts that keep a listing from being seen.
    grace : timedelta
        How long a verdict can be taken back, and has no effect outside.
    lease : timedelta
        How long an item whose verdict was taken back stays with the reviewer, beyond the grace time.
    """

    engine: Engine
    risk_types: Collection[str]
    reason_codes: Collection[str] = ()
    grace: dt.timedelta = dt.timedelta(seconds=30)
    lease: dt.timedelta = dt.timedelta(minutes=10)

    def decide(self, item_id: int, reviewer: str, assessment_id: str, verdict: Verdict, now: dt.datetime) -> Decided:
        """Keep a verdict on an item that the reviewer has claimed.

        Parameters
        ----------
        assessment_id : str
            What the reviewer saw: a verdict on a listing that has changed meanwhile is refused.

        Raises
        ------
        ReviewConflictError
            If the reviewer does not have the item, or it shows another assessment now.
        ReviewRefusedError
            If the verdict is not in order.
        """
        self.check(verdict)
        with one_at_a_time(self.engine, ACTS) as connection:
            item = held_by(connection, item_id, reviewer, now)
            if item.assessment_id != assessment_id:
                raise ReviewConflictError(f"The listing of item {item_id} has changed meanwhile: look at it again.")
            return self._keep(connection, item, reviewer, verdict, now, None)

    def check(self, verdict: Verdict) -> None:
        """Raise `ReviewRefusedError` where a verdict is not in order."""
        verdict.check(self.risk_types, self.reason_codes)

    def decide_all(self, item_ids: Sequence[int], reviewer: str, verdict: Verdict, now: dt.datetime) -> Bulk:
        """Keep one verdict on many items; those that do not wait for this person are left, each with its reason.

        Raises
        ------
        ReviewRefusedError
            If the verdict is not in order; nothing was decided.
        """
        self.check(verdict)
        bulk = Bulk(uuid.uuid4().hex, [])
        with one_at_a_time(self.engine, ACTS) as connection:
            wake(connection, now)
            for item_id in dict.fromkeys(item_ids):
                try:
                    item = get_item(connection, item_id)
                    self._free_for(connection, item, reviewer, now)
                except ReviewConflictError as conflict:
                    bulk.left[item_id] = str(conflict)
                    continue
                self._keep(connection, item, reviewer, verdict, now, bulk.batch)
                bulk.decided.append(item_id)
        return bulk

    def undo(self, decision_id: int, reviewer: str, now: dt.datetime) -> Item:
        """Take one's own verdict back; the item is with the reviewer again, as it was.

        Raises
        ------
        ReviewConflictError
            If it is somebody else's, the grace time is over, or another person has decided since.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            row = connection.execute(select(DECISIONS).where(DECISIONS.c.id == decision_id)).one_or_none()
            if row is None:
                raise NoItemError(f"There is no decision {decision_id}.")
            return self._undo(connection, as_decided(row), reviewer, now)

    def undo_all(self, batch: str, reviewer: str, now: dt.datetime) -> Bulk:
        """Take back every verdict of a batch that can still be taken back."""
        done = Bulk(batch, [])
        with one_at_a_time(self.engine, ACTS) as connection:
            query = select(DECISIONS).where(DECISIONS.c.batch == batch, DECISIONS.c.undone_at.is_(None))
            for row in connection.execute(query.order_by(DECISIONS.c.id)).all():
                try:
                    self._undo(connection, as_decided(row), reviewer, now, keep_claim=False)
                except ReviewConflictError as conflict:
                    done.left[row.item_id] = str(conflict)
                else:
                    done.decided.append(row.item_id)
        return done

    def _keep(
        self, connection: Connection, item: Item, reviewer: str, verdict: Verdict, now: dt.datetime, batch: str | None
    ) -> Decided:
        earlier = decisions_now(connection, item)
        final = self._is_final(item, verdict, earlier)
        values: dict[str, Any] = {
            "item_id": item.id,
            "assessment_id": item.assessment_id,
            "round": ROUND_IN[item.state].value,
            "reviewer": reviewer,
            "outcome": verdict.outcome.value,
            "action": verdict.action.value,
            "level": verdict.level.value,
            "hazards": list(verdict.hazards),
            "reason_code": verdict.reason_code,
            "note": verdict.note,
            "worksheet": verdict.worksheet,
            "model_action": item.action,
            "model_level": item.level,
            "seconds": verdict.seconds,
            "batch": batch,
            "decided_at": now,
            "final_at": now + self.grace if final and item.sample != Sample.GOLDEN else None,
        }
        kept = add_decision(connection, values)
        state = State.DECIDED if final else state_by(len(earlier) + 1)
        change = {
            "state": state.value,
            "claimed_by": None,
            "claimed_until": None,
            "assigned_to": None,
            "decided_at": now if final else None,
        }
        change_item(connection, item.id, change)
        new = {**kept.facts(), "state": state.value}
        append(connection, now, reviewer, Act.DECIDED, item.id, new, {"state": item.state.value})
        if kept.final_at is not None:
            tell_decision(connection, item, kept)
        return kept

    @staticmethod
    def _is_final(item: Item, verdict: Verdict, earlier: Sequence[Decided]) -> bool:
        if item.sample == Sample.GOLDEN:
            return True
        if not earlier:
            return not needs_second(verdict, RiskLevel(item.level))
        if len(earlier) == 1:
            return verdict.agrees_with(earlier[0].action, earlier[0].level)
        return True

    @staticmethod
    def _free_for(connection: Connection, item: Item, reviewer: str, now: dt.datetime) -> None:
        holder = item.claimant(now)
        if item.only_for not in (None, reviewer):
            raise NoItemError(f"There is no item {item.id}.")
        if item.state not in WAITING:
            raise ReviewConflictError(f"It is {item.state}.")
        if holder not in (None, reviewer):
            raise ReviewConflictError(f"It is with {holder}.")
        if item.assigned_to not in (None, reviewer):
            raise ReviewConflictError(f"It was sent to {item.assigned_to}.")
        if reviewer in deciders(connection, item):
            raise ReviewConflictError(f"{reviewer} has decided it already; another person must.")

    def _undo(
        self, connection: Connection, decision: Decided, reviewer: str, now: dt.datetime, keep_claim: bool = True
    ) -> Item:
        if decision.reviewer != reviewer:
            raise ReviewConflictError(f"Decision {decision.id} is not {reviewer}'s.")
        if decision.round == Round.APPEAL:
            raise ReviewConflictError("A ruling on a complaint is not taken back; the seller is told.")
        if decision.undone_at is not None:
            raise ReviewConflictError(f"Decision {decision.id} was taken back already.")
        if now >= decision.decided_at + self.grace:
            raise ReviewConflictError(f"The time to take decision {decision.id} back is over.")
        item = get_item(connection, decision.item_id)
        later = any(other.id > decision.id for other in decisions_of(connection, item.id))
        holder = item.claimant(now)
        if later or holder not in (None, reviewer) or item.assessment_id != decision.assessment_id:
            raise ReviewConflictError(f"Item {item.id} has moved on since decision {decision.id}.")
        if decision.final_at is not None and not take_back(connection, decision):
            raise ReviewConflictError(f"Decision {decision.id} was told outside already.")
        taken_back = update(ReviewDecisionRow).where(DECISIONS.c.id == decision.id)
        connection.execute(taken_back.values(undone_at=now, final_at=None))
        state = next(state for state, look in ROUND_IN.items() if look == decision.round)
        change: dict[str, Any] = {"state": state.value, "decided_at": None}
        if keep_claim:
            change |= {"claimed_by": reviewer, "claimed_until": now + self.grace + self.lease}
        change_item(connection, item.id, change)
        new = {"decision": decision.id, "state": state.value}
        append(connection, now, reviewer, Act.UNDONE, item.id, new, {"state": item.state.value})
        return get_item(connection, item.id)

"""Who has which item: claimed with a lease, given back, passed over, held, escalated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, TextClause, and_, exists, insert, or_, select

from serving.review.events import append
from serving.review.golden import GoldenMix
from serving.review.items import (
    ACTS,
    DECISIONS,
    ITEMS,
    Item,
    NoItemError,
    ReviewConflictError,
    ReviewRefusedError,
    as_item,
    change_item,
    deciders,
    get_item,
    visible_to,
)
from serving.review.words import WAITING, Act, State
from serving.store.database import one_at_a_time
from serving.store.review_tables import HELD, WAITS, ReviewSkipRow

SKIPS = ReviewSkipRow.__table__


@dataclass(frozen=True)
class Claims:
    """Hands items to reviewers, never one to two at once. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    lease : timedelta
        How long a claim lasts without being renewed.
    mix : GoldenMix
        Puts known answers among what is handed out.
    """

    engine: Engine
    lease: dt.timedelta = dt.timedelta(minutes=10)
    mix: GoldenMix = field(default_factory=GoldenMix)

    def next(
        self,
        reviewer: str,
        now: dt.datetime,
        conditions: Sequence[ColumnElement[bool] | TextClause] = (),
    ) -> Item | None:
        """Give the reviewer the first item that waits for them, and return it; None where none does.

        What was sent to them by name comes first. Items that they decided on in an earlier round, or passed over, are
        left to others. An item that they have already is given again.

        Parameters
        ----------
        conditions : sequence
            Further conditions on the items' columns.
        """
        fit = fit_for(reviewer, now)
        mine = and_(ITEMS.c.claimed_by == reviewer, ITEMS.c.claimed_until > now, WAITS)
        by_name = and_(ITEMS.c.assigned_to == reviewer, fit)
        with one_at_a_time(self.engine, ACTS) as connection:
            wake(connection, now)
            for condition in (mine, by_name, fit):
                first = select(ITEMS).where(condition, *conditions).order_by(ITEMS.c.rank, ITEMS.c.id).limit(1)
                row = connection.execute(first).one_or_none()
                if row is None:
                    continue
                found = as_item(row)
                if condition is fit:
                    found = self.mix.instead_of(connection, found, reviewer, now, conditions) or found
                return self._claimed(connection, found, reviewer, now)
        return None

    def claim(self, item_id: int, reviewer: str, now: dt.datetime) -> Item:
        """Give the reviewer this item.

        Raises
        ------
        ReviewConflictError
            If somebody else has it, or it does not wait for this person.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            wake(connection, now)
            item = get_item(connection, item_id)
            if item.only_for not in (None, reviewer):
                raise NoItemError(f"There is no item {item_id}.")
            holder = item.claimant(now)
            if holder not in (None, reviewer):
                raise ReviewConflictError(f"Item {item_id} is with {holder} until {item.claimed_until:%H:%M} UTC.")
            if item.state not in WAITING:
                raise ReviewConflictError(f"Item {item_id} is {item.state}: it waits for nobody.")
            if item.assigned_to not in (None, reviewer):
                raise ReviewConflictError(f"Item {item_id} was sent to {item.assigned_to}.")
            if reviewer in deciders(connection, item):
                raise ReviewConflictError(f"{reviewer} has decided item {item_id} already; another person must.")
            return self._claimed(connection, item, reviewer, now)

    def renew(self, item_id: int, reviewer: str, now: dt.datetime) -> Item:
        """Let a claim last from now on as long as a new one.

        Raises
        ------
        ReviewConflictError
            If the reviewer no longer has the item.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            held_by(connection, item_id, reviewer, now)
            until = now + self.lease
            change_item(connection, item_id, {"claimed_until": until})
            append(connection, now, reviewer, Act.RENEWED, item_id, {"until": until.isoformat()})
            return get_item(connection, item_id)

    def release(self, item_id: int, reviewer: str, now: dt.datetime) -> None:
        """Give an item back; nothing happens where the claim has run out."""
        with one_at_a_time(self.engine, ACTS) as connection:
            if get_item(connection, item_id).claimant(now) == reviewer:
                change_item(connection, item_id, _UNCLAIMED)
                append(connection, now, reviewer, Act.RELEASED, item_id, {})

    def skip(self, item_id: int, reviewer: str, reason: str, now: dt.datetime) -> None:
        """Pass over an item: others get it.

        Raises
        ------
        ReviewConflictError
            If the reviewer does not have the item.
        ReviewRefusedError
            Without a reason.
        """
        _reason(reason)
        with one_at_a_time(self.engine, ACTS) as connection:
            item = held_by(connection, item_id, reviewer, now)
            values = {"item_id": item_id, "reviewer": reviewer, "reason": reason, "skipped_at": now}
            connection.execute(insert(ReviewSkipRow).values(**values))
            change_item(connection, item_id, {**_UNCLAIMED, "assigned_to": None})
            append(
                connection, now, reviewer, Act.SKIPPED, item_id, {"reason": reason}, {"assigned_to": item.assigned_to}
            )

    def hold(self, item_id: int, reviewer: str, until: dt.datetime, reason: str, now: dt.datetime) -> None:
        """Put an item aside until a moment; it then waits again, for anybody.

        Raises
        ------
        ReviewConflictError
            If the reviewer does not have the item.
        ReviewRefusedError
            Without a reason, or if the moment is past.
        """
        _reason(reason)
        if until <= now:
            raise ReviewRefusedError("until", f"{until.isoformat()} is past", "give a moment to come")
        with one_at_a_time(self.engine, ACTS) as connection:
            item = held_by(connection, item_id, reviewer, now)
            change_item(connection, item_id, {**_UNCLAIMED, "state": State.HELD.value, "held_until": until})
            new = {"until": until.isoformat(), "reason": reason}
            append(connection, now, reviewer, Act.HELD, item_id, new, {"state": item.state.value})

    def escalate(
        self, item_id: int, reviewer: str, reason: str, now: dt.datetime, queue: str = "", person: str = ""
    ) -> None:
        """Send an item to a queue or to a person.

        Raises
        ------
        ReviewConflictError
            If the reviewer does not have the item, or the person has decided it.
        ReviewRefusedError
            Without a reason, or without a place to send it to.
        """
        _reason(reason)
        if not queue and not person:
            raise ReviewRefusedError("queue", "nowhere to send it to", "name a queue or a person")
        with one_at_a_time(self.engine, ACTS) as connection:
            item = held_by(connection, item_id, reviewer, now)
            if person and person in deciders(connection, item):
                raise ReviewConflictError(f"{person} has decided item {item_id} already; send it to another person.")
            new = {"queue": queue or item.queue, "assigned_to": person or None}
            seen_by = {"only_for": person} if person and item.only_for else {}
            change_item(connection, item_id, {**_UNCLAIMED, **new, **seen_by})
            old = {"queue": item.queue, "assigned_to": item.assigned_to}
            append(connection, now, reviewer, Act.ESCALATED, item_id, {**new, "reason": reason}, old)

    def _claimed(self, connection: Connection, item: Item, reviewer: str, now: dt.datetime) -> Item:
        if item.claimant(now) == reviewer:
            return item
        until = now + self.lease
        change_item(connection, item.id, {"claimed_by": reviewer, "claimed_until": until})
        append(connection, now, reviewer, Act.CLAIMED, item.id, {"until": until.isoformat()})
        return replace(item, claimed_by=reviewer, claimed_until=until)


_UNCLAIMED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def fit_for(reviewer: str, now: dt.datetime) -> ColumnElement[bool]:
    """Return the condition that an item can be given to a reviewer now."""
    unclaimed = or_(ITEMS.c.claimed_until.is_(None), ITEMS.c.claimed_until <= now)
    for_them = or_(ITEMS.c.assigned_to.is_(None), ITEMS.c.assigned_to == reviewer)
    skipped = exists().where(SKIPS.c.item_id == ITEMS.c.id, SKIPS.c.reviewer == reviewer)
    decided = exists().where(
        DECISIONS.c.item_id == ITEMS.c.id,
        DECISIONS.c.reviewer == reviewer,
        DECISIONS.c.assessment_id == ITEMS.c.assessment_id,
        DECISIONS.c.undone_at.is_(None),
    )
    return and_(WAITS, unclaimed, for_them, visible_to(reviewer), ~skipped, ~decided)


def held_by(connection: Connection, item_id: int, reviewer: str, now: dt.datetime) -> Item:
    """Return an item that a reviewer has claimed.

    Raises
    ------
    ReviewConflictError
        If they have not, or no longer.
    """
    item = get_item(connection, item_id)
    holder = item.claimant(now)
    if holder != reviewer or item.state not in WAITING:
        where = f"it is with {holder}" if holder else f"it is {item.state} and with nobody"
        raise ReviewConflictError(f"{reviewer} does not have item {item_id}: {where}. Claim it first.")
    return item


def wake(connection: Connection, now: dt.datetime) -> None:
    """Open again what was put aside until now."""
    over = and_(HELD, ITEMS.c.held_until <= now)
    for row in connection.execute(select(ITEMS).where(over)).all():
        state = state_by(len(deciders(connection, as_item(row))))
        change_item(connection, row.id, {"state": state.value, "held_until": None})
        append(connection, now, "server", Act.RESUMED, row.id, {"state": state.value}, {"state": State.HELD.value})


def state_by(decisions: int) -> State:
    """Return how an undecided item stands after so many decisions on it."""
    return (State.OPEN, State.SECOND, State.DISPUTED)[min(decisions, 2)]


def _reason(reason: str) -> None:
    if not reason.strip():
        raise ReviewRefusedError("reason", "there is none", "say why in a few words")

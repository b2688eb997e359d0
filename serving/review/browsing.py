"""Reads items: filtered, in the order of the queue, counted; and what happened to one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Engine, TextClause, and_, case, func, or_, select

from serving.review.events import Event, events
from serving.review.items import (
    DECISIONS,
    ITEMS,
    Decided,
    Item,
    as_decided,
    as_item,
    get_item,
    get_items,
    visible_to,
)
from serving.review.words import State
from serving.store.review_tables import HELD, WAITS
from serving.store.tables import ShadowDecisionRow

Condition = ColumnElement[bool] | TextClause


@dataclass(frozen=True)
class Filter:
    """Which items to show; what is empty asks for nothing.

    Parameters
    ----------
    state : str
        ``waiting`` (open, second, disputed), ``held``, ``decided``, ``mine`` (claimed by, or sent to, `person`) or
        ``all``.
    due : str
        ``overdue``, ``today`` (within 24 hours) or empty.
    disagreement : bool
        Only items where a plan or a model on trial would decide otherwise.
    text : str
        Part of the title, or a whole listing id.
    """

    state: str = "waiting"
    queue: str = ""
    level: str = ""
    hazard: str = ""
    category: str = ""
    language: str = ""
    country: str = ""
    seller: str = ""
    due: str = ""
    disagreement: bool = False
    text: str = ""

    def query(self) -> str:
        """Return the filter as the query of an address."""
        return urlencode({name: value for name, value in vars(self).items() if value})

    def conditions(self, now: dt.datetime, person: str = "") -> list[Condition]:
        """Return the filter as conditions on the columns of items."""
        found: list[Condition] = []
        if self.state == "waiting":
            found.append(WAITS)
        elif self.state == "mine":
            mine = and_(ITEMS.c.claimed_by == person, ITEMS.c.claimed_until > now)
            found += [WAITS, or_(mine, ITEMS.c.assigned_to == person)]
        elif self.state == "held":
            found.append(HELD)
        elif self.state != "all":
            found.append(ITEMS.c.state == self.state)
        for name in ("queue", "level", "hazard", "language", "seller"):
            if value := getattr(self, name):
                found.append(ITEMS.c[name] == value)
        if self.category:
            found.append(ITEMS.c.category.icontains(self.category, autoescape=True))
        if self.country:
            found.append(ITEMS.c.countries.contains(f",{self.country.upper()},", autoescape=True))
        if self.due == "overdue":
            found.append(ITEMS.c.due_at <= now)
        elif self.due == "today":
            found.append(ITEMS.c.due_at <= now + dt.timedelta(days=1))
        if self.disagreement:
            other = select(ShadowDecisionRow.assessment_id).where(
                ShadowDecisionRow.assessment_id == ITEMS.c.assessment_id,
                ShadowDecisionRow.action != ShadowDecisionRow.live_action,
            )
            found.append(other.exists())
        if self.text:
            found.append(or_(ITEMS.c.title.icontains(self.text, autoescape=True), ITEMS.c.listing_id == self.text))
        found.append(visible_to(person))
        return found


@dataclass(frozen=True)
class QueueCount:
    """What waits in one queue."""

    queue: str
    waiting: int
    overdue: int


@dataclass(frozen=True)
class Beginning:
    """The first items of a filter, and how many it finds in all, counted up to some number."""

    items: list[Item]
    total: int


class Browsing:
    """Reads of the review tables. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def page(
        self,
        chosen: Filter,
        now: dt.datetime,
        person: str = "",
        limit: int = 50,
        after: tuple[float, int] | None = None,
    ) -> list[Item]:
        """Return items in the order in which they should be decided.

        Parameters
        ----------
        after : (rank, id), optional
            Of the last item of the page before.
        """
        query = select(ITEMS).where(*chosen.conditions(now, person)).order_by(*_order(chosen))
        if after is not None and chosen.state != "decided":
            rank, key = after
            query = query.where(or_(ITEMS.c.rank > rank, and_(ITEMS.c.rank == rank, ITEMS.c.id > key)))
        with self.engine.connect() as connection:
            return [as_item(row) for row in connection.execute(query.limit(limit))]

    def beginning(self, chosen: Filter, now: dt.datetime, person: str, limit: int, most: int) -> Beginning:
        """Return the first items and the count, from one pass over the index of what waits.

        Parameters
        ----------
        limit : int
            Items.
        most : int
            At which counting ends.
        """
        ids = select(ITEMS.c.id).where(*chosen.conditions(now, person)).order_by(*_order(chosen)).limit(most)
        with self.engine.connect() as connection:
            found = list(connection.execute(ids).scalars())
            first = get_items(connection, found[:limit])
        return Beginning([first[item_id] for item_id in found[:limit]], len(found))

    def count(self, chosen: Filter, now: dt.datetime, person: str = "", most: int | None = None) -> int:
        """Return how many items a filter finds; counting ends at `most`."""
        found = select(ITEMS.c.id).where(*chosen.conditions(now, person)).limit(most).subquery()
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(found)).scalar_one()

    def queues(self, now: dt.datetime, person: str = "") -> list[QueueCount]:
        """Return the counts of every queue in which something waits for a person, by name."""
        overdue = func.sum(case((ITEMS.c.due_at <= now, 1), else_=0))
        query = (
            select(ITEMS.c.queue, func.count(), overdue)
            .where(WAITS, visible_to(person))
            .group_by(ITEMS.c.queue)
            .order_by(ITEMS.c.queue)
        )
        with self.engine.connect() as connection:
            return [QueueCount(*row) for row in connection.execute(query)]

    def item(self, item_id: int) -> Item:
        """Return one item.

        Raises
        ------
        NoItemError
            If there is none of that number.
        """
        with self.engine.connect() as connection:
            return get_item(connection, item_id)

    def items(self, item_ids: Collection[int]) -> list[Item]:
        """Return items by their numbers, in the order of these.

        Raises
        ------
        NoItemError
            If there is none of some number.
        """
        with self.engine.connect() as connection:
            found = get_items(connection, item_ids)
        return [found[item_id] for item_id in item_ids]

    def of_listing(self, listing_id: str) -> list[Item]:
        """Return every item of a listing, newest first."""
        query = select(ITEMS).where(ITEMS.c.listing_id == listing_id).order_by(ITEMS.c.id.desc())
        with self.engine.connect() as connection:
            return [as_item(row) for row in connection.execute(query)]

    def of_seller(self, seller: str, listing_id: str, person: str, limit: int = 20) -> list[Item]:
        """Return the newest items of a seller's other listings, as far as a person may see them."""
        others = and_(ITEMS.c.seller == seller, ITEMS.c.listing_id != listing_id, visible_to(person))
        query = select(ITEMS).where(others).order_by(ITEMS.c.id.desc()).limit(limit)
        with self.engine.connect() as connection:
            return [as_item(row) for row in connection.execute(query)]

    def decisions(self, item_id: int) -> list[Decided]:
        """Return the decisions on an item, those that were taken back too, oldest first."""
        query = select(DECISIONS).where(DECISIONS.c.item_id == item_id).order_by(DECISIONS.c.id)
        with self.engine.connect() as connection:
            return [as_decided(row) for row in connection.execute(query)]

    def final(self, now: dt.datetime, after: int = 0, limit: int = 500) -> list[tuple[Decided, Item]]:
        """Return decisions that can no longer be taken back, in the order of their numbers."""
        query = (
            select(DECISIONS)
            .where(DECISIONS.c.id > after, DECISIONS.c.final_at <= now, DECISIONS.c.undone_at.is_(None))
            .order_by(DECISIONS.c.id)
            .limit(limit)
        )
        with self.engine.connect() as connection:
            made = [as_decided(row) for row in connection.execute(query)]
            items = get_items(connection, {decision.item_id for decision in made})
        return [(decision, items[decision.item_id]) for decision in made]

    def history(self, item_id: int) -> Sequence[Event]:
        """Return the acts on an item, oldest first."""
        with self.engine.connect() as connection:
            return list(events(connection, item_id))


def _order(chosen: Filter) -> tuple[ColumnElement[Any], ...]:
    if chosen.state == "decided":
        return ITEMS.c.decided_at.desc(), ITEMS.c.id.desc()
    return ITEMS.c.rank, ITEMS.c.id


def hidden_from(person: str, item: Item, decisions: Sequence[Decided]) -> bool:
    """Whether decisions on an item must not be shown to a person: the second look is blind."""
    undecided = item.state in (State.SECOND, State.DISPUTED)
    return undecided and person not in {decision.reviewer for decision in decisions}

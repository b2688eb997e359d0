"""Items as the code sees them, and how the transaction of one act is begun."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from serving.review.words import State
from serving.store.review_tables import ReviewDecisionRow, ReviewItemRow

ITEMS = ReviewItemRow.__table__
DECISIONS = ReviewDecisionRow.__table__
ACTS = 0x52455657  # "REVW"
"""Key under which acts are done one after another: each is judged by what came before it."""


class ReviewConflictError(Exception):
    """An act does not fit how things stand; the message says how they do."""


class NoItemError(ReviewConflictError):
    """There is nothing of that number."""


class ReviewRefusedError(Exception):
    """A verdict is not in order.

    Parameters
    ----------
    field : str
        What is wrong.
    message, hint : str
        Why, and how to mend it.
    """

    def __init__(self, field: str, message: str, hint: str) -> None:
        self.field, self.message, self.hint = field, message, hint
        super().__init__(f"{field}: {message}; {hint}")


@dataclass(frozen=True)
class Item:
    """A listing that a person must decide on; the columns of its row."""

    id: int
    listing_id: str
    assessment_id: str
    content_hash: str
    queue: str
    state: State
    sample: str
    level: str
    action: str
    hazard: str
    risk_score: float
    p_unsafe: float | None
    category: str
    language: str
    countries: tuple[str, ...]
    seller: str
    title: str
    harm: float
    uncertainty: float
    rank: float
    opened_at: dt.datetime
    due_at: dt.datetime
    held_until: dt.datetime | None
    assigned_to: str | None
    claimed_by: str | None
    claimed_until: dt.datetime | None
    decided_at: dt.datetime | None
    only_for: str | None

    def claimant(self, now: dt.datetime) -> str | None:
        """Who has it now; a claim that has run out counts no more."""
        return self.claimed_by if self.claimed_until is not None and self.claimed_until > now else None


@dataclass(frozen=True)
class Decided:
    """A kept decision; the columns of its row."""

    id: int
    item_id: int
    assessment_id: str
    round: str
    reviewer: str
    outcome: str
    action: str
    level: str
    hazards: list[str]
    reason_code: str
    note: str
    worksheet: dict[str, Any] | None
    model_action: str
    model_level: str
    seconds: float
    batch: str | None
    decided_at: dt.datetime
    final_at: dt.datetime | None
    undone_at: dt.datetime | None

    def facts(self) -> dict[str, Any]:
        """Return what the log says of it: everything but the free text, which may be erased one day."""
        return {
            "decision": self.id,
            "assessment": self.assessment_id,
            "round": self.round,
            "outcome": self.outcome,
            "action": self.action,
            "level": self.level,
            "hazards": self.hazards,
            "reason_code": self.reason_code,
            "worksheet": self.worksheet,
            "batch": self.batch,
        }


def as_item(row: Row[Any]) -> Item:
    """Return the item of a row."""
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    values["countries"] = tuple(code for code in values["countries"].split(",") if code)
    return Item(**{field.name: values[field.name] for field in fields(Item)})


def as_decided(row: Row[Any]) -> Decided:
    """Return the decision of a row."""
    return Decided(**{field.name: row._mapping[field.name] for field in fields(Decided)})


def countries_column(codes: tuple[str, ...] | list[str]) -> str:
    """Return codes as they are kept: each between commas, so that one is found without its neighbours."""
    kept = sorted({code.upper() for code in codes})
    return f",{','.join(kept)}," if kept else ""


def visible_to(person: str) -> ColumnElement[bool]:
    """Return the condition that a person may see an item: the copy of a golden one is there for one reviewer alone."""
    return or_(ITEMS.c.only_for.is_(None), ITEMS.c.only_for == person)


def get_item(connection: Connection, item_id: int) -> Item:
    """Return an item.

    Raises
    ------
    NoItemError
        If there is none of that number.
    """
    return get_items(connection, [item_id])[item_id]


def get_items(connection: Connection, item_ids: Collection[int]) -> dict[int, Item]:
    """Return items by their numbers.

    Raises
    ------
    NoItemError
        If there is none of some number.
    """
    rows = connection.execute(select(ITEMS).where(ITEMS.c.id.in_(item_ids)))
    found = {row.id: as_item(row) for row in rows}
    for item_id in item_ids:
        if item_id not in found:
            raise NoItemError(f"There is no item {item_id}.")
    return found


def change_item(connection: Connection, item_id: int, values: Mapping[str, Any]) -> None:
    """Write columns of an item."""
    connection.execute(update(ReviewItemRow).where(ITEMS.c.id == item_id).values(**values))


def add_decision(connection: Connection, values: Mapping[str, Any]) -> Decided:
    """Keep a decision."""
    added = insert(ReviewDecisionRow).values(**values).returning(*DECISIONS.c)
    return as_decided(connection.execute(added).one())


def decisions_of(connection: Connection, item_id: int) -> list[Decided]:
    """Return the decisions on an item that were not taken back, oldest first."""
    query = select(DECISIONS).where(DECISIONS.c.item_id == item_id, DECISIONS.c.undone_at.is_(None))
    return [as_decided(row) for row in connection.execute(query.order_by(DECISIONS.c.id))]


def decisions_now(connection: Connection, item: Item) -> list[Decided]:
    """Return those of them that are on what the item now shows."""
    return [made for made in decisions_of(connection, item.id) if made.assessment_id == item.assessment_id]


def deciders(connection: Connection, item: Item) -> set[str]:
    """Return who has decided on what the item now shows."""
    return {made.reviewer for made in decisions_now(connection, item)}

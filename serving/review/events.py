"""The log of every act on reviews: append-only, each entry chained to the one before."""

from __future__ import annotations

from dataclasses import dataclass

from serving.store.chained_log import START, Break, Head
from serving.store.review_tables import ReviewEventPersonalRow, ReviewEventRow
from serving.store.sealed_log import SealedEntry, SealedLog

__all__ = ["START", "Break", "Event", "Head", "append", "breaks", "events", "head"]


@dataclass(frozen=True)
class Event(SealedEntry):
    """One act on an item, or on none in particular."""

    item_id: int | None
    old: str
    new: str
    previous: str
    digest: str
    seal: str | None = None
    salt: str | None = None
    personal: str | None = None


LOG = SealedLog(ReviewEventRow, Event, "item_id", ReviewEventPersonalRow, ("reason", "assigned_to"))
append, head, events, breaks = LOG.append, LOG.head, LOG.events, LOG.breaks

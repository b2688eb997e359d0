"""Which items and decisions a figure is about, and the steps of time that it is told in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, and_, func

from serving.review.browsing import Condition
from serving.review.items import DECISIONS, ITEMS
from serving.store.review_tables import CLOSED, OPENED

_DAYS_SHOWN = 31
"""Up to so many days each has a step of its own; a longer time is told by weeks."""


@dataclass(frozen=True)
class Scope:
    """A period that ends now, and a queue.

    Parameters
    ----------
    now : datetime
    days : int
        How far back it begins: at midnight (UTC) of the day so many less one before today.
    queue : str
        Of the items; empty for all.
    """

    now: dt.datetime
    days: int = 30
    queue: str = ""

    @property
    def since(self) -> dt.datetime:
        """Its first moment."""
        midnight = self.now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - dt.timedelta(days=self.days - 1)

    def dates(self) -> Iterator[dt.date]:
        """Yield its days, first to last."""
        first = self.since.date()
        for number in range(self.days):
            yield first + dt.timedelta(days=number)

    def step(self, day: dt.date) -> dt.date:
        """Return the first day of the step that a day belongs to: itself, or its week's Monday."""
        return day if self.days <= _DAYS_SHOWN else day - dt.timedelta(days=day.weekday())

    def steps(self) -> list[dt.date]:
        """Return the first days of its steps."""
        return list(dict.fromkeys(self.step(day) for day in self.dates()))

    def opened(self) -> list[Condition]:
        """Return the conditions on items that came in."""
        return [OPENED, ITEMS.c.opened_at >= self.since, *self._in_queue()]

    def closed(self) -> list[Condition]:
        """Return the conditions on items that were decided for good."""
        return [CLOSED, ITEMS.c.decided_at >= self.since, *self._in_queue()]

    def decided(self) -> list[Condition]:
        """Return the conditions on decisions, joined with their items; known answers and what was undone left out."""
        made = and_(DECISIONS.c.decided_at >= self.since, DECISIONS.c.undone_at.is_(None))
        return [made, OPENED, *self._in_queue()]

    def _in_queue(self) -> list[Condition]:
        return [ITEMS.c.queue == self.queue] if self.queue else []


def day_of(connection: Connection, moment: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the day of a moment in UTC, as ISO date, in the words of the database."""
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", moment), "YYYY-MM-DD")
    return func.substr(moment, 1, 10, type_=String())  # kept as ISO text in UTC, which a function of time would parse


def month_of(connection: Connection, moment: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the month of a moment in UTC, as ``2026-03``."""
    return func.substr(day_of(connection, moment), 1, 7)

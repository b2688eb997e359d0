"""The figures of the dashboard as they were counted last, so that looking again costs no counting."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from serving.oversight.figures import FIGURES, Reviews, Table
from serving.oversight.flow import Waiting
from serving.oversight.scope import Scope

_KEPT = dt.timedelta(minutes=1)
_MOST = 32
"""Periods and queues that are kept: what people look at in turn, whatever addresses somebody makes up."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Counted:
    """Every figure of a scope, which says when it was counted."""

    scope: Scope
    tables: Mapping[str, Table]
    waiting: Waiting


class CountedFigures:
    """Counts figures, each scope at most once a minute whoever asks. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    clock : callable
    """

    def __init__(self, engine: Engine, clock: Callable[[], dt.datetime] = _utc_now) -> None:
        self.engine = engine
        self.clock = clock
        self._found: OrderedDict[tuple[int, str], Counted] = OrderedDict()
        self._counting = threading.Lock()

    def of(self, days: int, queue: str = "") -> Counted:
        """Return the figures of a period that ends now, or ended less than a minute ago."""
        # One at a time: whoever waits meanwhile takes what the first one counted.
        with self._counting:
            now, key = self.clock(), (days, queue)
            found = self._found.get(key)
            if found is None or now - found.scope.now >= _KEPT:
                found = self._found[key] = self._count(Scope(now, days, queue))
            self._found.move_to_end(key)
            while len(self._found) > _MOST:
                self._found.popitem(last=False)
            return found

    def _count(self, scope: Scope) -> Counted:
        with self.engine.connect() as connection:
            reviews = Reviews(connection, scope)
            return Counted(scope, {name: figure(reviews) for name, figure in FIGURES.items()}, reviews.waiting)

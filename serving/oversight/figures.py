"""Every figure of the dashboard as a table: what the chart draws, what the page lists, and what a CSV file holds."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from models.domain.risk import RiskLevel
from serving.oversight import findings, flow
from serving.oversight.scope import Scope
from serving.review.intervals import Share
from serving.review.words import Outcome

Cell = str | int | float | None
SHARES = frozenset({"share", "lower end", "upper end", "model says", "expected", "calibration error"})
"""Columns of shares, 0 to 1."""


@dataclass(frozen=True)
class Table:
    """A figure: names of its columns, and rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not any(isinstance(cell, int | float) and cell for row in self.rows for cell in row)

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def as_csv(self) -> str:
        """Return the table as CSV with a header line; an apostrophe precedes what a spreadsheet would run."""
        written = io.StringIO()
        lines = csv.writer(written)
        lines.writerow(name.replace(" ", "_") for name in self.columns)
        lines.writerows([_harmless(cell) for cell in row] for row in self.rows)
        return written.getvalue()


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


class Reviews:
    """The reviews of a scope; what several figures are counted from is read once.

    Parameters
    ----------
    connection : Connection
        Open for as long as figures are asked for.
    scope : Scope
    """

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self.connection = connection
        self.scope = scope

    @cached_property
    def waiting(self) -> flow.Waiting:
        """What waits now."""
        return flow.waiting(self.connection, self.scope)

    @cached_property
    def decisions(self) -> list[flow.Made]:
        """Every decision, counted."""
        return flow.decisions(self.connection, self.scope)

    @cached_property
    def findings(self) -> list[findings.Found]:
        """The decisions that stand, counted."""
        return findings.findings(self.connection, self.scope)


def _flow(of: Reviews) -> Table:
    steps = flow.flow(of.connection, of.scope)
    rows = [(step.begins.isoformat(), step.opened, step.decided, step.open_at_end) for step in steps]
    return Table(("from", "came in", "decided", "open at the end"), rows)


def _ages(of: Reviews) -> Table:
    return Table(("waiting for", "in time", "overdue"), of.waiting.ages)


def _decisions(of: Reviews) -> Table:
    counts = Counter[tuple[dt.date, Outcome]]()
    for made in of.decisions:
        counts[made.begins, made.outcome] += made.count
    rows: list[tuple[Cell, ...]] = [
        (begins.isoformat(), *(counts[begins, outcome] for outcome in Outcome)) for begins in of.scope.steps()
    ]
    return Table(("from", "confirmed risk", "justified alert", "false alarm"), rows)


def _clocks(of: Reviews) -> Table:
    rows = [(begins.isoformat(), kept, missed) for begins, kept, missed in flow.clocks(of.connection, of.scope)]
    return Table(("from", "kept", "missed"), rows)


def _precision_by_level(of: Reviews) -> Table:
    return _precision("level", findings.precision_by_level(of.findings))


def _precision_by_hazard(of: Reviews) -> Table:
    return _precision("hazard", findings.precision_by_hazard(of.findings))


def _precision(what: str, found: Sequence[findings.Precision]) -> Table:
    rows = [(each.said, *_counted(each.confirmed), each.justified.hits) for each in found]
    return Table((what, "findings", "confirmed", "share", "lower end", "upper end", "right to ask"), rows)


def _reliability(of: Reviews) -> Table:
    scores: tuple[findings.Score, ...] = ("unsafe", "high or serious")
    rows = [
        (score, each.said, *_counted(each.held))
        for score in scores
        for each in findings.reliability(of.findings, score)
    ]
    return Table(("probability of", "model says", "findings", "confirmed", "share", "lower end", "upper end"), rows)


def _months(of: Reviews) -> Table:
    rows = [(each.month, each.expected, *_counted(each.held), each.error) for each in findings.by_month(of.findings)]
    return Table(
        ("month", "expected", "findings", "confirmed", "share", "lower end", "upper end", "calibration error"), rows
    )


def _categories(of: Reviews) -> Table:
    hazards, rows = flow.categories(of.connection, of.scope)
    return Table(("category", *hazards), [(name, *counts) for name, counts in rows])


def _levels(of: Reviews) -> Table:
    counts = Counter[tuple[RiskLevel, RiskLevel]]()
    for made in of.decisions:
        counts[made.said, made.level] += made.count
    rows = [(said.value, *(counts[said, level] for level in RiskLevel)) for said in RiskLevel]
    return Table(("model", *(level.value for level in RiskLevel)), rows)


def _trial(of: Reviews) -> Table:
    rows = [
        (begins.isoformat(), seen, differ) for begins, seen, differ in flow.trial_differences(of.connection, of.scope)
    ]
    return Table(("from", "seen by the trial", "decided otherwise"), rows)


def _counted(share: Share) -> tuple[int, int, float | None, float, float]:
    return share.total, share.hits, share.value, share.low, share.high


FIGURES: Mapping[str, Callable[[Reviews], Table]] = {
    "flow": _flow,
    "ages": _ages,
    "clocks": _clocks,
    "decisions": _decisions,
    "precision-by-level": _precision_by_level,
    "precision-by-hazard": _precision_by_hazard,
    "reliability": _reliability,
    "months": _months,
    "levels": _levels,
    "categories": _categories,
    "trial": _trial,
}
"""By name, in the order of the page."""

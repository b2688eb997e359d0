"""Every figure of the dashboard as a table: what the chart draws, what the page lists, and what a CSV file holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from models.domain.risk import RiskLevel
from serving.oversight import findings, flow
from serving.oversight.scope import Scope
from serving.review.intervals import Share

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


def _flow(connection: Connection, scope: Scope) -> Table:
    steps = flow.flow(connection, scope)
    rows = [(step.begins.isoformat(), step.opened, step.decided, step.open_at_end) for step in steps]
    return Table(("from", "came in", "decided", "open at the end"), rows)


def _ages(connection: Connection, scope: Scope) -> Table:
    return Table(("waiting for", "in time", "overdue"), flow.waiting(connection, scope).ages)


def _decisions(connection: Connection, scope: Scope) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (begins.isoformat(), *counts.values()) for begins, counts in flow.decisions(connection, scope)
    ]
    return Table(("from", "confirmed risk", "justified alert", "false alarm"), rows)


def _clocks(connection: Connection, scope: Scope) -> Table:
    rows = [(begins.isoformat(), kept, missed) for begins, kept, missed in flow.clocks(connection, scope)]
    return Table(("from", "kept", "missed"), rows)


def _precision_by_level(connection: Connection, scope: Scope) -> Table:
    return _precision("level", findings.precision_by_level(connection, scope))


def _precision_by_hazard(connection: Connection, scope: Scope) -> Table:
    return _precision("hazard", findings.precision_by_hazard(connection, scope))


def _precision(of: str, found: Sequence[findings.Precision]) -> Table:
    rows = [(each.said, *_counted(each.confirmed), each.justified.hits) for each in found]
    return Table((of, "findings", "confirmed", "share", "lower end", "upper end", "right to ask"), rows)


def _reliability(connection: Connection, scope: Scope) -> Table:
    rows = [
        (name, each.said, *_counted(each.held))
        for name, score in (("unsafe", "p_unsafe"), ("high or serious", "risk_score"))
        for each in findings.reliability(connection, scope, score)
    ]
    return Table(("probability of", "model says", "findings", "confirmed", "share", "lower end", "upper end"), rows)


def _months(connection: Connection, scope: Scope) -> Table:
    rows = [
        (each.month, each.expected, *_counted(each.held), each.error) for each in findings.by_month(connection, scope)
    ]
    return Table(
        ("month", "expected", "findings", "confirmed", "share", "lower end", "upper end", "calibration error"), rows
    )


def _categories(connection: Connection, scope: Scope) -> Table:
    hazards, rows = flow.categories(connection, scope)
    return Table(("category", *hazards), [(name, *counts) for name, counts in rows])


def _levels(connection: Connection, scope: Scope) -> Table:
    rows = [(said.value, *counts) for said, counts in flow.levels(connection, scope)]
    return Table(("model", *(level.value for level in RiskLevel)), rows)


def _trial(connection: Connection, scope: Scope) -> Table:
    rows = [(begins.isoformat(), seen, differ) for begins, seen, differ in flow.trial_differences(connection, scope)]
    return Table(("from", "seen by the trial", "decided otherwise"), rows)


def _counted(share: Share) -> tuple[int, int, float | None, float, float]:
    return share.total, share.hits, share.value, share.low, share.high


FIGURES: Mapping[str, Callable[[Connection, Scope], Table]] = {
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

"""Health of the queues: what waits and for how long, what comes in and goes out, which deadlines were kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, case, func, select

from models.domain.risk import RiskLevel
from serving.oversight.scope import Scope, day_of
from serving.review.items import DECISIONS, ITEMS
from serving.review.words import Outcome
from serving.store.review_tables import HELD, WAITS
from serving.store.tables import ShadowDecisionRow

_SHADOW = ShadowDecisionRow.__table__
AGES = (("< 4 h", 4), ("4–24 h", 24), ("1–3 d", 72), ("3–7 d", 168), ("> 7 d", None))
"""Groups of waiting time, each with its end in hours."""


@dataclass(frozen=True)
class Waiting:
    """What waits now.

    Parameters
    ----------
    total, overdue : int
    oldest : datetime or None
        When the oldest came in.
    ages : list of (str, int, int)
        Group of `AGES`, items in time, items overdue.
    queues : list of str
        All in which something waits, whichever the scope is of.
    """

    total: int
    overdue: int
    oldest: dt.datetime | None
    ages: list[tuple[str, int, int]]
    queues: list[str]


def waiting(connection: Connection, scope: Scope) -> Waiting:
    """Return what waits now, copies of golden items left out."""
    overdue = case((ITEMS.c.due_at <= scope.now, 1), else_=0)
    groups = case(
        *(
            (ITEMS.c.opened_at > scope.now - dt.timedelta(hours=hours), number)
            for number, (_, hours) in enumerate(AGES)
            if hours is not None
        ),
        else_=len(AGES) - 1,
    )
    oldest = func.min(ITEMS.c.opened_at, type_=ITEMS.c.opened_at.type)
    query = select(groups, func.count(), func.sum(overdue), oldest).where(WAITS, ITEMS.c.only_for.is_(None))
    if scope.queue:
        query = query.where(ITEMS.c.queue == scope.queue)
    rows = {row[0]: row[1:] for row in connection.execute(query.group_by(groups))}
    ages = [
        (name, rows[i][0] - rows[i][1], rows[i][1]) if i in rows else (name, 0, 0) for i, (name, _) in enumerate(AGES)
    ]
    moments = [row[2] for row in rows.values()]
    names = connection.execute(select(ITEMS.c.queue).where(WAITS).distinct().order_by(ITEMS.c.queue)).scalars()
    return Waiting(
        sum(row[0] for row in rows.values()),
        sum(row[1] for row in rows.values()),
        min(moments, default=None),
        ages,
        list(names),
    )


@dataclass(frozen=True)
class Step:
    """Items that came in and went out in one step of time, and what was open at its end, on hold included."""

    begins: dt.date
    opened: int
    decided: int
    open_at_end: int


def flow(connection: Connection, scope: Scope) -> list[Step]:
    """Return inflow, outflow and what was open, by step."""
    opened = _by_step(
        connection, scope, select(day_of(connection, ITEMS.c.opened_at), func.count()).where(*scope.opened())
    )
    closed = _by_step(
        connection, scope, select(day_of(connection, ITEMS.c.decided_at), func.count()).where(*scope.closed())
    )
    level = _undecided(connection, scope, WAITS) + _undecided(connection, scope, HELD)
    found: list[Step] = []
    for begins in reversed(scope.steps()):
        found.append(Step(begins, opened[begins], closed[begins], level))
        level += closed[begins] - opened[begins]
    return found[::-1]


@dataclass(frozen=True)
class Made:
    """Decisions of one step that are alike: their outcome, the model's level and the reviewer's."""

    begins: dt.date
    outcome: Outcome
    said: RiskLevel
    level: RiskLevel
    count: int


def decisions(connection: Connection, scope: Scope) -> list[Made]:
    """Return the decisions, counted; second looks count too."""
    alike = (
        day_of(connection, DECISIONS.c.decided_at), DECISIONS.c.outcome, DECISIONS.c.model_level, DECISIONS.c.level,
    )  # fmt: skip
    query = (
        select(*alike, func.count())
        .join(ITEMS, ITEMS.c.id == DECISIONS.c.item_id)
        .where(*scope.decided())
        .group_by(*alike)
    )
    return [
        Made(scope.step(dt.date.fromisoformat(date)), Outcome(outcome), RiskLevel(said), RiskLevel(level), count)
        for date, outcome, said, level, count in connection.execute(query)
    ]


def _undecided(connection: Connection, scope: Scope, state: TextClause) -> int:
    query = select(func.count()).where(state, ITEMS.c.only_for.is_(None))
    if scope.queue:
        query = query.where(ITEMS.c.queue == scope.queue)
    return connection.execute(query).scalar_one()


def clocks(connection: Connection, scope: Scope) -> list[tuple[dt.date, int, int]]:
    """Return (step, kept, missed): items decided by their due date, and after it."""
    day, late = day_of(connection, ITEMS.c.decided_at), case((ITEMS.c.decided_at > ITEMS.c.due_at, 1), else_=0)
    query = select(day, func.count(), func.sum(late)).where(*scope.closed()).group_by(day)
    total, missed = Counter[dt.date](), Counter[dt.date]()
    for date, count, over in connection.execute(query):
        begins = scope.step(dt.date.fromisoformat(date))
        total[begins] += count
        missed[begins] += over
    return [(begins, total[begins] - missed[begins], missed[begins]) for begins in scope.steps()]


def trial_differences(connection: Connection, scope: Scope) -> list[tuple[dt.date, int, int]]:
    """Return (step, listings that a trial saw, those that it would decide otherwise)."""
    day = day_of(connection, _SHADOW.c.created_at)
    other = func.sum(case((_SHADOW.c.action != _SHADOW.c.live_action, 1), else_=0))
    query = select(day, func.count(), other).where(_SHADOW.c.created_at >= scope.since).group_by(day)
    seen, differ = Counter[dt.date](), Counter[dt.date]()
    for date, count, others in connection.execute(query):
        begins = scope.step(dt.date.fromisoformat(date))
        seen[begins] += count
        differ[begins] += others
    return [(begins, seen[begins], differ[begins]) for begins in scope.steps()] if seen else []


def categories(connection: Connection, scope: Scope, most: int = 12) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Return (hazards, rows): for the categories with most items that came in, how many had which main hazard.

    A category is the first part of what the seller wrote, up to ``>``.
    """
    query = (
        select(ITEMS.c.category, ITEMS.c.hazard, func.count())
        .where(*scope.opened(), ITEMS.c.hazard != "")
        .group_by(ITEMS.c.category, ITEMS.c.hazard)
    )
    cells, by_category, by_hazard = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for category, hazard, count in connection.execute(query):
        name = category.split(">")[0].strip()[:40]
        cells[name, hazard] += count
        by_category[name] += count
        by_hazard[hazard] += count
    hazards = _first(by_hazard, 8)
    return hazards, [(name, [cells[name, hazard] for hazard in hazards]) for name in _first(by_category, most)]


def _by_step(connection: Connection, scope: Scope, query: object) -> Counter[dt.date]:
    found: Counter[dt.date] = Counter()
    for date, count in connection.execute(query.group_by(query.selected_columns[0])):  # type: ignore[attr-defined]
        found[scope.step(dt.date.fromisoformat(date))] += count
    return found


def _first(counts: Counter[str], most: int) -> list[str]:
    """Return the most frequent names, equal ones by name."""
    return sorted(counts, key=lambda name: (-counts[name], name))[:most]

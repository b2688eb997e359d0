"""What reviewers found out about the model's answers: precision and calibration.

Only listings that a person looked at can be counted, and which these are is the model's and the plan's choice: the
figures say how right the model is among what it sends to people, and nothing of what it lets pass.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, and_, case, cast, func, literal, select

from models.domain.risk import RiskLevel
from serving.oversight.scope import Scope, month_of
from serving.review.intervals import Share
from serving.review.items import DECISIONS, ITEMS
from serving.review.words import Outcome

BINS = 10
_LATER = DECISIONS.alias("later")
_CONFIRMED = DECISIONS.c.outcome == Outcome.CONFIRMED_RISK.value
_HIGH = and_(_CONFIRMED, DECISIONS.c.level.in_([RiskLevel.HIGH.value, RiskLevel.SERIOUS.value]))


@dataclass(frozen=True)
class Precision:
    """Findings on what the model said.

    Parameters
    ----------
    said : str
        A level, or a main hazard.
    confirmed : Share
        Risks, of the findings; of a hazard, those where the reviewer named it.
    justified : Share
        Risks and alerts that were right to ask.
    """

    said: str
    confirmed: Share
    justified: Share


def precision_by_level(connection: Connection, scope: Scope) -> list[Precision]:
    """Return the findings by the model's level, as of the last final decision on each item."""
    rows = _counted(connection, scope, DECISIONS.c.model_level, _CONFIRMED)
    return [rows[level.value] for level in reversed(RiskLevel) if level.value in rows]


def precision_by_hazard(connection: Connection, scope: Scope, most: int = 12) -> list[Precision]:
    """Return the findings by the model's main hazard, those with most of them first."""
    named = cast(DECISIONS.c.hazards, String).contains(literal('"') + ITEMS.c.hazard + literal('"'))
    rows = _counted(connection, scope, ITEMS.c.hazard, and_(_CONFIRMED, named))
    found = sorted((row for said, row in rows.items() if said), key=lambda row: (-row.confirmed.total, row.said))
    return found[:most]


@dataclass(frozen=True)
class Bin:
    """Findings whose probability lies in one tenth: the mean that the model said, and the share that held."""

    said: float
    held: Share


def reliability(connection: Connection, scope: Scope, score: str) -> list[Bin]:
    """Return the findings by tenths of a probability.

    Parameters
    ----------
    score : {"p_unsafe", "risk_score"}
        P(unsafe) held where the risk was confirmed; P(high or serious) where it was confirmed at such a level.
    """
    column = ITEMS.c[score]
    tenth = case(*((column < (i + 1) / BINS, i) for i in range(BINS - 1)), else_=BINS - 1)
    held = func.sum(case((_CONFIRMED if score == "p_unsafe" else _HIGH, 1), else_=0))
    query = _final(scope, tenth, func.avg(column), held, func.count()).where(column.is_not(None)).group_by(tenth)
    return [Bin(said, Share(held, count)) for _, said, held, count in connection.execute(query.order_by(tenth))]


@dataclass(frozen=True)
class Month:
    """One month's findings: what the model expected on average, what held, and how far its tenths were off."""

    month: str
    expected: float
    held: Share
    error: float


def by_month(connection: Connection, scope: Scope) -> list[Month]:
    """Return P(high or serious) beside the findings, by month of the decision.

    `error` is the expected calibration error: the mean distance of said and held over tenths, weighted by their
    number.
    """
    month, column = month_of(connection, DECISIONS.c.decided_at), ITEMS.c.risk_score
    tenth = case(*((column < (i + 1) / BINS, i) for i in range(BINS - 1)), else_=BINS - 1)
    held = func.sum(case((_HIGH, 1), else_=0))
    query = _final(scope, month, func.avg(column), held, func.count()).group_by(month, tenth)
    months: dict[str, list[Bin]] = defaultdict(list)
    for name, said, hits, count in connection.execute(query):
        months[name].append(Bin(said, Share(hits, count)))
    return [_month(name, bins) for name, bins in sorted(months.items())]


def _month(name: str, bins: list[Bin]) -> Month:
    held = Share(sum(b.held.hits for b in bins), sum(b.held.total for b in bins))
    expected = sum(b.said * b.held.total for b in bins) / held.total
    error = sum(abs(b.said * b.held.total - b.held.hits) for b in bins) / held.total
    return Month(name, expected, held, error)


def _counted(
    connection: Connection, scope: Scope, said: ColumnElement[Any], confirmed: ColumnElement[bool]
) -> dict[str, Precision]:
    right = case((confirmed, 1), else_=0)
    asked = case((DECISIONS.c.outcome != Outcome.FALSE_ALARM.value, 1), else_=0)
    query = _final(scope, said, func.count(), func.sum(right), func.sum(asked)).group_by(said)
    return {
        name: Precision(name, Share(hits, count), Share(justified, count))
        for name, count, hits, justified in connection.execute(query)
    }


def _final(scope: Scope, *columns: ColumnElement[Any]) -> Select[Any]:
    """Return the query of the decisions that stand: of several on one item the last, be it a ruling on a complaint."""
    later = select(_LATER.c.id).where(
        _LATER.c.item_id == DECISIONS.c.item_id,
        _LATER.c.id > DECISIONS.c.id,
        _LATER.c.final_at.is_not(None),
        _LATER.c.undone_at.is_(None),
    )
    query: Select[Any] = select(*columns)
    return query.join(ITEMS, ITEMS.c.id == DECISIONS.c.item_id).where(
        *scope.decided(), DECISIONS.c.final_at.is_not(None), ~later.exists()
    )

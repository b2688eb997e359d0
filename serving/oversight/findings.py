"""What reviewers found out about the model's answers: precision and calibration.

Only listings that a person looked at can be counted, and which these are is the model's and the plan's choice: the
figures say how right the model is among what it sends to people, and nothing of what it lets pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, String, case, cast, func, literal, select

from models.domain.risk import RiskLevel
from serving.oversight.scope import Scope, month_of
from serving.review.intervals import Share
from serving.review.items import DECISIONS, ITEMS
from serving.review.words import Outcome

_Key = TypeVar("_Key")
Score = Literal["unsafe", "high or serious"]
BINS = 10
_LATER = DECISIONS.alias("later")
_HIGH = (RiskLevel.HIGH, RiskLevel.SERIOUS)


@dataclass(frozen=True)
class Found:
    """Findings that are alike in everything that the figures tell apart.

    Parameters
    ----------
    said : RiskLevel
        The model's level.
    hazard : str
        The model's main hazard.
    named : bool
        Whether the reviewer named that hazard.
    unsafe, high : (int or None, float)
        Tenth of P(unsafe), and of P(high or serious), and the sum of the probabilities; None where none was kept.
    """

    month: str
    said: RiskLevel
    hazard: str
    outcome: Outcome
    level: RiskLevel
    named: bool
    unsafe: tuple[int | None, float]
    high: tuple[int | None, float]
    count: int

    @property
    def confirmed(self) -> bool:
        """Whether there was a risk."""
        return self.outcome is Outcome.CONFIRMED_RISK

    def holds(self, score: Score) -> bool:
        """Whether what a probability is of was so: a risk, or one of such a level."""
        return self.confirmed and (score == "unsafe" or self.level in _HIGH)

    def scored(self, score: Score) -> tuple[int | None, float]:
        """Return the tenth of a probability and the sum."""
        return self.unsafe if score == "unsafe" else self.high


def findings(connection: Connection, scope: Scope) -> list[Found]:
    """Return the decisions that stand, counted: of several on one item the last, be it a ruling on a complaint.

    In one pass over the period's decisions, which every figure below is then counted from.
    """
    later = select(_LATER.c.id).where(
        _LATER.c.item_id == DECISIONS.c.item_id,
        _LATER.c.id > DECISIONS.c.id,
        _LATER.c.final_at.is_not(None),
        _LATER.c.undone_at.is_(None),
    )
    named = cast(DECISIONS.c.hazards, String).contains(literal('"') + ITEMS.c.hazard + literal('"'))
    alike: list[ColumnElement[Any]] = [
        month_of(connection, DECISIONS.c.decided_at),
        DECISIONS.c.model_level,
        ITEMS.c.hazard,
        DECISIONS.c.outcome,
        DECISIONS.c.level,
        case((named, 1), else_=0),
        _tenth(ITEMS.c.p_unsafe),
        _tenth(ITEMS.c.risk_score),
    ]
    query = (
        select(*alike, func.sum(ITEMS.c.p_unsafe), func.sum(ITEMS.c.risk_score), func.count())
        .join(ITEMS, ITEMS.c.id == DECISIONS.c.item_id)
        .where(*scope.decided(), DECISIONS.c.final_at.is_not(None), ~later.exists())
        .group_by(*(column.label(f"alike_{i}") for i, column in enumerate(alike)))
    )
    return [
        Found(
            month,
            RiskLevel(said),
            hazard,
            Outcome(outcome),
            RiskLevel(level),
            bool(was_named),
            (unsafe, unsafe_sum or 0.0),
            (high, high_sum or 0.0),
            count,
        )
        for month, said, hazard, outcome, level, was_named, unsafe, high, unsafe_sum, high_sum, count in (
            connection.execute(query)
        )
    ]


def _tenth(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((column.is_(None), None), *((column < (i + 1) / BINS, i) for i in range(BINS - 1)), else_=BINS - 1)


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


def precision_by_level(found: Iterable[Found]) -> list[Precision]:
    """Return the findings by the model's level, the highest first."""
    groups = _grouped(found, lambda each: each.said)
    return [
        _precision(level.value, groups[level], lambda each: each.confirmed)
        for level in reversed(RiskLevel)
        if level in groups
    ]


def precision_by_hazard(found: Iterable[Found], most: int = 12) -> list[Precision]:
    """Return the findings by the model's main hazard, those with most of them first."""
    groups = _grouped(found, lambda each: each.hazard)
    rows = [
        _precision(hazard, group, lambda each: each.confirmed and each.named)
        for hazard, group in groups.items()
        if hazard
    ]
    return sorted(rows, key=lambda row: (-row.confirmed.total, row.said))[:most]


@dataclass(frozen=True)
class Bin:
    """Findings whose probability lies in one tenth: the mean that the model said, and the share that held."""

    said: float
    held: Share


def reliability(found: Iterable[Found], score: Score) -> list[Bin]:
    """Return the findings by tenths of a probability.

    P(unsafe) held where the risk was confirmed; P(high or serious) where it was confirmed at such a level.
    """
    groups = _grouped(found, lambda each: each.scored(score)[0])
    return [_bin(groups[tenth], score) for tenth in range(BINS) if tenth in groups]


@dataclass(frozen=True)
class Month:
    """One month's findings: what the model expected on average, what held, and how far its tenths were off."""

    month: str
    expected: float
    held: Share
    error: float


def by_month(found: Iterable[Found]) -> list[Month]:
    """Return P(high or serious) beside the findings, by month of the decision.

    `error` is the expected calibration error: the mean distance of said and held over tenths, weighted by their number.
    """
    return [_month(name, group) for name, group in sorted(_grouped(found, lambda each: each.month).items())]


def _month(name: str, group: Sequence[Found]) -> Month:
    bins = reliability(group, "high or serious")
    whole = _bin(group, "high or serious")
    error = sum(abs(b.said * b.held.total - b.held.hits) for b in bins) / whole.held.total
    return Month(name, whole.said, whole.held, error)


def _bin(group: Sequence[Found], score: Score) -> Bin:
    total = _counted(group)
    said = sum(each.scored(score)[1] for each in group) / total
    return Bin(said, Share(_counted(each for each in group if each.holds(score)), total))


def _precision(said: str, group: Sequence[Found], right: Callable[[Found], bool]) -> Precision:
    total = _counted(group)
    asked = (each for each in group if each.outcome is not Outcome.FALSE_ALARM)
    return Precision(said, Share(_counted(filter(right, group)), total), Share(_counted(asked), total))


def _counted(found: Iterable[Found]) -> int:
    return sum(each.count for each in found)


def _grouped(found: Iterable[Found], key: Callable[[Found], _Key]) -> dict[_Key, list[Found]]:
    groups: dict[_Key, list[Found]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return groups

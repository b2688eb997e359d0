"""What reviewers made of listings whose right answer is known."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from models.domain.risk import RiskLevel
from serving.review.golden import ANSWERS, USES
from serving.review.intervals import Share
from serving.review.items import DECISIONS
from serving.review.words import Outcome


@dataclass(frozen=True)
class GoldenAttempt:
    """One reviewer's decision beside the right answer. Of what is no risk to them, a reviewer has named no hazard."""

    reviewer: str
    level: RiskLevel
    hazards: frozenset[str]
    given_level: RiskLevel
    given_hazards: frozenset[str]

    @property
    def same_side(self) -> bool:
        """Whether both have the level at high or above, or both below: what decides over the sale."""
        high = RiskLevel.HIGH.rank
        return (self.level.rank >= high) == (self.given_level.rank >= high)

    @property
    def same_level(self) -> bool:
        """Whether the level is right."""
        return self.level is self.given_level


@dataclass(frozen=True)
class GoldenScore:
    """What one reviewer, or all of them, got right.

    Parameters
    ----------
    sides : Share
        Of the answers: the right side of `high`.
    levels : Share
        Of the answers: the very level.
    hazards : Share
        Of the hazards that there are: named.
    """

    reviewer: str
    sides: Share
    levels: Share
    hazards: Share


@dataclass(frozen=True)
class GoldenResults:
    """Known answers of a period: by reviewer, and over all of them by level and by hazard."""

    reviewers: list[GoldenScore]
    by_level: dict[RiskLevel, Share]
    by_hazard: dict[str, Share]


def golden_results(connection: Connection, since: dt.datetime, until: dt.datetime) -> GoldenResults:
    """Return what was decided on known answers from `since` until before `until`, what was taken back left out."""
    attempts = list(_attempts(connection, since, until))
    names = sorted({attempt.reviewer for attempt in attempts})
    asked, named = Counter[str](), Counter[str]()
    for attempt in attempts:
        asked.update(attempt.hazards)
        named.update(attempt.hazards & attempt.given_hazards)
    levels = [level for level in RiskLevel if any(attempt.level is level for attempt in attempts)]
    return GoldenResults(
        [_score(name, [attempt for attempt in attempts if attempt.reviewer == name]) for name in names],
        {level: _share(a.same_level for a in attempts if a.level is level) for level in levels},
        {hazard: Share(named[hazard], asked[hazard]) for hazard in sorted(asked)},
    )


def _attempts(connection: Connection, since: dt.datetime, until: dt.datetime) -> Iterator[GoldenAttempt]:
    query = (
        select(
            DECISIONS.c.reviewer, ANSWERS.c.level, ANSWERS.c.hazards, DECISIONS.c.level, DECISIONS.c.hazards,
            DECISIONS.c.outcome,
        )
        .join(USES, USES.c.item_id == DECISIONS.c.item_id)
        .join(ANSWERS, ANSWERS.c.id == USES.c.golden_id)
        .where(DECISIONS.c.decided_at >= since, DECISIONS.c.decided_at < until, DECISIONS.c.undone_at.is_(None))
        .order_by(DECISIONS.c.id)
    )  # fmt: skip
    for reviewer, level, hazards, given_level, given_hazards, outcome in connection.execute(query):
        named = given_hazards if outcome == Outcome.CONFIRMED_RISK else ()
        yield GoldenAttempt(reviewer, RiskLevel(level), frozenset(hazards), RiskLevel(given_level), frozenset(named))


def _score(reviewer: str, attempts: list[GoldenAttempt]) -> GoldenScore:
    there = sum(len(attempt.hazards) for attempt in attempts)
    named = sum(len(attempt.hazards & attempt.given_hazards) for attempt in attempts)
    return GoldenScore(
        reviewer,
        _share(attempt.same_side for attempt in attempts),
        _share(attempt.same_level for attempt in attempts),
        Share(named, there),
    )


def _share(hits: Iterable[bool]) -> Share:
    found = list(hits)
    return Share(sum(found), len(found))

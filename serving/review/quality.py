"""How well people agree, with each other and with known answers, and how long they take."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from sqlalchemy import Engine, select

from serving.review.golden_results import GoldenResults, golden_results
from serving.review.intervals import Difference, Share
from serving.review.items import DECISIONS, ITEMS, Decided, as_decided
from serving.review.words import Round, Sample


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of two raters over the items that both rated.

    Parameters
    ----------
    observed : float
        Share of items with equal ratings.
    kappa : float or None
        Agreement beyond chance: 1 is perfect, 0 is chance. None where chance alone makes them always agree.
    """

    items: int
    observed: float
    kappa: float | None


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Return the agreement of two raters (Cohen, 1960).

    Parameters
    ----------
    pairs : sequence of (str, str)
        What either said of one item.

    Raises
    ------
    ValueError
        Without a pair.

    Examples
    --------
    >>> cohens_kappa([("block", "block"), ("publish", "publish"), ("block", "publish"), ("publish", "publish")]).kappa
    0.5
    """
    if not pairs:
        raise ValueError("no item was rated by both")
    total = len(pairs)
    observed = sum(one == other for one, other in pairs) / total
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(ones[word] * others[word] for word in ones) / total**2
    return Agreement(total, observed, None if chance == 1 else (observed - chance) / (1 - chance))


@dataclass(frozen=True)
class PairAgreement:
    """Two reviewers' agreement on the action."""

    reviewers: tuple[str, str]
    agreement: Agreement


@dataclass(frozen=True)
class ReviewerQuality:
    """One reviewer beside the others.

    Parameters
    ----------
    decisions : int
        Not taken back.
    seconds : float or None
        Median time of a decision.
    drift : Difference
        Share of confirmed risks among the decisions, less that of everybody else; a real one is drift, or other queues.
    overruled : int
        First decisions that a second or third person settled otherwise.
    """

    reviewer: str
    decisions: int
    seconds: float | None
    drift: Difference
    overruled: int


@dataclass(frozen=True)
class Quality:
    """What the decisions of a period tell about reviewing."""

    reviewers: list[ReviewerQuality]
    pairs: list[PairAgreement]
    hazards: dict[str, Agreement]
    """By risk type: whether both saw it, over all items that two people looked at."""
    golden: GoldenResults


def quality(engine: Engine, since: dt.datetime, until: dt.datetime) -> Quality:
    """Return the quality of the reviews decided from `since` until before `until`; blocks."""
    query = (
        select(DECISIONS)
        .join(ITEMS, ITEMS.c.id == DECISIONS.c.item_id)
        .where(DECISIONS.c.decided_at >= since, DECISIONS.c.decided_at < until, DECISIONS.c.undone_at.is_(None))
        .where(DECISIONS.c.round != Round.APPEAL.value, ITEMS.c.sample != Sample.GOLDEN.value)
        .order_by(DECISIONS.c.id)
    )
    with engine.connect() as connection:
        made = [as_decided(row) for row in connection.execute(query)]
        golden = golden_results(connection, since, until)
    looks = _looks(made)
    return Quality(_reviewers(made, looks), _pairs(looks), _hazards(looks), golden)


def _looks(made: Iterable[Decided]) -> list[list[Decided]]:
    """Group decisions on the same content of the same item, for those that several people looked at."""
    by_content: dict[tuple[int, str], list[Decided]] = defaultdict(list)
    for decision in made:
        by_content[decision.item_id, decision.assessment_id].append(decision)
    return [group for group in by_content.values() if len(group) > 1]


def _pairs(looks: Iterable[Sequence[Decided]]) -> list[PairAgreement]:
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for group in looks:
        for one, other in combinations(sorted(group[:2], key=lambda decision: decision.reviewer), 2):
            pairs[one.reviewer, other.reviewer].append((one.action, other.action))
    return [PairAgreement(who, cohens_kappa(said)) for who, said in sorted(pairs.items())]


def _hazards(looks: Iterable[Sequence[Decided]]) -> dict[str, Agreement]:
    groups = [group[:2] for group in looks]
    named = sorted({hazard for group in groups for decision in group for hazard in decision.hazards})
    return {
        hazard: cohens_kappa([(str(hazard in one.hazards), str(hazard in other.hazards)) for one, other in groups])
        for hazard in named
    }


def _reviewers(made: Sequence[Decided], looks: Iterable[Sequence[Decided]]) -> list[ReviewerQuality]:
    overruled = Counter(group[0].reviewer for group in looks if group[-1].action != group[0].action)
    risks = Counter(decision.reviewer for decision in made if decision.outcome == "confirmed_risk")
    counts = Counter(decision.reviewer for decision in made)
    found = []
    for reviewer in sorted(counts):
        seconds = [d.seconds for d in made if d.reviewer == reviewer and d.seconds > 0 and d.batch is None]
        own = Share(risks[reviewer], counts[reviewer])
        others = Share(risks.total() - risks[reviewer], len(made) - counts[reviewer])
        found.append(
            ReviewerQuality(
                reviewer,
                counts[reviewer],
                median(seconds) if seconds else None,
                Difference(own, others),
                overruled[reviewer],
            )
        )
    return found

"""Assessments made by hand, and a desk over each database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine

from models.deadlines.calendar import WorkCalendar
from models.domain.action import Action, Due
from models.domain.assessment import Assessment, Decision, HazardScore, Language, RuleFired, Versions, assessment_id
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from serving.review.appeals import Appeals
from serving.review.browsing import Browsing
from serving.review.claims import Claims
from serving.review.deciding import Decisions
from serving.review.intake import Intake, IntakeRules
from serving.review.verdicts import Verdict
from serving.review.words import Outcome
from serving.store.assessments import Answered, AssessmentStore

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)  # a Monday
RISK_TYPES = ("burns", "choking", "electric shock")
REASON_CODES = ("recall-match", "risk")
RELEASE = Verdict(Outcome.FALSE_ALARM, Action.PUBLISH, RiskLevel.NONE)
BLOCK = Verdict(Outcome.CONFIRMED_RISK, Action.BLOCK, RiskLevel.SERIOUS, ("burns",), "risk")
ASK = Verdict(Outcome.CONFIRMED_RISK, Action.REQUEST_INFORMATION, RiskLevel.HIGH, ("burns",), "risk")


_BURNS = HazardScore(risk_type="burns", probability=0.9, given_unsafe=0.9, flagged=True)


def minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


def answered(
    listing_id: str,
    level: str = "high",
    *,
    sure: float = 0.9,
    queue: str | None = "safety",
    due: Due | None = None,
    title: str = "Mini heater",
    seller: str = "s1",
    countries: tuple[str, ...] = ("DE", "FR"),
    model: str = "m1",
) -> Answered:
    """An answer as the engine gives one, with `sure` on its level and the rest spread over the others."""
    listing = Listing(id=listing_id, title=title, seller_id=seller, target_countries=list(countries), category="Home")
    versions = Versions(model=model, plan="p@1", taxonomy="t@1")
    others = (1 - sure) / (len(RiskLevel) - 1)
    levels = {each: sure if each == level else others for each in RiskLevel}
    content = listing.content_hash()
    action = Action.HOLD_FOR_REVIEW if queue else Action.PUBLISH
    fired = RuleFired(id="level-high", action=action, reason="High risk.", reason_code="risk")
    assessment = Assessment(
        id=assessment_id(content, listing_id, versions), listing_id=listing_id, content_hash=content,
        versions=versions, language=Language(code="en", confidence=1.0, covered=True), risk_level=RiskLevel(level),
        level_probabilities=levels, risk_score=levels[RiskLevel.HIGH] + levels[RiskLevel.SERIOUS], p_unsafe=0.5,
        hazards=[_BURNS], scenario=None, kinds=[], cues=[], abstains=[], notes=[],
        decision=Decision(action=action, fired=[fired], rules=[], reasons=[], queue=queue, due=due),
    )  # fmt: skip
    return Answered(listing, assessment)


@dataclass
class Desk:
    """Every part of the desk over one database, and a clock that the test moves."""

    engine: Engine
    now: dt.datetime = NOW
    intake: Intake = field(init=False)
    claims: Claims = field(init=False)
    decisions: Decisions = field(init=False)
    appeals: Appeals = field(init=False)
    browsing: Browsing = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(self.engine, IntakeRules(WorkCalendar("NL", "Europe/Amsterdam"), learn_daily=0))
        self.claims = Claims(self.engine)
        self.decisions = Decisions(self.engine, RISK_TYPES, REASON_CODES)
        self.appeals = Appeals(self.engine)
        self.browsing = Browsing(self.engine)

    def take(self, *answers: Answered) -> None:
        self.intake.take(answers, self.now)

    def decide(self, reviewer: str, verdict: Verdict, item_id: int | None = None) -> int:
        """Claim an item, or the next one, and decide it; return the decision's number."""
        if item_id is None:
            item = self.claims.next(reviewer, self.now)
            assert item is not None
        else:
            item = self.claims.claim(item_id, reviewer, self.now)
        return self.decisions.decide(item.id, reviewer, item.assessment_id, verdict, self.now).id


@pytest.fixture
def desk(store: AssessmentStore) -> Desk:
    """A desk on an empty database of each kind."""
    return Desk(store.engine)

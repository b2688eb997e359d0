"""The review desk of one server: its parts, over one database and under one set of rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from models.plan.plan import Plan
from serving.review.appeals import Appeals
from serving.review.browsing import Browsing
from serving.review.claims import Claims
from serving.review.deciding import Decisions
from serving.review.golden import GoldenAnswers, GoldenMix
from serving.review.intake import Intake, IntakeRules
from serving.store.assessments import Answered


@dataclass(frozen=True)
class DeskRules:
    """What an operator sets.

    Parameters
    ----------
    intake : IntakeRules
    lease : timedelta
        How long a claim lasts without being renewed.
    grace : timedelta
        How long a decision can be taken back, and has no effect outside.
    golden_share : float
        Of the items that are handed out, 0 to 1: known answers.
    golden_uses : int
        Reviewers that a known answer is shown to before it is retired.
    """

    intake: IntakeRules
    lease: dt.timedelta = dt.timedelta(minutes=10)
    grace: dt.timedelta = dt.timedelta(seconds=30)
    golden_share: float = 0.0
    golden_uses: int = 20


class ReviewDesk:
    """Items, claims, decisions and complaints. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    rules : DeskRules
    """

    def __init__(self, engine: Engine, rules: DeskRules) -> None:
        self.engine = engine
        self.rules = rules
        self.intake = Intake(engine, rules.intake)
        self.claims = Claims(engine, rules.lease, GoldenMix(rules.golden_share))
        self.golden = GoldenAnswers(engine, rules.golden_uses)
        self.appeals = Appeals(engine, rules.grace)
        self.browsing = Browsing(engine)

    def kept(self, connection: Connection, answers: Sequence[Answered]) -> None:
        """Open items for answers, in the transaction that keeps them."""
        self.intake.take_within(connection, answers, dt.datetime.now(dt.UTC))

    def decisions(self, plan: Plan, risk_types: tuple[str, ...]) -> Decisions:
        """Return what takes verdicts under the plan and the taxonomy in force."""
        return Decisions(self.engine, risk_types, reason_codes_of(plan), self.rules.grace, self.rules.lease)


def reason_codes_of(plan: Plan) -> tuple[str, ...]:
    """Return the codes that a decision can give as its reason: those of the plan's rules, sorted."""
    return tuple(sorted({rule.reason_code or rule.id for rule in plan.document.mitigate.rules}))

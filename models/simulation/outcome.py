"""What a plan comes to for one record, as far as a simulation counts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from models.domain.action import Action
from models.domain.risk import RiskLevel
from models.plan.facts import Circumstances, Facts
from models.plan.plan import Plan

_ACTIONS = {action.value: action.rank for action in Action}
_LEVELS = {level.value: level.rank for level in RiskLevel}


class Outcome(NamedTuple):
    """One decision, in numbers.

    Parameters
    ----------
    action, level : int
        Ranks.
    rules : tuple of str
        Live rules that fired.
    deciding : tuple of str
        Those among them whose action was taken.
    background : tuple of str
        Rules on trial that would have fired.
    errors : tuple of str
        Rules that could not be judged.
    """

    action: int
    level: int
    queue: str | None
    rules: tuple[str, ...]
    deciding: tuple[str, ...]
    background: tuple[str, ...]
    errors: tuple[str, ...]


def replayed(plan: Plan, facts: Facts) -> Outcome:
    """Decide as the server does, without wording the decision.

    Parameters
    ----------
    facts : dict
        From `facts_of`; the plan adds to them, so every plan wants facts of its own.
    """
    verdict = plan.judge(facts)
    action = verdict.action
    return Outcome(
        action.rank,
        verdict.level,
        plan.queue_of(verdict),
        tuple([rule.id for rule in verdict.fired]),
        tuple([rule.id for rule in verdict.fired if rule.spec.action is action]),
        tuple([rule.id for rule in verdict.background]),
        tuple([rule for rule, _ in verdict.errors]),
    )


def remembered(assessment: Mapping[str, Any]) -> Outcome | None:
    """Return what was decided when the assessment was made, None where the record does not tell."""
    decision = assessment.get("decision") or {}
    action = _ACTIONS.get(decision.get("action", ""))
    if action is None:
        return None
    fired = decision.get("fired") or ()
    rules = tuple(decision.get("rules") or ())
    return Outcome(
        action,
        _LEVELS.get(decision.get("level") or assessment.get("risk_level", ""), 0),
        decision.get("queue"),
        rules,
        tuple([rule["id"] for rule in fired if rule.get("action") == decision["action"]]) or rules[:1],
        tuple([rule["id"] for rule in decision.get("background") or ()]),
        tuple([error["rule"] for error in decision.get("errors") or ()]),
    )


def circumstances_of(raw: Mapping[str, Any]) -> Circumstances:
    """Return the circumstances of a record; what it does not tell is not known."""
    return Circumstances(raw.get("recall_match"), bool(raw.get("removed_before", False)))

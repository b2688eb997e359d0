"""Rules that cannot fire, that always fire, that are past, and that another rule outdoes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from models.plan.document import PlanDocument, RuleSpec
from models.plan.problems import Problem
from models.plan.reachability import alternatives, always_true, dead_part, implies
from models.plan.source import Path, PlanSource
from models.plan.syntax import parse

_MOST_COMPARISONS = 2_000_000
"""Pairs of alternatives that are compared in search of rules that never decide; a plan that needs more is not searched
to the end."""


def review_problems(document: PlanDocument, source: PlanSource, day: dt.date) -> list[Problem]:
    """Return what is odd about a plan whose references are in order."""
    problems: list[Problem] = []
    for i, change in enumerate(document.classify.changes):
        problems += _condition(change.when, ("classify", "changes", i, "when"), source, may_be_always=False)
    for i, rule in enumerate(document.mitigate.rules):
        path: Path = ("mitigate", "rules", i)
        problems += _condition(rule.when, (*path, "when"), source, may_be_always=True)
        if rule.expires is not None and rule.expires < day and rule.status in ("live", "background"):
            message = f"rule {rule.id!r} expired on {rule.expires.isoformat()} and no longer counts"
            problems.append(_at(source, (*path, "expires"), message, "renew it, or set status: expired"))
    problems += _outdone(document.mitigate.rules, source)
    return problems


def _condition(text: str, path: Path, source: PlanSource, *, may_be_always: bool) -> Iterator[Problem]:
    node = parse(text)
    dead = dead_part(node)
    if dead is not None:
        what = f"nothing satisfies what it asks of {dead.about}" if dead.about else "it contradicts itself"
        place = source.place_within(path, dead.at)
        if dead.whole:
            yield Problem("error", f"the condition can never be true: {what}", "mend it, or drop the rule", *place)
        else:
            yield Problem("warning", f"this part can never be true: {what}", "mend it, or drop the part", *place)
    elif always_true(node) and not (may_be_always and text.strip().lower() == "true"):
        yield _at(source, path, "the condition is true for every listing", "write true if that is meant")


def _outdone(rules: list[RuleSpec], source: PlanSource) -> Iterator[Problem]:
    """Find live rules that never decide: another one is at least as strict and fires whenever they do."""
    live = [(i, rule, alternatives(parse(rule.when))) for i, rule in enumerate(rules) if rule.status == "live"]
    compared = 0
    for i, rule, narrow in live:
        for j, other, wide in live:
            compared += len(narrow or ()) * len(wide or ())
            if compared > _MOST_COMPARISONS:
                return
            if i != j and _outdoes(other, rule, later=j < i) and implies(narrow, wide):
                message = f"rule {rule.id!r} never decides: {other.id!r} fires whenever it does and is "
                message += "stricter" if other.action.rank > rule.action.rank else "as strict"
                yield _at(source, ("mitigate", "rules", i, "id"), message, "drop it, or narrow the other rule")
                break


def _outdoes(other: RuleSpec, rule: RuleSpec, *, later: bool) -> bool:
    """Tell whether `other` can take the place of `rule`; of two that say the same, the later one is superfluous."""
    if other.action.rank != rule.action.rank:
        return other.action.rank > rule.action.rank
    brings = set(rule.obligations) - set(other.obligations) or rule.queue != other.queue or rule.due != other.due
    return not brings and (later or rule.when != other.when)


def _at(source: PlanSource, path: Path, message: str, hint: str) -> Problem:
    return Problem("warning", message, hint, *source.place(path))

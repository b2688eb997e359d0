"""Plans as text for a terminal: the whole plan, what differs between two, what conditions can use."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from models.plan.difference import Difference
from models.plan.document import RuleSpec
from models.plan.names import FACTS, FUNCTIONS
from models.plan.plan import Plan

_WIDTH = 110
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def plan_text(plan: Plan) -> str:
    """Return the plan, section by section; rules by action, strictest first."""
    return "\n".join([*_head(plan), *_identify(plan), *_assess(plan), *_classify(plan), *_mitigate(plan)])


def _head(plan: Plan) -> Iterator[str]:
    yield f"{plan.document.title or plan.name}"
    yield f"  {plan.id}" + (f", owned by {plan.document.owner}" if plan.document.owner else "")


def _identify(plan: Plan) -> Iterator[str]:
    identify = plan.document.identify
    yield "\nidentify"
    for name, source in identify.sources.items():
        yield f"  source {name}: {source.what}, every {source.cadence}{_cited(source.legal_basis)}"
    if identify.random_checks is not None:
        checks = identify.random_checks
        share = f"{checks.share:.3%} of the live listings"
        yield f"  random checks: {share} against {checks.source}, every {checks.cadence}{_cited(checks.legal_basis)}"
    for entry in identify.prohibited_kinds:
        yield f"  prohibited {entry.kind} (from probability {entry.probability:g}): {entry.reason}"


def _assess(plan: Plan) -> Iterator[str]:
    assess = plan.document.assess
    yield "\nassess"
    if assess.prior is not None:
        yield f"  prior: {assess.prior.p_unsafe:g} of the listings are unsafe. {assess.prior.why}"
    if assess.scenarios is not None:
        yield from _wrapped(f"scenarios: {assess.scenarios.method}", "  ")
    for name, threshold in assess.thresholds.items():
        guarantee = plan.guarantees.get(threshold.guarantee or "")
        source = f"by guarantee {threshold.guarantee}" if guarantee else "as the plan gives it"
        yield f"  threshold {name}: {threshold.score} >= {plan.thresholds[name]:g}, {source}"


def _classify(plan: Plan) -> Iterator[str]:
    classify = plan.document.classify
    yield "\nclassify"
    for level, meaning in classify.levels.items():
        yield f"  {level.value}: {meaning}"
    for group, meaning in classify.consumer_groups.items():
        yield f"  consumers {group}: {meaning}"
    for change in classify.changes:
        effect = ", ".join(
            f"{word} {level.value}"
            for word, level in (("at least", change.at_least), ("at most", change.at_most))
            if level is not None
        )
        yield f"  {change.id}: {effect} where {change.when}{_cited(change.legal_basis)}"
        yield from _wrapped(change.reason, "      ")


def _mitigate(plan: Plan) -> Iterator[str]:
    mitigate = plan.document.mitigate
    yield "\nmitigate"
    yield f"  no rule fires: {mitigate.otherwise.value}; a rule cannot be judged: {mitigate.on_error.value}"
    for name, queue in mitigate.queues.items():
        yield f"  queue {name}: {queue.who}, {queue.minutes:g} minutes an item"
    for name, obligation in mitigate.obligations.items():
        yield f"  obligation {name} ({obligation.who}): {obligation.text}{_cited(obligation.legal_basis)}"
    ranked = sorted(plan.rules, key=lambda rule: (-rule.spec.action.rank, rule.id))
    for rule in ranked:
        yield from _rule(rule.spec, rule.status)


def _rule(spec: RuleSpec, status: str) -> Iterator[str]:
    mark = "" if status == "live" else f" [{status}]"
    yield f"  rule {spec.id}{mark}: {spec.action.value}"
    yield from _wrapped(f"when {spec.when}", "      ")
    then = [f"queue {spec.queue}"] if spec.queue else []
    then += [f"within {spec.due}"] if spec.due else []
    then += [f"obligations {', '.join(spec.obligations)}"] if spec.obligations else []
    then += [f"expires {spec.expires}"] if spec.expires else []
    if then:
        yield f"      {'; '.join(then)}"
    yield from _wrapped(spec.reason + _cited(spec.legal_basis), "      ")


def difference_text(before: Plan, after: Plan, found: Sequence[Difference]) -> str:
    """Return what differs, one line each; what makes actions stricter or milder says so."""
    lines = [f"{before.id} -> {after.id}"]
    for difference in found:
        effect = f"  [{difference.effect}]" if difference.effect else ""
        value = _value(difference.after if difference.kind == "added" else difference.before)
        change = f"{_value(difference.before)} -> {_value(difference.after)}"
        shown = change if difference.kind == "changed" else value
        lines.append(f"{_SIGNS[difference.kind]} {difference.place}: {shown}{effect}")
    lines.append(f"{len(found)} difference{'' if len(found) == 1 else 's'}")
    return "\n".join(lines)


def names_text() -> str:
    """Return the facts and functions that conditions can use."""
    lines = ["facts"]
    for name, fact in FACTS.items():
        absent = f"; absent {fact.absent}" if fact.absent else ""
        lines += _wrapped(f"{name} ({fact.kind}): {fact.meaning}{absent}", "  ")
    lines.append("\nfunctions")
    for name, function in FUNCTIONS.items():
        takes = ", ".join(str(kind) for kind in function.arguments)
        lines += _wrapped(f"{name}({takes}) -> {function.kind}: {function.meaning}", "  ")
    lines.append('\noperators: == != < <= > >= in, not in, and, or, not; lists ["a", "b"]; parentheses')
    lines += _wrapped(
        "What compares an absent fact is neither true nor false: not keeps it so, and and or look at the rest, and a"
        " rule fires only where its condition is true. known(fact) tells whether it is there.",
        "",
    )
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        shown = {key: item for key, item in value.items() if item not in (None, "", [], {})}
        value = ", ".join(f"{key}: {_value(item)}" for key, item in shown.items())
    elif isinstance(value, list):
        value = f"[{', '.join(_value(item) for item in value)}]"
    return str(value)


def _cited(articles: Sequence[str]) -> str:
    return f" ({'; '.join(articles)})" if articles else ""


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}    ")

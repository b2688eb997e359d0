"""The numbers that a plan compares scores with: where a small move changes many actions."""

from __future__ import annotations

from collections.abc import Iterator

from models.plan.plan import Plan
from models.plan.syntax import Compare, Junction, Literal, Name, Negation, Node, parse
from models.simulation.tally import SCORES, Cut


def cuts_of(plan: Plan) -> tuple[Cut, ...]:
    """Return the thresholds of a plan, then the numbers in its live and background conditions, in their order."""
    thresholds = plan.document.assess.thresholds
    cuts = [Cut(f"threshold {name}", thresholds[name].score, number) for name, number in plan.thresholds.items()]
    conditions = [
        (f"change {change.id}", change.when) for change in plan.document.classify.changes if change.status == "live"
    ]
    conditions += [(f"rule {rule.id}", rule.spec.when) for rule in plan.rules if rule.status in ("live", "background")]
    for label, condition in conditions:
        for score, number in _numbers(parse(condition)):
            cuts.append(Cut(f"{label} ({score} {number:g})", score, number))
    return tuple(dict.fromkeys(cuts))


def _numbers(node: Node) -> Iterator[tuple[str, float]]:
    match node:
        case Junction(_, parts):
            for part in parts:
                yield from _numbers(part)
        case Negation(part):
            yield from _numbers(part)
        case Compare(_, left, right):
            for name, number in ((left, right), (right, left)):
                if isinstance(name, Name) and name.name in SCORES and isinstance(number, Literal):
                    yield name.name, float(number.value)
        case _:
            return

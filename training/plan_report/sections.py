"""The document's chapters that the plan alone fills: identify, assess, classify, mitigate, owners, changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from models.plan.difference import Difference
from models.plan.document import Change
from models.plan.plan import Plan
from models.simulation.period import Period
from training.plan_report.blocks import Block, Heading, Table, Text

_ACTION_WORDS = {
    "publish": "publish",
    "publish_with_warning": "publish with warning",
    "request_information": "request information",
    "hold_for_review": "hold for review",
    "block": "block",
}
_NONE = "–"


def identify(plan: Plan) -> Iterator[Block]:
    """How risks are found."""
    part = plan.document.identify
    yield Heading("How risks are identified")
    yield Text(
        "Every offer is assessed before it goes on sale: its text, category, attributes and the words of its pictures."
        " Beside that, these sources of dangerous products are consulted."
    )
    if part.sources:
        rows = [
            [source.what, str(source.cadence), source.owner or _NONE, _cited(source.legal_basis)]
            for source in part.sources.values()
        ]
        yield Table(["Source", "Every", "Owner", "Basis"], rows, [0.42, 0.12, 0.16, 0.3])
    checks = part.random_checks
    if checks is not None:
        yield Text(
            f"Random checks: {checks.share:.2%} of the live offers against {part.sources[checks.source].what}, every"
            f" {checks.cadence} ({_cited(checks.legal_basis)})."
        )
    if part.prohibited_kinds:
        yield Heading("Products that are not sold", 2)
        rows = [
            [entry.kind.replace("-", " "), entry.reason, f"{entry.probability:g}"] for entry in part.prohibited_kinds
        ]
        yield Table(["Kind of product", "Why", "from probability"], rows, [0.26, 0.58, 0.16], [2])


def assess(plan: Plan) -> Iterator[Block]:
    """How risks are measured, and what is promised of the thresholds."""
    part = plan.document.assess
    yield Heading("How risks are assessed")
    if part.scenarios is not None:
        yield Text(part.scenarios.method)
    if part.prior is not None:
        yield Text(f"Share of unsafe products that figures are read under: {part.prior.p_unsafe:g}. {part.prior.why}")
    yield Heading("Thresholds and their guarantees", 2)
    if not part.thresholds:
        yield Text("The plan states no threshold.")
    rows = []
    for name, threshold in part.thresholds.items():
        promised = plan.guarantees.get(threshold.guarantee or "")
        kept = promised is not None and promised.threshold is not None and promised.score == threshold.score
        if promised is not None and kept:
            promise = (
                f"{promised.statement} Target {promised.target:g} with confidence {promised.confidence:g}, chosen on"
                f" {promised.n:,} cases ({promised.positives:,} to be found; {promised.source}"
                f"{', newest of ' + promised.calibrated_on if promised.calibrated_on else ''})."
            )
        elif threshold.guarantee:
            promise = f"None: the model gives no guarantee '{threshold.guarantee}'; the number of the plan is taken."
        else:
            promise = "None: a judgement."
        rows.append([name, threshold.score, f"{plan.thresholds[name]:.4g}", promise, threshold.why or _NONE])
    if rows:
        columns = ["Threshold", "Score", "Number", "Guarantee", "Why"]
        yield Table(columns, rows, [0.17, 0.11, 0.1, 0.38, 0.24], [2])


def classify(plan: Plan) -> Iterator[Block]:
    """What levels and consumer groups mean, and what moves a level."""
    part = plan.document.classify
    yield Heading("How risks are classified")
    yield Text(
        "The level follows from severity (1 to 4) and probability of harm by the matrix of the EU risk-assessment"
        " guidelines (Implementing Decision (EU) 2019/417; criteria in force: Delegated Regulation (EU) 2024/3173,"
        " Annex II). The worst scenario counts."
    )
    if part.levels:
        yield Table(["Level", "What it means"], [[k.value, v] for k, v in part.levels.items()], [0.18, 0.82])
    if part.consumer_groups:
        groups = [[name.replace("_", " "), who] for name, who in part.consumer_groups.items()]
        yield Table(["Consumers", "Who"], groups, [0.18, 0.82])
    if part.changes:
        yield Heading("What raises or lowers a level", 2)
        rows = [
            [
                change.id,
                change.when,
                _bounds(change),
                change.reason,
                change.status,
            ]
            for change in part.changes
        ]
        yield Table(["Change", "Condition", "Level", "Why", "Status"], rows, [0.14, 0.3, 0.14, 0.32, 0.1])


def mitigate(plan: Plan, period: Period) -> Iterator[Block]:
    """The measures: rules with their basis and how often they acted, obligations, queues."""
    part = plan.document.mitigate
    yield Heading("Measures")
    yield Text(
        "Actions are ordered: publish, publish with warning, request information, hold for review, block. The strictest"
        f" action of all live rules that hold is taken; where none holds: {_ACTION_WORDS[part.otherwise.value]}. Where"
        f" a rule cannot be judged, at least: {_ACTION_WORDS[part.on_error.value]}."
    )
    order = sorted(plan.rules, key=lambda rule: (-rule.spec.action.rank, rule.status != "live", rule.id))
    rows = []
    for rule in order:
        spec = rule.spec
        hits = period.trial[rule.id] if rule.status == "background" else period.fired[rule.id]
        work = " / ".join(part for part in (spec.queue or "", f"within {spec.due}" if spec.due else "") if part)
        status = "on trial" if rule.status == "background" else rule.status
        rows.append(
            [
                f"{rule.id} ({status})",
                f"{spec.reason}\n{spec.when}",
                _ACTION_WORDS[spec.action.value],
                work or _NONE,
                _cited(spec.legal_basis),
                f"{hits:,}",
            ]
        )
    columns = ["Rule", "What it is for; its condition", "Action", "Queue / due", "Basis", "Hits"]
    yield Table(columns, rows, [0.2, 0.32, 0.12, 0.13, 0.16, 0.07], [5])
    if part.obligations:
        yield Heading("Obligations", 2)
        rows = [[name, duty.who, duty.text, _cited(duty.legal_basis)] for name, duty in part.obligations.items()]
        yield Table(["Obligation", "Who", "What", "Basis"], rows, [0.2, 0.13, 0.42, 0.25])


def owners(plan: Plan) -> Iterator[Block]:
    """Who answers for what."""
    document = plan.document
    yield Heading("Owners")
    yield Text(f"Owner of the plan: {document.owner or 'not named'}.")
    duties: defaultdict[str, list[str]] = defaultdict(list)
    for name, source in document.identify.sources.items():
        duties[source.owner or document.owner or "not named"].append(f"source {name}")
    for rule in plan.rules:
        if rule.spec.owner:
            duties[rule.spec.owner].append(f"rule {rule.id}")
    unowned = sum(1 for rule in plan.rules if not rule.spec.owner)
    rows = [[owner, ", ".join(things)] for owner, things in sorted(duties.items())]
    if unowned:
        rows.append([document.owner or "not named", f"{unowned} rules that name no owner of their own"])
    yield Table(["Owner", "Answers for"], rows, [0.25, 0.75])
    queues = document.mitigate.queues
    if queues:
        yield Heading("Who reviews", 2)
        rows = [[name, queue.who, f"{queue.minutes:g}"] for name, queue in queues.items()]
        yield Table(["Queue, most urgent first", "Who", "minutes an item"], rows, [0.35, 0.45, 0.2], [2])


def changes(found: Sequence[Difference] | None, previous: str) -> Iterator[Block]:
    """What is new since the version before."""
    yield Heading("Changes since the last version")
    if found is None:
        yield Text("There is no earlier version to compare with.")
        return
    yield Text(f"Compared with {previous}.")
    if not found:
        yield Text("Nothing that decides anything has changed.")
        return
    rows = [
        [" › ".join(each.path), each.kind, _value(each.before), _value(each.after), each.effect or _NONE]
        for each in found
    ]
    yield Table(["Where", "What", "Before", "After", "Effect"], rows, [0.26, 0.1, 0.26, 0.26, 0.12])


def _bounds(change: Change) -> str:
    named = (("at least", change.at_least), ("at most", change.at_most))
    return "; ".join(f"{words} {level.value}" for words, level in named if level)


def _cited(articles: Sequence[str]) -> str:
    return "; ".join(articles) or _NONE


def _value(value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, dict):
        shown = {name: part for name, part in value.items() if part not in (None, "", [], {})}
        return "; ".join(f"{name}: {_value(part)}" for name, part in shown.items())
    if isinstance(value, list):
        return ", ".join(_value(part) for part in value) or _NONE
    return str(value)

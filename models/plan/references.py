"""Does everything that a plan names exist? Conditions, queues, obligations, thresholds, kinds; ids stand once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models.plan.conditions import ConditionCheck
from models.plan.document import Change, PlanDocument, RuleSpec
from models.plan.names import Vocabulary
from models.plan.problems import Problem, did_you_mean
from models.plan.source import Path, PlanSource
from models.plan.syntax import Node, SyntaxFault, parse

NOT_YET: dict[str, tuple[str, ...]] = {"changes": ("prohibited",), "rules": ()}
"""Facts that a section cannot use, since it is weighed before they are known."""


def reference_problems(document: PlanDocument, source: PlanSource, vocabulary: Vocabulary) -> list[Problem]:
    """Return what a well-shaped plan names and nobody knows, and what it names and never uses."""
    return list(_References(document, source, vocabulary).problems())


class _References:
    def __init__(self, document: PlanDocument, source: PlanSource, vocabulary: Vocabulary) -> None:
        self.document, self.source, self.vocabulary = document, source, vocabulary
        self.thresholds_used: set[str] = set()

    def problems(self) -> Iterator[Problem]:
        rules, changes = self.document.mitigate.rules, self.document.classify.changes
        yield from self._identify()
        yield from self._ids([(("classify", "changes", i, "id"), change.id) for i, change in enumerate(changes)])
        yield from self._ids([(("mitigate", "rules", i, "id"), rule.id) for i, rule in enumerate(rules)])
        for i, change in enumerate(changes):
            yield from self._change(change, ("classify", "changes", i))
        for i, rule in enumerate(rules):
            yield from self._rule(rule, ("mitigate", "rules", i))
        yield from self._unused()

    def _identify(self) -> Iterator[Problem]:
        identify = self.document.identify
        checks = identify.random_checks
        if checks is not None and checks.source not in identify.sources:
            path: Path = ("identify", "random_checks", "source")
            hint = did_you_mean(checks.source, identify.sources, "name it under identify: sources")
            yield self._error(f"no source has the name {checks.source!r}", hint, path)
        known = self.vocabulary.of("kind")
        for i, entry in enumerate(identify.prohibited_kinds):
            if known is not None and entry.kind not in known:
                hint = did_you_mean(entry.kind, known, "see the list of kinds")
                yield self._error(f"{entry.kind!r} is not a kind", hint, ("identify", "prohibited_kinds", i, "kind"))
        kinds: list[tuple[Path, str]] = [
            (("identify", "prohibited_kinds", i, "kind"), entry.kind)
            for i, entry in enumerate(identify.prohibited_kinds)
        ]
        yield from self._ids(kinds, "kind")

    def _ids(self, ids: Sequence[tuple[Path, str]], what: str = "id") -> Iterator[Problem]:
        seen: dict[str, Path] = {}
        for path, name in ids:
            if name in seen:
                line = self.source.place(seen[name]).line
                yield self._error(f"{what} {name!r} stands twice", f"line {line} has it too; ids are unique", path)
            seen.setdefault(name, path)

    def _change(self, change: Change, path: Path) -> Iterator[Problem]:
        yield from self._condition(change.when, (*path, "when"), "changes")
        if change.at_least is None and change.at_most is None:
            yield self._error(f"change {change.id!r} changes nothing", "give it at_least or at_most, a level", path)
        elif change.at_least and change.at_most and change.at_least.rank > change.at_most.rank:
            message = f"at least {change.at_least.value} and at most {change.at_most.value} cannot both hold"
            yield self._error(message, "keep one of them", (*path, "at_most"))

    def _rule(self, rule: RuleSpec, path: Path) -> Iterator[Problem]:
        mitigate = self.document.mitigate
        yield from self._condition(rule.when, (*path, "when"), "rules")
        if rule.queue is not None and rule.queue not in mitigate.queues:
            hint = did_you_mean(rule.queue, mitigate.queues, "name it under mitigate: queues")
            yield self._error(f"no queue has the name {rule.queue!r}", hint, (*path, "queue"))
        for i, name in enumerate(rule.obligations):
            if name not in mitigate.obligations:
                hint = did_you_mean(name, mitigate.obligations, "name it under mitigate: obligations")
                yield self._error(f"no obligation has the name {name!r}", hint, (*path, "obligations", i))

    def _condition(self, text: str, path: Path, section: str) -> Iterator[Problem]:
        node = parsed(text)
        if isinstance(node, SyntaxFault):
            place = self.source.place_within(path, node.at)
            yield Problem("error", node.message, node.hint, *place)
            return
        scores = {name: threshold.score for name, threshold in self.document.assess.thresholds.items()}
        check = ConditionCheck(self.vocabulary, scores, NOT_YET[section])
        for fault in check.check(node):
            yield Problem("error", fault.message, fault.hint, *self.source.place_within(path, fault.at))
        self.thresholds_used |= check.thresholds_used

    def _unused(self) -> Iterator[Problem]:
        mitigate = self.document.mitigate
        groups: tuple[tuple[str, Path, Mapping[str, object], set[str]], ...] = (
            ("threshold", ("assess", "thresholds"), self.document.assess.thresholds, self.thresholds_used),
            ("queue", ("mitigate", "queues"), mitigate.queues, {r.queue for r in mitigate.rules if r.queue}),
            (
                "obligation",
                ("mitigate", "obligations"),
                mitigate.obligations,
                {name for rule in mitigate.rules for name in rule.obligations},
            ),
        )
        for what, path, known, used in groups:
            for name in known:
                if name not in used:
                    place = self.source.place((*path, name), key=True)
                    yield Problem("warning", f"{what} {name!r} is never used", "use it in a rule, or remove it", *place)

    def _error(self, message: str, hint: str, path: Path) -> Problem:
        return Problem("error", message, hint, *self.source.place(path))


def parsed(text: str) -> Node | SyntaxFault:
    """Return the tree of a condition, or why it has none."""
    try:
        return parse(text)
    except SyntaxFault as fault:
        return fault

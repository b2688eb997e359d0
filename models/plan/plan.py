"""A plan that decides: exactly one action for every assessment, the strictest of all live rules that fire."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

from models.domain.action import Action, Due
from models.domain.assessment import Decision, Findings, LevelChange, Obligation, RuleError, RuleFired
from models.domain.guarantee import Guarantee
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.plan.compiling import Test, compiled
from models.plan.document import Change, PlanDocument, RuleSpec
from models.plan.facts import NOTHING_KNOWN, Circumstances, Facts, facts_of
from models.plan.syntax import parse

_LEVELS = list(RiskLevel)


@dataclass(frozen=True)
class Rule:
    """A rule ready to be tested, with its status on the plan's day."""

    spec: RuleSpec
    test: Test
    status: str

    @property
    def id(self) -> str:
        """Its stable id."""
        return self.spec.id

    def as_fired(self) -> RuleFired:
        """Return it for the decision record."""
        spec = self.spec
        return RuleFired(
            id=spec.id,
            action=spec.action,
            reason=spec.reason,
            reason_code=spec.reason_code or spec.id,
            legal_basis=spec.legal_basis,
            owner=spec.owner,
        )


class Verdict(NamedTuple):
    """What the rules come to, before it is worded. Rules are sorted: strictest first, then by id."""

    action: Action
    level: int
    fired: tuple[Rule, ...]
    background: tuple[Rule, ...]
    changes: tuple[Change, ...]
    errors: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Plan:
    """A versioned risk-management plan, made by `models.plan.reading`.

    Parameters
    ----------
    document : PlanDocument
        Checked: every condition is in order and every reference leads somewhere.
    text : str
        The file.
    day : date
        The day on which it is read: a rule whose `expires` is past no longer counts.
    guarantees : mapping
        Guarantees of the model by id; thresholds take their numbers from them.
    """

    document: PlanDocument
    text: str = field(repr=False)
    day: dt.date
    guarantees: Mapping[str, Guarantee]

    @property
    def name(self) -> str:
        """Its name."""
        return self.document.name

    @property
    def version(self) -> str:
        """Version as the file gives it."""
        return self.document.version

    @property
    def id(self) -> str:
        """Name, version and the start of the digest."""
        return f"{self.name}@{self.version}+{self.digest[:8]}"

    @cached_property
    def content_digest(self) -> str:
        """SHA-256 (hex) of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file and of the rules that have expired since: another digest decides otherwise."""
        expired = [rule.id for rule in self.rules if rule.status == "expired" != rule.spec.status]
        if not expired:
            return self.content_digest
        return hashlib.sha256("\n".join([self.content_digest, *sorted(expired)]).encode()).hexdigest()

    @cached_property
    def thresholds(self) -> dict[str, float]:
        """Number of each threshold: the guarantee's where the model has it, else what the plan gives."""
        numbers: dict[str, float] = {}
        for name, threshold in self.document.assess.thresholds.items():
            promised = self.guarantees.get(threshold.guarantee or "")
            given = promised.threshold if promised is not None and promised.score == threshold.score else None
            numbers[name] = threshold.otherwise if given is None else given
        return numbers

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of the file, in its order."""
        return tuple(
            Rule(spec, compiled(parse(spec.when), self.thresholds), self._status(spec))
            for spec in self.document.mitigate.rules
        )

    def bound_to(self, guarantees: Iterable[Guarantee]) -> Self:
        """Return the plan with the thresholds that a model's guarantees give."""
        return replace(self, guarantees={guarantee.id: guarantee for guarantee in guarantees})

    def on(self, day: dt.date) -> Self:
        """Return the plan as it stands on a day; the same one where nothing expires in between."""
        other = replace(self, day=day)
        return self if other.digest == self.digest else other

    def strange_to(self, guarantees: Iterable[Guarantee], spread: float) -> list[str]:
        """Return what the plan says of a model and a given model does not keep: guarantees, spread of scenarios."""
        assess, known = self.document.assess, {guarantee.id: guarantee for guarantee in guarantees}
        found = []
        for name, threshold in assess.thresholds.items():
            promised = known.get(threshold.guarantee or "")
            if threshold.guarantee is None:
                continue
            if promised is None:
                why = f"the model gives no guarantee {threshold.guarantee}"
            elif promised.score != threshold.score:
                why = f"guarantee {promised.id} is on {promised.score}, not on {threshold.score}"
            elif promised.threshold is None:
                why = f"no threshold of the model keeps guarantee {promised.id}"
            else:
                continue
            found.append(f"threshold {name}: {why}; {threshold.otherwise:g} is taken")
        wanted = assess.scenarios.spread if assess.scenarios is not None else None
        if wanted is not None and wanted != spread:
            found.append(f"the model's scenarios have a spread of {spread:g}, not {wanted:g}")
        return found

    def decide(self, findings: Findings, listing: Listing, circumstances: Circumstances = NOTHING_KNOWN) -> Decision:
        """Return what to do with a listing."""
        return self.decide_on(
            findings.model_dump(mode="json", exclude={"explanation"}), listing.model_dump(mode="json"), circumstances
        )

    def decide_on(
        self,
        assessment: Mapping[str, Any],
        listing: Mapping[str, Any],
        circumstances: Circumstances = NOTHING_KNOWN,
    ) -> Decision:
        """`decide` for an assessment and a listing as the store keeps them."""
        facts = facts_of(assessment, listing, circumstances)
        return self.worded(self.judge(facts), facts)

    def judge(self, facts: Facts) -> Verdict:
        """Return what the rules come to; adds `prohibited` and the plan's `level` to the facts."""
        errors: list[tuple[str, str]] = []
        facts["prohibited"] = self._prohibited(facts)
        changes = self._classify(facts, errors)
        fired: list[Rule] = []
        background: list[Rule] = []
        failed = bool(errors)
        for rule, test, live in self._tested:
            try:
                holds = test(facts)
            except Exception as error:  # noqa: BLE001  (reported in the decision, and `on_error` applies)
                errors.append((rule.id, f"{type(error).__name__}: {error}"))
                failed = failed or live
            else:
                if holds:
                    (fired if live else background).append(rule)
        actions = [rule.spec.action for rule in fired] or [self.document.mitigate.otherwise]
        if failed:
            actions.append(self.document.mitigate.on_error)
        return Verdict(
            max(actions, key=_strictness),
            facts["level"] if facts["level"] is not None else RiskLevel.NONE.rank,
            tuple(sorted(fired, key=_order)),
            tuple(sorted(background, key=_order)),
            tuple(changes),
            tuple(errors),
        )

    def worded(self, verdict: Verdict, facts: Facts) -> Decision:
        """Return the decision record of a verdict."""
        return Decision(
            action=verdict.action,
            rules=[rule.id for rule in verdict.fired],
            reasons=[rule.spec.reason for rule in verdict.fired],
            level=_LEVELS[verdict.level],
            fired=[rule.as_fired() for rule in verdict.fired],
            classified_by=[
                LevelChange(
                    id=change.id,
                    at_least=change.at_least,
                    at_most=change.at_most,
                    reason=change.reason,
                    legal_basis=change.legal_basis,
                )
                for change in verdict.changes
            ],
            background=[rule.as_fired() for rule in verdict.background],
            errors=[RuleError(rule=rule, message=message) for rule, message in verdict.errors],
            obligations=self._obligations(verdict, facts),
            queue=self.queue_of(verdict),
            due=self._due(verdict),
        )

    @cached_property
    def _tested(self) -> tuple[tuple[Rule, Test, bool], ...]:
        """Rules that are tested, flat and in the order of their ids: order in the file says nothing."""
        tested = [rule for rule in self.rules if rule.status in ("live", "background")]
        return tuple((rule, rule.test, rule.status == "live") for rule in sorted(tested, key=lambda rule: rule.id))

    @cached_property
    def _changes(self) -> tuple[tuple[Change, Test], ...]:
        live = [change for change in self.document.classify.changes if change.status == "live"]
        return tuple(
            (change, compiled(parse(change.when), self.thresholds))
            for change in sorted(live, key=lambda change: change.id)
        )

    @cached_property
    def _prohibited_kinds(self) -> dict[str, float]:
        return {entry.kind: entry.probability for entry in self.document.identify.prohibited_kinds}

    @cached_property
    def _urgency(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.document.mitigate.queues)}

    def _status(self, spec: RuleSpec) -> str:
        past = spec.expires is not None and spec.expires < self.day
        return "expired" if past and spec.status in ("live", "background") else spec.status

    def _prohibited(self, facts: Facts) -> bool:
        found: Mapping[str, float] = facts["kind_probabilities"]
        least = self._prohibited_kinds
        return any(kind in least and probability >= least[kind] for kind, probability in found.items())

    def _classify(self, facts: Facts, errors: list[tuple[str, str]]) -> list[Change]:
        """Set the plan's level and return what changed it: lowered first, then raised, whatever the order."""
        holding: list[Change] = []
        for change, test in self._changes:
            try:
                if test(facts):
                    holding.append(change)
            except Exception as error:  # noqa: BLE001  (reported in the decision, and `on_error` applies)
                errors.append((change.id, f"{type(error).__name__}: {error}"))
        level: int | None = facts["level"]
        if level is None:
            return []
        lowered = min([level, *(change.at_most.rank for change in holding if change.at_most)])
        raised = max([lowered, *(change.at_least.rank for change in holding if change.at_least)])
        facts["level"] = raised
        return [change for change in holding if _matters(change, level, lowered)]

    def _obligations(self, verdict: Verdict, facts: Facts) -> list[Obligation]:
        specs = self.document.mitigate.obligations
        wanted = dict.fromkeys(name for rule in verdict.fired for name in rule.spec.obligations)
        return [
            Obligation(
                id=name,
                who=specs[name].who,
                text=specs[name].text,
                legal_basis=specs[name].legal_basis,
                missing=_missing(specs[name].missing, facts),
            )
            for name in wanted
        ]

    def queue_of(self, verdict: Verdict) -> str | None:
        """The most urgent queue of the rules that decide; where they name none, of all that fired."""
        deciding = [rule.spec.queue for rule in verdict.fired if rule.spec.action == verdict.action and rule.spec.queue]
        named = deciding or [rule.spec.queue for rule in verdict.fired if rule.spec.queue]
        return min(named, key=lambda name: self._urgency[name], default=None)

    @staticmethod
    def _due(verdict: Verdict) -> Due | None:
        dues = [rule.spec.due for rule in verdict.fired if rule.spec.due is not None]
        return min(dues, key=lambda due: (due.least_hours, due.unit), default=None)


def _strictness(action: Action) -> int:
    return action.rank


def _order(rule: Rule) -> tuple[int, str]:
    return -rule.spec.action.rank, rule.id


def _matters(change: Change, level: int, lowered: int) -> bool:
    """A floor matters where it lies above what the level was lowered to, even if not above the level before."""
    return (change.at_least is not None and change.at_least.rank > lowered) or (
        change.at_most is not None and change.at_most.rank < level
    )


def _missing(what: str | None, facts: Facts) -> list[str]:
    if what == "traceability":
        return sorted(facts["missing"])
    return sorted(f"warnings-{code}" for code in facts["countries_without_warnings"]) if what == "warnings" else []

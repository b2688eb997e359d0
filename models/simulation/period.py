"""Figures of a period for the printed plan: the risk register, and what was done. One pass, bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.domain.action import Action
from models.domain.risk import RiskLevel
from models.simulation.outcome import Outcome, remembered
from models.simulation.records import Record, Unreadable

LEVELS = [level.value for level in RiskLevel]
ACTIONS = [action.value for action in Action]
_RESTRICTED = Action.REQUEST_INFORMATION.rank
_HELD = Action.HOLD_FOR_REVIEW.rank
_CELLS_KEPT = 5_000


@dataclass
class Cell:
    """Listings whose worst scenario is one hazard, in one product category.

    Parameters
    ----------
    levels : list of int
        Count by level of risk, none to serious.
    restricted : int
        Not published until something is done, or at all.
    inherent, residual : float
        Sum of P(level high or serious), over all of them and over those that went on sale.
    sentence : str
        The scenario of the highest score, in the words of the knowledge base.
    """

    n: int = 0
    levels: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    restricted: int = 0
    inherent: float = 0.0
    residual: float = 0.0
    sentence: str = ""
    worst: float = -1.0

    def add(self, outcome: Outcome, score: float, sentence: str) -> None:
        """Count one listing."""
        self.n += 1
        self.levels[outcome.level] += 1
        self.inherent += score
        if outcome.action >= _RESTRICTED:
            self.restricted += 1
        else:
            self.residual += score
        if score > self.worst:
            self.worst, self.sentence = score, sentence


@dataclass
class Period:
    """What was assessed and decided in a period.

    Parameters
    ----------
    cells : mapping
        (hazard, category) -> counts; listings without a scenario are in `harmless` only.
    """

    n: int = 0
    unreadable: int = 0
    first: str = ""
    last: str = ""
    harmless: int = 0
    abstained: int = 0
    referred: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    fired: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    trial: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    queues: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    plans: Counter[str] = field(default_factory=Counter)
    inherent: float = 0.0
    residual: float = 0.0
    held_wrongly: float = 0.0

    @property
    def restricted(self) -> int:
        """Listings that were not published until something was done, or at all."""
        return sum(self.actions[name] for name in ACTIONS[_RESTRICTED:])

    @property
    def held(self) -> int:
        """Listings that were held for a person or blocked."""
        return sum(self.actions[name] for name in ACTIONS[_HELD:])

    def add(self, day: str, assessment: Mapping[str, Any], outcome: Outcome) -> None:
        """Count one decision."""
        self.n += 1
        if day:
            self.first, self.last = min(self.first or day, day), max(self.last, day)
        score = assessment.get("risk_score") or 0.0
        self._risk(assessment, outcome, score)
        self.levels[LEVELS[outcome.level]] += 1
        self.actions[ACTIONS[outcome.action]] += 1
        self.fired.update(outcome.rules)
        self.decided.update(outcome.deciding)
        self.trial.update(outcome.background)
        self.errors.update(outcome.errors)
        self.abstained += bool(assessment.get("abstains"))
        if outcome.queue:
            self.referred += 1
            self.queues[outcome.queue] += 1
        versions = assessment.get("versions") or {}
        self.models[versions.get("model", "(unknown)")] += 1
        self.plans[versions.get("plan", "(unknown)")] += 1
        self.languages[(assessment.get("language") or {}).get("code") or "(unknown)"] += 1
        duties = (assessment.get("decision") or {}).get("obligations") or ()
        self.missing.update({_gap(code) for duty in duties for code in duty.get("missing") or ()})

    def _risk(self, assessment: Mapping[str, Any], outcome: Outcome, score: float) -> None:
        self.inherent += score
        if outcome.action < _RESTRICTED:
            self.residual += score
        elif outcome.action >= _HELD:
            self.held_wrongly += 1 - score
        scenario = assessment.get("scenario")
        if not scenario:
            self.harmless += 1
            return
        kinds = assessment.get("kinds") or ()
        key = (scenario.get("risk_type") or "other", (kinds[0].get("category") if kinds else None) or "(unknown)")
        if key not in self.cells and len(self.cells) >= _CELLS_KEPT:
            key = ("other", "(others)")
        self.cells.setdefault(key, Cell()).add(outcome, score, scenario.get("sentence") or "")


def period_of(records: Iterable[Record | Unreadable], until: str = "") -> Period:
    """Return the figures of some records.

    Parameters
    ----------
    until : str
        Last day (ISO 8601) that counts, empty for no end; records without a day count always.
    """
    period = Period()
    for record in records:
        outcome = remembered(record.assessment) if isinstance(record, Record) else None
        if not isinstance(record, Record) or outcome is None:
            period.unreadable += 1
        elif not until or not record.day or record.day <= until:
            period.add(record.day, record.assessment, outcome)
    return period


def _gap(code: str) -> str:
    return "warnings" if code.startswith("warnings-") else code

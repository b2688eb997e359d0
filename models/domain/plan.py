"""The risk-management plan: from a level to an action."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel


class Action(StrEnum):
    """What to do with a listing, from least to most strict."""

    PUBLISH = "publish"
    PUBLISH_WITH_WARNING = "publish_with_warning"
    REQUEST_INFORMATION = "request_information"
    HOLD_FOR_REVIEW = "hold_for_review"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """Position from least (0) to most strict (4)."""
        return list(Action).index(self)


@dataclass(frozen=True)
class Rule:
    """One rule: a condition on level or abstention, and an action.

    Parameters
    ----------
    level : RiskLevel or None
        The rule fires at this level.
    abstains : bool
        The rule fires whenever the model abstains.
    """

    id: str
    action: Action
    reason: str
    level: RiskLevel | None = None
    abstains: bool = False


@dataclass(frozen=True)
class Verdict:
    """The strictest action of all rules that fired, with the rules, strictest first."""

    action: Action
    fired: tuple[Rule, ...]


@dataclass(frozen=True)
class Plan:
    """A versioned risk-management plan. Total: `decide` gives exactly one action for every input."""

    name: str
    version: str
    digest: str
    rules: tuple[Rule, ...]

    @property
    def id(self) -> str:
        """Name, version and the start of the file's SHA-256."""
        return f"{self.name}@{self.version}+{self.digest[:8]}"

    def decide(self, level: RiskLevel, abstains: bool) -> Verdict:
        """Return the strictest action over the rules that fire; `Action.PUBLISH` where none does."""
        fired = sorted(
            (rule for rule in self.rules if rule.level == level or (rule.abstains and abstains)),
            key=lambda rule: (-rule.action.rank, rule.id),
        )
        return Verdict(fired[0].action if fired else Action.PUBLISH, tuple(fired))


def load_plan(path: Path | str | None = None) -> Plan:
    """Read a plan file; without a path, the default plan.

    Raises
    ------
    InputError
        Naming file, rule, key and mend.
    """
    source = Path(path) if path is not None else datasets_dir() / "plans" / "default.yaml"
    try:
        content = source.read_bytes()
        raw = yaml.safe_load(content)
    except FileNotFoundError as error:
        raise InputError("no such plan", place=str(source), hint="give --plan a YAML file") from error
    except (yaml.YAMLError, OSError) as error:
        raise InputError(f"not readable as YAML: {error}", place=str(source)) from error
    if not isinstance(raw, dict) or not isinstance(raw.get("rules"), list):
        raise InputError("key 'rules' must hold a list", place=str(source))
    rules = tuple(_rule(entry, f"{source}: rules[{i}]") for i, entry in enumerate(raw["rules"]))
    missing = [level.value for level in RiskLevel if not any(rule.level == level for rule in rules)]
    if missing:
        raise InputError(
            f"no rule for level {', '.join(missing)}", place=str(source), hint="a plan answers every level"
        )
    repeated = [name for name, n in Counter(rule.id for rule in rules).items() if n > 1]
    if repeated:
        raise InputError(f"rule id {repeated[0]!r} stands twice", place=str(source), hint="rule ids must be unique")
    return Plan(
        str(raw.get("name", source.stem)), str(raw.get("version", "1")), hashlib.sha256(content).hexdigest(), rules
    )


def _rule(entry: Any, place: str) -> Rule:
    if not isinstance(entry, dict):
        raise InputError(
            f"value {entry!r} is no rule", place=place, hint="write {id, action, level or abstains, reason}"
        )
    unknown = set(entry) - {"id", "action", "level", "abstains", "reason"}
    if unknown:
        raise InputError(
            f"unknown key {sorted(unknown)[0]!r}",
            place=place,
            hint="known keys are id, action, level, abstains, reason",
        )
    try:
        action = Action(str(entry.get("action")))
        level = RiskLevel(entry["level"]) if "level" in entry else None
    except ValueError as error:
        raise InputError(
            str(error), place=place, hint=f"actions: {', '.join(Action)}; levels: {', '.join(RiskLevel)}"
        ) from error
    abstains = entry.get("abstains", False)
    if not isinstance(abstains, bool):
        raise InputError(f"abstains is {abstains!r}", place=place, hint="write true or false")
    if level is None and not abstains:
        raise InputError("the rule can never fire", place=place, hint="give it a level, or abstains: true")
    if not str(entry.get("id", "")).strip():
        raise InputError("the rule has no id", place=place, hint="a stable id such as level-high")
    return Rule(str(entry["id"]), action, str(entry.get("reason", "")), level, abstains)

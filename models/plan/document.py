"""The shape of a plan file, as types: what reads it, checks it and publishes its JSON schema."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from models.domain.action import Action, Due
from models.domain.risk import RiskLevel

MOST_RULES = 2_000
_DUE = re.compile(r"\s*(\d{1,4})\s+(hours?|days?|working[ _]days?)\s*")

Status = Literal["live", "background", "draft", "expired"]
Who = Literal["seller", "marketplace", "reviewer"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_condition(value: Any) -> Any:
    """`when: true` is a condition, and YAML makes a boolean of it."""
    return str(value).lower() if isinstance(value, bool) else value


def _as_due(value: Any) -> Any:
    if isinstance(value, str):
        match = _DUE.fullmatch(value)
        if match is None or not 1 <= int(match[1]) <= 1_000:
            raise ValueError(f"{value!r} is no length of time")
        unit = match[2].replace(" ", "_")
        return Due(amount=int(match[1]), unit=unit if unit.endswith("s") else f"{unit}s")
    if isinstance(value, Due):
        return value
    raise ValueError(f"{value!r} is no length of time")


_TEXT = {"type": "string", "minLength": 1, "maxLength": 2_000}
Texts = Annotated[
    list[Line], BeforeValidator(_as_list), WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]})
]
Length = Annotated[
    Due,
    BeforeValidator(_as_due),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,4} (hours?|days?|working days?)$"}),
]
_WHEN = "an expression; `hazardlens plan names` lists its names"
When = Annotated[
    str,
    Field(max_length=4_000),
    BeforeValidator(_as_condition),
    WithJsonSchema({"type": ["string", "boolean"], "maxLength": 4_000, "description": _WHEN}),
]
Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Section):
    """Where news of dangerous products comes from, and how often it is looked at."""

    what: Line
    cadence: Length
    legal_basis: Texts = []
    owner: str = ""


class RandomChecks(_Section):
    """Random checks of live listings against an official database (DSA Article 31(3))."""

    source: Slug = Field(description="a name of `sources`")
    share: Share = Field(description="share of the live listings that is checked in each round")
    cadence: Length
    legal_basis: Texts = []


class ProhibitedKind(_Section):
    """A product kind that is not sold here."""

    kind: Slug
    probability: Share = Field(0.5, description="from which probability of the kind on a listing counts")
    reason: Line
    legal_basis: Texts = []


class Identify(_Section):
    """How risks are found."""

    sources: dict[Slug, Source] = {}
    random_checks: RandomChecks | None = None
    prohibited_kinds: list[ProhibitedKind] = []


class Prior(_Section):
    """The share of unsafe products among listings, for people and for forecasts; no rule looks at it."""

    p_unsafe: Share
    why: Line


class Threshold(_Section):
    """A threshold by reference to a guarantee of the model, with a number for models that give none."""

    score: Literal["risk_score", "p_unsafe"]
    guarantee: Slug | None = Field(None, description="id of a guarantee of the model artifact")
    otherwise: Share = Field(description="taken where the model has no such guarantee")
    why: str = ""


class Scenarios(_Section):
    """How a level comes about; the constants are the model's, and a model with others is told apart."""

    method: Line
    spread: float | None = Field(None, gt=0, description="spread of the scenario's probability, in powers of ten")


class Assess(_Section):
    """How risks are measured."""

    prior: Prior | None = None
    scenarios: Scenarios | None = None
    thresholds: dict[Slug, Threshold] = {}


class Change(_Section):
    """What raises the level to at least one, or lowers it to at most one. Raising wins over lowering."""

    id: Slug
    status: Status = "live"
    when: When
    at_least: RiskLevel | None = None
    at_most: RiskLevel | None = None
    reason: Line
    legal_basis: Texts = []


class Classify(_Section):
    """What levels and consumer groups mean here, and what raises or lowers the level."""

    levels: dict[RiskLevel, Line] = {}
    consumer_groups: dict[Literal["very_vulnerable", "vulnerable", "other"], Line] = {}
    changes: list[Change] = []


class Queue(_Section):
    """Where a person looks. Queues stand in the order of their urgency, the most urgent first."""

    who: Line
    minutes: float = Field(gt=0, le=10_000, description="a reviewer's time for one item, for the forecast")


class ObligationSpec(_Section):
    """What somebody must do."""

    who: Who
    text: Line
    missing: Literal["traceability", "warnings"] | None = Field(None, description="what is named as missing with it")
    legal_basis: Texts = []


class RuleSpec(_Section):
    """One rule: where its condition holds, its action is the least strict one that may be taken."""

    id: Slug
    status: Status = "live"
    expires: dt.date | None = Field(None, description="last day on which it counts")
    when: When
    action: Action
    obligations: list[Slug] = []
    queue: Slug | None = None
    due: Length | None = None
    legal_basis: Texts = []
    owner: str = ""
    reason: Line = Field(description="for people, in one sentence")
    reason_code: Slug | None = Field(None, description="stable code for statistics and texts; the id where not given")


class Mitigate(_Section):
    """What is done. The strictest live rule that fires wins."""

    otherwise: Action = Field(description="where no live rule fires")
    on_error: Action = Field(Action.HOLD_FOR_REVIEW, description="at least this, where a live rule cannot be judged")
    queues: dict[Slug, Queue] = {}
    obligations: dict[Slug, ObligationSpec] = {}
    rules: list[RuleSpec] = Field(max_length=MOST_RULES)


class PlanDocument(_Section):
    """A risk-management plan: identify, assess, classify, mitigate."""

    name: Slug
    version: Annotated[
        str,
        StringConstraints(min_length=1, max_length=40),
        BeforeValidator(_as_text),
        WithJsonSchema({"type": ["string", "number"]}),
    ]
    title: str = ""
    owner: str = ""
    identify: Identify = Identify()
    assess: Assess = Assess()
    classify: Classify = Classify()
    mitigate: Mitigate = Field(description="what is done; at least otherwise and rules")


def plan_schema() -> dict[str, Any]:
    """Return the JSON schema of a plan file."""
    schema = PlanDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

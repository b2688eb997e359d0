"""The answer for one listing by one model and one plan."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from models.domain.action import Action, Due
from models.domain.match import Match
from models.domain.risk import RiskLevel

Tier = Literal["full", "screen"]
"""What read a listing: the whole model, or only what screens long lists for it."""
Tiers = Literal["full", "two"]
"""Whether the whole model reads every listing, or only those that the screen does not answer for."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Versions(_Record):
    """What the answer depends on, besides the listing."""

    model: str
    plan: str
    taxonomy: str


class Span(_Record):
    """A place in the listing as the seller wrote it. Offsets count Unicode code points, end exclusive."""

    field: str = Field(description="title, description, brand, category, captions[i], attributes.NAME or warnings[i]")
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str
    picture: str = Field(
        "",
        description="in a caption that names its picture: the SHA-256 of its file in hex, or a name of the seller's",
        exclude_if=operator.not_,
    )


class Highlight(Span):
    """A word and its share of a risk type's logit."""

    weight: float = Field(description="contribution to the logit; above 0 speaks for the hazard, below 0 against")


class HazardScore(_Record):
    """One risk type."""

    risk_type: str
    probability: float = Field(ge=0, le=1, description="that this hazard is a real concern for the listing")
    given_unsafe: float = Field(ge=0, le=1, description="P(hazard | unsafe product, listing), calibrated")
    flagged: bool = Field(description="the probability reaches the threshold of the artifact")


class Attribution(_Record):
    """Exact decomposition of one logit: bias + the sum of all parts equals the logit."""

    risk_type: str
    logit: float
    bias: float
    parts: dict[str, float] = Field(description="sum by feature block: dense, sparse, knowledge")
    highlights: list[Highlight] = Field(description="words by size of contribution, largest first")
    rest: float = Field(description="what the highlights leave out of the parts' sum")


class CueFound(_Record):
    """A cue of the knowledge base that the listing shows."""

    cue: str
    effect: Literal["aggravating", "mitigating"]
    negated: bool
    span: Span


class KindGuess(_Record):
    """A product kind of the knowledge base that the listing may be."""

    kind: str
    name: str
    category: str
    probability: float = Field(ge=0, le=1)


class Sensitivity(_Record):
    """What one step up or down does to the level of a scenario."""

    severity_up: RiskLevel
    severity_down: RiskLevel
    probability_up: RiskLevel
    probability_down: RiskLevel

    @property
    def stable(self) -> bool:
        """True when no single step changes the level."""
        return len({self.severity_up, self.severity_down, self.probability_up, self.probability_down}) == 1


class Scenario(_Record):
    """Hazard x severity x probability -> level, as the EU risk-assessment method wants it."""

    risk_type: str
    kind: str
    consumers: str
    sentence: str
    severity: int = Field(ge=1, le=4)
    p_unsafe: float = Field(ge=0, le=1)
    p_hazard: float = Field(ge=0, le=1, description="given an unsafe product")
    p_injury: float = Field(ge=0, le=1, description="given that hazard")
    probability: float = Field(ge=0, le=1, description="product of the three steps")
    band: str
    level: RiskLevel
    sensitivity: Sensitivity


class Language(_Record):
    """What the listing is written in, and whether the model covers it."""

    code: str
    confidence: float = Field(ge=0, le=1)
    covered: bool


class RuleFired(_Record):
    """A rule of the plan whose condition holds."""

    id: str
    action: Action
    reason: str
    reason_code: str = ""
    legal_basis: list[str] = Field(default_factory=list)
    owner: str = ""


class LevelChange(_Record):
    """What raised or lowered the level, by the plan's section `classify`."""

    id: str
    at_least: RiskLevel | None = None
    at_most: RiskLevel | None = None
    reason: str
    legal_basis: list[str] = Field(default_factory=list)


class RuleError(_Record):
    """A rule that could not be judged. It is never skipped silently: the plan's `on_error` action applies."""

    rule: str
    message: str


class Obligation(_Record):
    """What somebody must do, and what is missing for it."""

    id: str
    who: str = Field(description="seller, marketplace or reviewer")
    text: str
    legal_basis: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list, description="codes of what is missing, e.g. manufacturer-address")


class SellerMessage(_Record):
    """What to tell the seller, in the seller's language: what was decided, why, and what to change."""

    language: str = Field(description="ISO 639-1 code")
    direction: Literal["ltr", "rtl"]
    lines: list[str] = Field(description="sentences, in the order they are to be read")


class Decision(_Record):
    """What the plan says to do."""

    action: Action
    rules: list[str] = Field(description="ids of the live rules that fired, strictest first")
    reasons: list[str]
    level: RiskLevel | None = Field(None, description="level after the plan's section `classify`")
    fired: list[RuleFired] = Field(default_factory=list, description="the same rules in full")
    classified_by: list[LevelChange] = Field(default_factory=list, description="what raised or lowered the level")
    background: list[RuleFired] = Field(default_factory=list, description="rules on trial that would have fired")
    errors: list[RuleError] = Field(default_factory=list, description="rules that could not be judged")
    obligations: list[Obligation] = Field(default_factory=list)
    queue: str | None = Field(None, description="who looks at it, where a person must")
    due: Due | None = Field(None, description="the shortest time that a fired rule gives, counted from the decision")
    seller: SellerMessage | None = Field(None, description="null where there is nothing to tell")


class Findings(_Record):
    """What the model found in one listing, before the plan decides."""

    id: str
    listing_id: str
    content_hash: str
    versions: Versions
    language: Language
    risk_level: RiskLevel
    level_probabilities: dict[RiskLevel, float]
    risk_score: float = Field(ge=0, le=1, description="probability that the level is high or serious")
    p_unsafe: float = Field(ge=0, le=1)
    hazards: list[HazardScore] = Field(description="every risk type, most probable first")
    scenario: Scenario | None = Field(description="the worst scenario; null where the level is none")
    kinds: list[KindGuess]
    cues: list[CueFound]
    abstains: list[str] = Field(
        description="why a person should look, whatever the level; empty when the model is at home"
    )
    notes: list[str] = Field(description="what was cut or repaired")
    picture_confidence: float | None = Field(
        None,
        ge=0,
        le=1,
        description="mean confidence of what was read off the pictures, a failure counting as 0; absent without any",
        exclude_if=lambda confidence: confidence is None,
    )
    warning_languages: list[str] = Field(default_factory=list, description="languages that the warnings are in")
    matches: list[Match] = Field(
        default_factory=list, description="alerts that it may be the product of, likeliest first"
    )
    recall_match: float | None = Field(
        None, ge=0, le=1, description="probability of the best match; null where no alerts are known"
    )
    removed_before: bool = Field(False, description="it is like a listing that a person has confirmed for an alert")
    explanation: list[Attribution] = Field(default_factory=list, description="only where asked for")
    tier: Tier = Field(
        "full",
        description="`screen` where a long list was screened and this listing needed no more: its figures are rough,"
        " and it has no cues; absent otherwise",
        exclude_if=lambda tier: tier == "full",
    )


class _Aside:
    """What goes along with an answer and is no part of it: two answers are equal whatever they have of it."""

    def __init__(self, signature: tuple[str, bytes] | None = None) -> None:
        self.signature = signature
        self.json: bytes | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Aside)

    __hash__ = object.__hash__


class Assessment(Findings):
    """The answer for one listing.

    Equal listing content, equal versions and equal matches give an equal answer, id included.
    """

    decision: Decision
    _aside: _Aside = PrivateAttr(default_factory=lambda: _Aside())

    @property
    def signature(self) -> tuple[str, bytes] | None:
        """What the store keeps to find the listing by an alert, after its version; none in what was read from JSON."""
        return self._aside.signature

    def signed(self, signature: tuple[str, bytes] | None) -> Assessment:
        """Return the answer, from now on with a signature."""
        self._aside.signature = signature
        return self

    def to_json(self) -> bytes:
        """Return the answer as JSON, which is written once: what is sent, kept and remembered is the same."""
        if self._aside.json is None:
            self._aside.json = self.model_dump_json().encode()
        return self._aside.json

    def __copy__(self) -> Self:
        """Return a copy that will be written anew, since it is made to be changed."""
        copied = super().__copy__()
        copied._aside = _Aside(self._aside.signature)
        return copied

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` gave."""
        read = cls.model_validate_json(text)
        read._aside.json = text
        return read

    @classmethod
    def of(cls, findings: Findings, decision: Decision) -> Assessment:
        """Return the findings with what the plan decided on them."""
        return cls(**{name: getattr(findings, name) for name in Findings.model_fields}, decision=decision)


def assessment_id(
    content_hash: str, listing_id: str, versions: Versions, matches: Sequence[Match] = (), tier: Tier = "full"
) -> str:
    """Return the id of an assessment: 32 hex digits of content, listing's id, versions, matches, and of the screen."""
    found = [f"{match.alert_id}={match.probability:.6f}={match.content}" for match in matches]
    screened = [] if tier == "full" else [tier]
    key = "\x1f".join((content_hash, listing_id, versions.model, versions.plan, versions.taxonomy, *found, *screened))
    return hashlib.sha256(key.encode()).hexdigest()[:32]

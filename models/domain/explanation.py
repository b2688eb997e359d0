"""Why a listing got its answer: the one record that programs, the page and the console read."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.domain.action import Action
from models.domain.assessment import Scenario, Span, Versions
from models.domain.risk import RiskLevel

Detail = Literal["tokens", "full"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Phrase(Span):
    """Adjacent words of one field that speak for the same side, and the exact sum of their shares."""

    weight: float = Field(description="share of the logit; above 0 speaks for, below 0 against")


class FieldShare(_Record):
    """Exact sum of the shares of one field; all captions together, and all attributes, and all warnings."""

    field: str
    weight: float


class Decomposition(_Record):
    """One logit as a sum: bias + fields + rest, and the phrases within the fields."""

    logit: float
    bias: float
    fields: list[FieldShare] = Field(description="in the listing's order")
    phrases: list[Phrase] = Field(description="largest share first; faint ones are left out")
    rest: float = Field(description="what no word of the listing has a share in: the knowledge base, special tokens")


class HazardEvidence(Decomposition):
    """What one hazard's logit rests on."""

    risk_type: str
    probability: float = Field(ge=0, le=1, description="that this hazard is a real concern for the listing")
    given_unsafe: float = Field(ge=0, le=1, description="P(hazard | unsafe product): the calibrated logit")
    flagged: bool
    ranking: list[Span] = Field(
        description="words, those first without which the hazard is lost first: their shares in the text and, after"
        " every cut, in what is left of it; for the main hazard with detail=full"
    )


class KindSupport(_Record):
    """A product kind and how much of the level's probability comes from it."""

    kind: str
    name: str
    probability: float = Field(ge=0, le=1, description="that the listing is of this kind")
    level: RiskLevel = Field(description="level of this kind with the listing's cues")
    share: float = Field(ge=0, le=1, description="of P(at least the listing's level)")


class CueEffect(_Record):
    """A cue, and the level without it: recomputed, with the kinds as they are."""

    cue: str
    effect: Literal["aggravating", "mitigating"]
    negated: bool
    spans: list[Span]
    level_without: RiskLevel
    reached_without: float = Field(ge=0, le=1, description="P(at least the listing's level) without the cue")


class LevelEvidence(_Record):
    """What the risk level rests on: product kinds, words that tell them, and cues."""

    level: RiskLevel
    reached: float = Field(ge=0, le=1, description="P(at least this level); for none, P(none)")
    claim: str = Field(description="what the words below are weighed for")
    kinds: list[KindSupport]
    cues: list[CueEffect]
    words: Decomposition | None = Field(
        description="log odds that the product is of a kind with such a level; null where all kinds have it, or none"
    )


class Removal(_Record):
    """The answer without some phrases, computed by the model anew."""

    removed: list[Span]
    risk_level: RiskLevel
    action: Action
    reached: float = Field(ge=0, le=1, description="P(at least the listing's level) without them; for none, P(none)")
    given_unsafe: float = Field(ge=0, le=1, description="P(main hazard | unsafe) without them")
    kind: str = Field(description="name of the likeliest product kind without them")


class WhatIf(_Record):
    """What the answer would be without single phrases, and the smallest change found that lowers the action."""

    risk_type: str | None = Field(description="main hazard, whose probability is followed")
    removals: list[Removal] = Field(description="one phrase left out each, largest effect on the level first")
    smallest: Removal | None = Field(
        description="none of its phrases can be put back without the action coming back; null where none was found"
    )
    sentence: str
    evaluations: int = Field(description="versions of the listing that the model has read for this")


class Neighbour(_Record):
    """A known item near the listing."""

    type: Literal["alert", "review", "written"]
    reference: str
    title: str
    url: str
    source: str
    labels: list[str]
    risk_level: RiskLevel | None
    stands: Literal["for", "against"]
    similarity: float = Field(ge=-1, le=1, description="cosine of the two embeddings")
    kind: str | None = Field(description="name of the product kind that it shares with the listing")
    shared: list[str] = Field(description="words that both use")
    why: str


class Evidence(_Record):
    """Nearest known items, for the main hazard and against it."""

    about: str = Field(description="what they stand for or against")
    supporting: list[Neighbour]
    contradicting: list[Neighbour]
    searched: int = Field(description="items in the index")
    note: str


class Explanation(_Record):
    """Why an assessment says what it says."""

    assessment_id: str
    listing_id: str
    versions: Versions
    detail: Detail
    risk_level: RiskLevel
    action: Action
    scenario: Scenario | None
    scenario_line: str
    level: LevelEvidence
    hazards: list[HazardEvidence] = Field(description="main ones; all of them with detail=full")
    what_if: WhatIf | None = Field(description="with detail=full")
    evidence: Evidence | None = Field(description="with detail=full")
    notes: list[str]

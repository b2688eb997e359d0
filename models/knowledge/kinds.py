"""Product kinds, cues and languages: the records of the knowledge base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

from models.domain.risk import RiskLevel, highest, risk_level
from models.knowledge.packed_names import PACKABLE, PackedNames

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Name = Annotated[Phrase, StringConstraints(pattern=PACKABLE)]
Names = Annotated[Mapping[str, list[Name]], AfterValidator(PackedNames), PlainSerializer(dict)]
"""Names by language code; held packed."""
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Severity = Annotated[int, Field(ge=1, le=4)]
Consumers = Literal["very_vulnerable", "vulnerable", "other"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HazardProfile(_Record):
    """How a product kind hurts through one risk type.

    `share` is P(hazard | unsafe product), `injury` P(that harm over the lifetime | hazard), both probabilities.
    """

    share: Probability
    severity: Severity
    injury: Probability
    scenario: Phrase


class ProductKind(_Record):
    """A kind of product as a safety reviewer tells them apart.

    `level` is the level that a reviewer expects for a typical offer; it must equal what the matrix gives for
    `unsafe` x `share` x `injury`, so that nobody edits one without the other.
    """

    id: Slug
    category: str
    consumers: Consumers
    level: RiskLevel
    unsafe: Probability
    prohibited: str = ""
    hazards: dict[str, HazardProfile] = Field(default_factory=dict)
    aggravating: list[Slug] = Field(default_factory=list)
    mitigating: list[Slug] = Field(default_factory=list)
    near: list[Slug] = Field(default_factory=list)
    details: list[Phrase] = Field(default_factory=list)
    names: Names
    family: str = ""

    @property
    def harmless(self) -> bool:
        """True for everyday goods without a scenario."""
        return not self.hazards

    @property
    def name(self) -> str:
        """The English name that people read."""
        return self.names["en"][0]

    def matrix_level(self) -> RiskLevel:
        """Return the level that the matrix gives for the worst scenario."""
        return highest(risk_level(h.severity, self.unsafe * h.share * h.injury) for h in self.hazards.values())

    @model_validator(mode="after")
    def _level_follows_from_matrix(self) -> Self:
        found = self.matrix_level()
        if found != self.level:
            raise ValueError(
                f"level is {self.level.value!r} but unsafe x share x injury gives {found.value!r} in the matrix"
            )
        return self

    @model_validator(mode="after")
    def _english_name(self) -> Self:
        if not self.names.get("en"):
            raise ValueError("names.en is missing: the encoder and the console need an English name")
        return self


class Introduced(_Record):
    """A risk type that a cue brings to kinds which do not have it."""

    severity: Severity
    injury: Probability
    share: Probability


class AgeRange(_Record):
    """Fires on an age grade in the text, in months: `below` is exclusive, `from` inclusive."""

    below: int | None = Field(None, gt=0)
    from_: int | None = Field(None, alias="from", ge=0)

    def holds(self, months: int) -> bool:
        """Tell whether an age grade of that many months is in the range."""
        return (self.below is None or months < self.below) and (self.from_ is None or months >= self.from_)


class Quantity(_Record):
    """Fires on a number with this unit, above or below a bound."""

    unit: str
    spellings: list[str] = Field(default_factory=list)
    above: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        """Tell whether a value lies beyond the bound."""
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


class Cue(_Record):
    """Words in a listing that raise or lower the risk.

    Parameters
    ----------
    unsafe : float
        Factor on the odds that the product is unsafe.
    hazards : dict
        Factor on the odds of a risk type, given an unsafe product.
    injury : float
        Factor on the probability of injury through the risk types named in `hazards`.
    implied_for : str, optional
        Consumer group (and every more vulnerable one) whose kinds already count with what the cue says: "for babies"
        tells nothing new of a baby rattle.
    """

    id: Slug
    effect: Literal["aggravating", "mitigating"]
    unsafe: Annotated[float, Field(gt=0)]
    hazards: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    injury: Annotated[float, Field(gt=0)] = 1.0
    implied_for: Consumers | None = None
    introduces: dict[str, Introduced] = Field(default_factory=dict)
    phrases: dict[str, list[Phrase]] = Field(default_factory=dict)
    age: AgeRange | None = None
    quantity: Quantity | None = None

    @model_validator(mode="after")
    def _effect_matches_factor(self) -> Self:
        if (self.effect == "aggravating") != (self.unsafe > 1.0):
            raise ValueError(
                f"effect {self.effect!r} and unsafe {self.unsafe} disagree: aggravating cues have a factor above 1"
            )
        return self


class LanguageProfile(_Record):
    """How a language writes what the matcher needs: word gaps, negation, ages."""

    code: Annotated[str, StringConstraints(pattern="^[a-z]{2,3}$")]
    name: str
    native: str = ""
    script: str = ""
    required: bool = True
    direction: Literal["ltr", "rtl"] = "ltr"
    spaces: bool = True
    negators_before: list[str] = Field(default_factory=list)
    negators_after: list[str] = Field(default_factory=list)
    months: list[str] = Field(default_factory=list)
    years: list[str] = Field(default_factory=list)
    from_words: list[str] = Field(default_factory=list)
    after_from: list[str] = Field(default_factory=list)
    not_under: list[str] = Field(default_factory=list)
    not_under_after: list[str] = Field(default_factory=list)

"""A link between a listing and an alert."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class MatchFeature(_Record):
    """One thing that speaks for or against a match."""

    name: str
    value: float = Field(ge=0, le=1)
    contribution: float = Field(description="share of the logit; above 0 speaks for the match, below 0 against")
    text: str = Field(description="the same in words")


class Match(_Record):
    """A listing that may offer the product of an alert."""

    listing_id: str
    alert_id: str
    probability: float = Field(ge=0, le=1, description="that it is the same product, calibrated")
    features: list[MatchFeature] = Field(description="those that count, largest contribution first")
    content: Literal["identical", "nearly identical", "other"] = Field(
        "other", description="against listings that a person has confirmed for this alert"
    )
    title: str = Field("", description="of the alert")
    url: str = Field("", description="of the alert")

    @property
    def reasons(self) -> list[str]:
        """What speaks for the match and what against it, in words."""
        return [f"{'+' if each.contribution > 0 else '-'} {each.text}" for each in self.features]

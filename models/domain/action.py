"""What can be done with a listing, and by when."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
        return _RANKS[self]


_RANKS = {action: rank for rank, action in enumerate(Action)}

DueUnit = Literal["hours", "days", "working_days"]
_HOURS: dict[str, int] = {"hours": 1, "days": 24, "working_days": 24}


class Due(BaseModel):
    """How long there is, counted from the decision.

    A length and not a moment: equal content gives an equal answer, and what a working day is depends on the calendar of
    the country (Regulation 1182/71).
    """

    model_config = ConfigDict(frozen=True)

    amount: int = Field(ge=1, le=1_000)
    unit: DueUnit

    @property
    def least_hours(self) -> int:
        """Shortest length in hours, by which dues are ordered: a working day takes 24 hours or more."""
        return self.amount * _HOURS[self.unit]

    def __str__(self) -> str:
        unit = self.unit.replace("_", " ")
        return f"{self.amount} {unit[:-1] if self.amount == 1 else unit}"

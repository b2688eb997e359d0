"""What the routes on plans take and answer, as types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _writable(value: Any) -> Any:
    if isinstance(value, str) and any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("holds a NUL byte or half a character")
    return value


Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True), BeforeValidator(_writable)
]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanRequest(_Given):
    """A plan to store."""

    content: Annotated[str, BeforeValidator(_writable)] = Field(description="the plan file, YAML")
    reason: Reason = Field(description="why it is wanted")


class ActRequest(_Given):
    """Why a plan is put in force, or taken back."""

    reason: Reason


class PlanRecord(_Answer):
    """A stored plan, without its text."""

    id: str
    digest: str = Field(description="SHA-256 of its text")
    name: str
    version: str
    author: str = Field(description="whose key stored it")
    reason: str
    created_at: datetime
    live: bool


class PlanActRecord(_Answer):
    """One act."""

    number: int
    act: str = Field(description="start: the file of a server; activate; rollback")
    plan: str
    person: str = Field(description="whose key it was done with")
    reason: str
    created_at: datetime


class PlanList(_Answer):
    """Stored plans and acts, newest first."""

    in_force: str = Field(description="id that this server's answers name now")
    plans: list[PlanRecord]
    acts: list[PlanActRecord]


class StoredPlanAnswer(PlanRecord):
    """A plan as it was stored."""

    content: str = Field(description="its text, YAML")
    document: dict[str, Any] | None = Field(description="the same as JSON; null where this version cannot read it")


class PlanWarning(_Answer):
    """Something odd about a plan."""

    severity: str
    message: str
    hint: str
    line: int
    column: int


class PlanStored(_Answer):
    """A plan that is now stored."""

    plan: PlanRecord
    warnings: list[PlanWarning]


class PlanActAnswer(_Answer):
    """What was in force and what is now."""

    before: str
    in_force: str
    plan: PlanRecord

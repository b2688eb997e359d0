"""What the routes of the recall desk take and answer, as types."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from serving.api.plan_schemas import Reason
from serving.recalls.matches import JUDGED_AT_ONCE


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JudgementRequest(_Given):
    """What a person says of some matches of a case."""

    state: Literal["confirmed", "refused"]
    matches: list[int] = Field(min_length=1, max_length=JUDGED_AT_ONCE)
    note: str = Field("", max_length=10_000, description="why; needed for a refusal")


class TakeBackRequest(_Given):
    """Why a judgement is taken back."""

    match: int
    reason: Reason


class NamedListings(_Given):
    """Listings that a person adds to a case."""

    listing_ids: list[str] = Field(min_length=1, max_length=JUDGED_AT_ONCE)


class AnswerRequest(_Given):
    """The answer to who told us; without `sent_at` it is kept as a draft."""

    text: str = Field(max_length=50_000)
    sent_at: AwareDatetime | None = Field(None, description="when it was sent")


class InformedRequest(_Given):
    """Who was informed of a recall, and when."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"who": "sellers", "at": "2030-01-07T15:00:00Z"}}
    )

    who: Literal["sellers", "buyers"]
    at: AwareDatetime | None = Field(None, description="when the last one was; by default now")
    note: str = Field("", max_length=2_000, description="how; kept in the case's log")


class CaseActRequest(_Given):
    """Why a case is closed or opened."""

    reason: Reason


class ClockActRequest(_Given):
    """How a clock is changed."""

    act: Literal["pause", "resume", "extend"]
    reason: str = Field("", max_length=2_000, description="needed to pause and to extend")
    until: AwareDatetime | None = Field(None, description="the later end, as it was granted; for `extend`")


class ReceiptRequest(_Given):
    """The marketplace's word on a takedown order: one of the two."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"removed_at": "2030-01-07T08:15:00Z"}}
    )

    removed_at: AwareDatetime | None = Field(None, description="when the listing was removed")
    refused: str = Field("", max_length=2_000, description="why it was not")


class ClockRecord(_Answer):
    """One period of a case."""

    id: int
    duty: str = Field(description="identify, remove or process: what ends it in time")
    basis: str
    amount: int
    unit: str
    country: str = Field(description="by whose working days it is counted")
    region: str
    zone: str
    started_at: datetime
    target_at: datetime = Field(description="the end if public holidays were worked: never later")
    due_at: datetime
    state: str = Field(description="runs, paused, breached, met, met late or ended")
    met_at: datetime | None
    breached_at: datetime | None


class CountsRecord(_Answer):
    """Matches and takedown orders of a case."""

    proposed: int
    confirmed: int
    refused: int
    relisted: int
    ordered: int
    removed: int
    removal_refused: int


class CaseSummary(_Answer):
    """A case in a list."""

    id: int
    alert_id: str
    reference: str
    title: str
    brand: str
    kind: str
    authority: str
    country: str
    state: str = Field(description="what is to be done next: search, identify, remove, answer, close; or closed")
    received_at: datetime
    due_at: datetime | None
    counts: CountsRecord


class CaseList(_Answer):
    """Cases, those whose time ends first first."""

    cases: list[CaseSummary]


class CaseDetail(CaseSummary):
    """One case with all that belongs to it."""

    alert: dict[str, Any]
    withdrawn_at: datetime | None
    sources: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    clocks: list[ClockRecord]
    search_finished_at: datetime | None
    looked_at: int | None
    identified_at: datetime | None
    ordered_at: datetime | None
    removed_at: datetime | None
    sellers_informed_at: datetime | None
    informed_at: datetime | None = Field(description="when the last buyer was")
    answered_at: datetime | None
    closed_at: datetime | None
    answer: str
    events: list[dict[str, Any]]


class MatchRecord(_Answer):
    """A listing of a case."""

    id: int
    listing_id: str
    title: str
    seller: str
    probability: float
    features: list[dict[str, Any]]
    identical: bool
    relisted: bool
    found_by: str
    found_at: datetime
    state: str
    judged_by: str | None
    judged_at: datetime | None
    note: str


class MatchList(_Answer):
    """Matches of a case, those to judge first."""

    matches: list[MatchRecord]


class JudgedAnswer(_Answer):
    """What became of the matches."""

    done: list[int]
    left: dict[int, str] = Field(description="match -> why it was left as it is")
    orders: list[str] = Field(description="takedown orders that were sent")


class CompletenessAnswer(_Answer):
    """How completely listings were found and removed, counted in the store; and the draft of an answer."""

    complete: bool
    searched_at: datetime | None
    looked_at: int | None
    matched: int
    confirmed: int
    refused: int
    open: int
    removed: int
    waiting: int
    removal_refused: int
    identified_at: datetime | None
    removed_at: datetime | None
    draft: str


class NoticeTaken(_Answer):
    """What became of a notice."""

    case_id: int | None
    alert_id: str | None
    new: bool = Field(description="nobody had told of this alert before")
    document_id: int
    due_at: datetime | None
    clocks: list[ClockRecord]


class OrderRecord(_Answer):
    """One takedown order."""

    id: str
    case_id: int
    match_id: int
    listing_id: str
    ordered_by: str
    ordered_at: datetime
    due_at: datetime
    state: str = Field(description="waiting, removed, refused or withdrawn")
    reminders: int
    receipt_at: datetime | None
    removed_at: datetime | None
    refused: str


class OrderList(_Answer):
    """Takedown orders, oldest first."""

    orders: list[OrderRecord]


class SourceRecord(_Answer):
    """A source of alerts, and where it stands."""

    id: str
    kind: str
    what: str
    url: str
    sure: str
    enabled: bool
    polled_at: datetime | None
    succeeded_at: datetime | None
    next_at: datetime | None
    failures: int
    failure: str


class SourceList(_Answer):
    """Sources of alerts, the most trusted first."""

    polled: bool = Field(description="whether this server asks them in the background")
    sources: list[SourceRecord]

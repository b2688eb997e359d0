"""The kinds of events, each with what its body holds: the one place, which the outbox checks against.

A new kind is a model of its body with an example, and a line in `KINDS`; `/openapi.json` lists them all under
``webhooks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.domain.action import Action
from models.domain.risk import RiskLevel


class EventBody(BaseModel):
    """What an event says. Fields are only ever added."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ping(EventBody):
    """A test of an endpoint."""

    model_config = ConfigDict(json_schema_extra={"example": {"asked_by": "grace@shop.example"}})

    asked_by: str = Field(description="whose key asked for it")


class ReviewDecided(EventBody):
    """A person's decision on a listing, which can no longer be taken back."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "item": 17,
                "decision": 23,
                "listing_id": "li-001",
                "assessment_id": "6f0d2c9e4b8a4f1e9c3d7a5b1e2f3a4b",
                "round": "second",
                "outcome": "confirmed_risk",
                "action": "block",
                "level": "serious",
                "hazards": ["fire"],
                "reason_code": "level-serious",
                "model_action": "hold_for_review",
                "model_level": "serious",
                "decided_at": "2026-11-26T09:30:00Z",
            }
        }
    )

    item: int = Field(description="number of the item in the review console")
    decision: int
    listing_id: str
    assessment_id: str
    round: str = Field(description="first, second, settling; appeal: a complaint was upheld by another person")
    outcome: str = Field(description="confirmed_risk, justified_alert or false_alarm")
    action: Action
    level: RiskLevel
    hazards: list[str]
    reason_code: str = Field(description="a code of the plan; empty where the listing is released")
    model_action: Action
    model_level: RiskLevel
    decided_at: datetime


class ListingActed(EventBody):
    """What is to be done with a listing from now on; the kind is ``listing.`` and the plan's word for the action."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "listing_id": "li-001",
                "assessment_id": "6f0d2c9e4b8a4f1e9c3d7a5b1e2f3a4b",
                "action": "block",
                "level": "serious",
                "reason_codes": ["level-serious"],
                "by": "review",
                "at": "2026-11-26T09:30:00Z",
            }
        }
    )

    listing_id: str
    assessment_id: str
    action: Action
    level: RiskLevel
    reason_codes: list[str]
    by: Literal["plan", "review", "appeal"] = Field(
        description="plan: held for a person; review: a decision; appeal: a complaint was ruled on"
    )
    at: datetime


class NoticeReady(EventBody):
    """Recall notices wait to be sent to buyers; who they are is fetched with a key, and stands in no event."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "case_id": 17,
                "version": 2,
                "queued": 340,
                "languages": ["de", "nl"],
                "at": "2026-11-26T09:30:00Z",
            }
        }
    )

    case_id: int
    version: int = Field(description="of the recall notice")
    queued: int = Field(description="order lines whose buyers wait")
    languages: list[str]
    at: datetime


class AlertReceived(EventBody):
    """An alert or notice was taken in, and a case was opened for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "alert_id": "0d6c1c9f2b5e4c3aa1f0b7d28e9f6a55",
                "case_id": 17,
                "source": "safety-gate",
                "reference": "SR/00001/30",
                "title": "Plush bear",
                "brand": "Softpaw",
                "kind": "monitoring",
                "authority": "",
                "received_at": "2030-01-04T09:30:00Z",
                "due_at": "2030-01-09T23:00:00Z",
            }
        }
    )

    alert_id: str
    case_id: int
    source: str = Field(description="register, or who sent it")
    reference: str
    title: str
    brand: str
    kind: str = Field(description="order, authority_notice, notice, consumer or monitoring")
    authority: str
    received_at: datetime
    due_at: datetime | None = Field(description="end of the first period; null where none runs")


class TakedownOrder(EventBody):
    """One listing that is to be removed."""

    order_id: str = Field(description="for the receipt: POST /v1/recalls/orders/{order_id}/receipt")
    listing_id: str
    seller_id: str
    due_at: datetime
    message: list[str] = Field(description="sentences for the seller, in `language`")
    language: str


_ORDERS: dict[str, Any] = {
    "case_id": 17,
    "alert_id": "0d6c1c9f2b5e4c3aa1f0b7d28e9f6a55",
    "reference": "SR/00001/30",
    "orders": [
        {
            "order_id": "6f0d2c9e4b8a4f1e9c3d7a5b1e2f3a4b",
            "listing_id": "li-001",
            "seller_id": "s-9",
            "due_at": "2030-01-08T23:00:00Z",
            "message": ["Your offer “Plush bear” cannot be sold on our marketplace."],
            "language": "en",
        }
    ],
}


class TakedownOrdered(EventBody):
    """Listings are to be removed: what an alert is about, as a person has confirmed."""

    model_config = ConfigDict(json_schema_extra={"example": _ORDERS})

    case_id: int
    alert_id: str
    reference: str
    orders: list[TakedownOrder]


class TakedownWithdrawn(EventBody):
    """A listing need not be removed: its confirmation was taken back."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"case_id": 17, "order_id": "6f0d2c9e4b8a4f1e9c3d7a5b1e2f3a4b",
                                       "listing_id": "li-001", "reason": "another model"}}
    )  # fmt: skip

    case_id: int
    order_id: str
    listing_id: str
    reason: str


@dataclass(frozen=True)
class Kind:
    """A kind of event.

    Parameters
    ----------
    name : str
        Dotted words.
    what : str
        When it is sent.
    body : type of EventBody, optional
        What it says; without one, any JSON object.
    """

    name: str
    what: str
    body: type[EventBody] | None = None


PING = "hook.ping"
REVIEW_DECIDED = "review.decided"
ALERT_RECEIVED = "alert.received"
TAKEDOWN_ORDERED = "case.takedown_ordered"
TAKEDOWN_REMINDER = "case.takedown_reminder"
TAKEDOWN_WITHDRAWN = "case.takedown_withdrawn"
NOTICE_READY = "recall.notice_ready"


def listing_kind(action: Action) -> str:
    """Return the kind of what is to be done with a listing.

    Examples
    --------
    >>> listing_kind(Action.BLOCK)
    'listing.block'
    """
    return f"listing.{action}"


_LISTINGS = {
    Action.PUBLISH: "a listing is released",
    Action.PUBLISH_WITH_WARNING: "a listing is released with a warning",
    Action.REQUEST_INFORMATION: "a listing waits for information of its seller",
    Action.HOLD_FOR_REVIEW: "a listing waits for a person",
    Action.BLOCK: "a listing is to be removed, or not to go live",
}
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(PING, "an endpoint is tested", Ping),
        Kind(REVIEW_DECIDED, "a review is decided and its grace time over", ReviewDecided),
        *(Kind(listing_kind(action), f"{what}", ListingActed) for action, what in _LISTINGS.items()),
        Kind("listing.reassessed", "a listing was assessed again and the answer differs"),
        Kind(ALERT_RECEIVED, "an alert or notice was taken in", AlertReceived),
        Kind(TAKEDOWN_ORDERED, "listings are to be removed because of an alert", TakedownOrdered),
        Kind(TAKEDOWN_REMINDER, "the receipt for a takedown order has not come", TakedownOrdered),
        Kind(TAKEDOWN_WITHDRAWN, "a takedown order is taken back", TakedownWithdrawn),
        Kind(NOTICE_READY, "a recall notice can be sent to buyers", NoticeReady),
    )
}
"""By name."""


def described(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an event as it is kept, if it is what its kind describes.

    Raises
    ------
    ValueError
        For a kind that is not described, or a body that is not of it.
    """
    known = KINDS.get(kind)
    if known is None:
        raise ValueError(f"{kind!r} is no kind of event; describe it in serving/hooks/kinds.py")
    if known.body is None:
        return dict(body)
    try:
        return known.body.model_validate(dict(body)).model_dump(mode="json")
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, found["loc"])) or "the body"
        raise ValueError(f"the body of {kind!r} is not as described: {place}: {found['msg']}") from error

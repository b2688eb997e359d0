"""What the routes of webhooks take and answer, as types."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from serving.hooks.delivery_log import Delivery, State, WholeDelivery
from serving.hooks.endpoints import Endpoint

_URL = "https://hooks.shop.example/hazardlens"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EndpointRequest(_Given):
    """An endpoint to register."""

    url: str = Field(description="HTTPS, public; other networks only where the operator allows them", examples=[_URL])
    kinds: list[str] = Field(default=[], max_length=100, description="kinds of events that it hears of; empty for all")
    description: str = Field(default="", description="whose it is")


class EndpointChange(_Given):
    """What is to change about an endpoint; what is left out stays."""

    url: str | None = None
    kinds: list[str] | None = Field(default=None, max_length=100)
    description: str | None = None
    enabled: bool | None = Field(default=None, description="while false, events are collected and not sent")

    def values(self) -> dict[str, Any]:
        """Return what was given."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class RotationRequest(_Given):
    """How a secret is replaced."""

    overlap_hours: float = Field(
        default=24, ge=0, le=720, description="how long webhooks are signed with the one before as well"
    )


class EndpointRecord(_Answer):
    """An endpoint, without its secret."""

    id: str
    url: str
    kinds: list[str]
    description: str
    enabled: bool
    failures: int = Field(description="failed tries since the last one that went well")
    rests_until: datetime | None = Field(description="until when it is not asked, because it fails or asked for it")
    secrets: int = Field(description="secrets that are valid; two while one replaces the other")
    waiting: int = Field(description="deliveries that wait")
    dead: int = Field(description="deliveries that were given up")
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint, counts: dict[str, int], now: datetime) -> Self:
        """Return an endpoint as the API tells it."""
        return cls(
            id=endpoint.id, url=endpoint.url, kinds=list(endpoint.kinds), description=endpoint.description,
            enabled=endpoint.enabled, failures=endpoint.failures, rests_until=endpoint.rests_until,
            secrets=len(endpoint.signing(now)), waiting=counts.get("waiting", 0), dead=counts.get("dead", 0),
            created_by=endpoint.created_by, created_at=endpoint.created_at,
        )  # fmt: skip


class EndpointWithSecret(_Answer):
    """An endpoint and its newest secret, which is shown this once."""

    endpoint: EndpointRecord
    secret: str = Field(description="what to check signatures with")


class EndpointList(_Answer):
    """Endpoints, oldest first."""

    endpoints: list[EndpointRecord]


class Sent(_Answer):
    """What was asked for is on its way."""

    event_id: str


class Resent(_Answer):
    """How many deliveries are on their way again."""

    resent: int


class DeliveryRecord(_Answer):
    """One event for one endpoint."""

    id: int
    event_id: str
    kind: str
    subject: str
    endpoint_id: str
    url: str
    state: State = Field(description="waiting, delivered, dead (given up), dropped (the endpoint was removed)")
    tries: int
    next_at: datetime | None = Field(description="when it is tried next, if it waits")
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Return a delivery as the API tells it."""
        waits = delivery.state is State.WAITING
        return cls(**{**vars(delivery), "next_at": delivery.next_at if waits else None})


class DeliveryPage(_Answer):
    """Deliveries, newest first."""

    deliveries: list[DeliveryRecord]
    next_before: int | None = Field(description="`before` of the next page; null on the last one")


class TryRecord(_Answer):
    """One try."""

    number: int
    at: datetime
    seconds: float
    status: int | None = Field(description="of the answer; null without one")
    failure: str = Field(description="why it did not arrive; empty where it did")
    answer: str = Field(description="the beginning of the answer")


class DeliveryDetail(_Answer):
    """A delivery, what it says, and its tries."""

    delivery: DeliveryRecord
    body: dict[str, Any]
    tries: list[TryRecord] = Field(description="oldest first")

    @classmethod
    def of(cls, found: WholeDelivery) -> Self:
        """Return a delivery with everything as the API tells it."""
        tries = [TryRecord(**vars(each)) for each in found.tries]
        return cls(delivery=DeliveryRecord.of(found.delivery), body=found.body, tries=tries)

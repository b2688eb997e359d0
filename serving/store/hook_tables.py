"""The tables of webhooks: events to be told outside, who wants to hear of them, and what became of each telling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime

UNSENT = text("dispatched_at IS NULL AND withdrawn_at IS NULL")
"""Of the events that no delivery was made of yet. An index of these alone stays small however many were sent; a query
is served by it only if it says the same in the same words, not by parameters."""

WAITS = text("state = 'waiting'")
"""Of the deliveries that are still to be made; likewise."""


class EventRow(Base):
    """Something that happened and is to be told outside: the outbox.

    It is written in the transaction of what happened. `number` is the order in which events of one subject are told.
    """

    __tablename__ = "hook_events"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    endpoint_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    not_before: Mapped[datetime] = mapped_column(UtcTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_hook_events_unsent", "not_before", "number", sqlite_where=UNSENT, postgresql_where=UNSENT),
        Index("ix_hook_events_subject", "subject", "number", sqlite_where=UNSENT, postgresql_where=UNSENT),
        Index("ix_hook_events_created", "created_at"),
    )


class EndpointRow(Base):
    """An address that wants to hear of events.

    `secrets` are [secret, until when (ISO, null for ever)], newest first. `kinds` is empty for all. `failures` counts
    failed tries since the last one that went well; `rests_until` keeps an endpoint that fails from being asked on.
    """

    __tablename__ = "hook_endpoints"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    url: Mapped[str] = mapped_column(String)
    description: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    secrets: Mapped[list[list[str | None]]] = mapped_column(JSON)
    enabled: Mapped[bool] = mapped_column(Boolean)
    failures: Mapped[int] = mapped_column(Integer)
    rests_until: Mapped[datetime | None] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime)


class DeliveryRow(Base):
    """One event for one endpoint, until it has arrived or is given up.

    `tries` also tells whose lease it is: what an earlier holder still writes no longer counts.
    """

    __tablename__ = "hook_deliveries"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    event_number: Mapped[int] = mapped_column(Integer, ForeignKey("hook_events.number", ondelete="CASCADE"))
    endpoint_id: Mapped[str] = mapped_column(String(32), ForeignKey("hook_endpoints.id"))
    subject: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int] = mapped_column(Integer)
    tries_left: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_hook_deliveries_event", "event_number", "endpoint_id", unique=True),
        Index("ix_hook_deliveries_due", "endpoint_id", "next_at", sqlite_where=WAITS, postgresql_where=WAITS),
        Index(
            "ix_hook_deliveries_order",
            "endpoint_id",
            "subject",
            "event_number",
            sqlite_where=WAITS,
            postgresql_where=WAITS,
        ),
        Index("ix_hook_deliveries_endpoint", "endpoint_id", "id"),
        Index("ix_hook_deliveries_state", "state", "id"),
    )


class TryRow(Base):
    """One try of a delivery, and what came of it: the log of deliveries."""

    __tablename__ = "hook_tries"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(Integer, ForeignKey("hook_deliveries.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcTime)
    seconds: Mapped[float] = mapped_column(Float(53))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    failure: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_hook_tries_delivery", "delivery_id", "id"),)

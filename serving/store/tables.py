"""The tables as SQLAlchemy models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, aware on both sides; SQLite would otherwise give it back without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a time without a zone and turn others to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value!r} has no zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Metadata of every table."""


class AssessmentRow(Base):
    """One assessment with the listing it is about.

    `id` follows from content, listing id and versions, so that the same question has one row. `listing` and
    `assessment` are JSON, not PostgreSQL's JSONB: JSONB sorts keys, and a listing's attributes keep the seller's order.
    """

    __tablename__ = "assessments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    listing_id: Mapped[str] = mapped_column(String)
    content_hash: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String)
    plan_version: Mapped[str] = mapped_column(String)
    taxonomy_version: Mapped[str] = mapped_column(String)
    level: Mapped[str] = mapped_column(String(16))
    risk_score: Mapped[float] = mapped_column(Float(53))
    action: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(String)
    hazard: Mapped[str | None] = mapped_column(String)
    detail: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    listing: Mapped[dict[str, Any]] = mapped_column(JSON)
    assessment: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_assessments_risk", "risk_score", "id"),
        Index("ix_assessments_created", "created_at", "id"),
        Index("ix_assessments_listing", "listing_id", "created_at"),
        Index("ix_assessments_content", "content_hash"),
    )


class PlanRow(Base):
    """A plan as it was stored; nothing in it is ever changed."""

    __tablename__ = "plans"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_id: Mapped[str] = mapped_column(String, unique=True)
    name: Mapped[str] = mapped_column(String)
    version: Mapped[str] = mapped_column(String)
    content: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_plans_created", "created_at", "plan_id"),)


class PlanActRow(Base):
    """One act: a plan went live, or the one before came back. Rows are only ever added."""

    __tablename__ = "plan_acts"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    act: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), ForeignKey("plans.digest"))
    person: Mapped[str] = mapped_column(String)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ShadowDecisionRow(Base):
    """What a plan or a model on trial made of a listing, beside what was decided live.

    `id` is that of the trial's own assessment, so that the same trial of the same listing has one row.
    """

    __tablename__ = "shadow_decisions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    assessment_id: Mapped[str] = mapped_column(String(32))
    model_version: Mapped[str] = mapped_column(String)
    plan_version: Mapped[str] = mapped_column(String)
    live_action: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(32))
    live_level: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16))
    live_score: Mapped[float] = mapped_column(Float(53))
    score: Mapped[float] = mapped_column(Float(53))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    assessment: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_shadow_created", "created_at", "id"),
        Index("ix_shadow_actions", "live_action", "action"),
        Index("ix_shadow_assessment", "assessment_id"),
    )


class JobRow(Base):
    """A list of listings that is assessed in the background, and how far that has come.

    `epoch` grows each time a worker takes the job: what an earlier holder still writes no longer counts. `segments`
    are [epoch, bytes] of the result's files, in order; `versions` are [first row, model, plan, taxonomy].
    """

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    principal: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String(16))
    format: Mapped[str] = mapped_column(String(16))
    explain: Mapped[str] = mapped_column(String(16))
    stored: Mapped[bool] = mapped_column(Boolean)
    priority: Mapped[int] = mapped_column(SmallInteger)
    tiers: Mapped[str] = mapped_column(String(16), server_default="full")
    total: Mapped[int] = mapped_column(Integer)
    read: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(BigInteger)
    segments: Mapped[list[list[int]]] = mapped_column(JSON)
    versions: Mapped[list[list[Any]]] = mapped_column(JSON)
    rate: Mapped[float | None] = mapped_column(Float(53))
    failure: Mapped[str | None] = mapped_column(Text)
    epoch: Mapped[int] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    queued_at: Mapped[datetime] = mapped_column(UtcTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_jobs_queue", "state", "priority", "queued_at"),
        Index("ix_jobs_principal", "principal", "created_at"),
    )


class IdempotencyRow(Base):
    """The first request under an `Idempotency-Key`: under way while `status` is null, else with its answer."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(String, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    token: Mapped[str] = mapped_column(String(32))
    leased_until: Mapped[datetime] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_idempotency_expires", "expires_at"),)


class ApiKeyRow(Base):
    """One API key. Of its secret only the digest is kept; keys of one name are rotations of each other."""

    __tablename__ = "api_keys"

    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String)
    roles: Mapped[str] = mapped_column(String)
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    listings_per_minute: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_api_keys_name", "name"),)

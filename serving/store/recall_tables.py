"""The tables of the recall desk: documents, alerts, cases with their clocks and matches, takedown orders, the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime

RUNS = text("met_at IS NULL AND ended_at IS NULL")
"""Of the clocks that run or stand still; an index of these alone stays small however many cases were closed."""

OPEN = text("closed_at IS NULL")
"""Of the cases that are not closed; likewise."""

UNANSWERED = text("receipt_at IS NULL AND withdrawn_at IS NULL")
"""Of the takedown orders without a receipt; likewise."""


ERASE = text("erase_wanted_at IS NOT NULL")
"""Of the matches that are to be erased once the recall needs them no more; likewise."""


class AlertDocumentRow(Base):
    """A document as it came, packed by gzip; equal bytes from one address are kept once.

    `etag` and `last_modified` are those of the newest answer with these bytes. `failure` says why nothing, or not
    everything, could be read of it.
    """

    __tablename__ = "alert_documents"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    content_type: Mapped[str] = mapped_column(String)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    etag: Mapped[str] = mapped_column(String)
    last_modified: Mapped[str] = mapped_column(String)
    failure: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_alert_documents_content", "source", "url", "sha256", unique=True),
        Index("ix_alert_documents_newest", "source", "url", "seen_at"),
        Index("ix_alert_documents_sha256", "sha256"),
    )


class AlertSourceRow(Base):
    """Where a source of alerts stands: what was read of it, when it is asked next, who asks it now."""

    __tablename__ = "alert_sources"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    cursor: Mapped[dict[str, Any]] = mapped_column(JSON)
    polled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcTime)
    next_at: Mapped[datetime] = mapped_column(UtcTime)
    failures: Mapped[int] = mapped_column(Integer)
    failure: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(String(32))
    leased_until: Mapped[datetime] = mapped_column(UtcTime)


class AlertRow(Base):
    """One alert, whatever the number of sources that told of it.

    `identity` is register, prefix and number in their normal form. `alert` is the whole as JSON.
    """

    __tablename__ = "alerts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    identity: Mapped[str] = mapped_column(String, unique=True)
    register: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String)
    reference: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(String)
    brand: Mapped[str] = mapped_column(String)
    category: Mapped[str] = mapped_column(String)
    level: Mapped[str] = mapped_column(String(16))
    country: Mapped[str] = mapped_column(String)
    published: Mapped[str] = mapped_column(String(10))
    digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)
    alert: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_alerts_number", "register", "number"),
        Index("ix_alerts_received", "received_at", "id"),
    )


class AlertSightingRow(Base):
    """What one source says of an alert, and in which document it said so last; the lowest `rank` is trusted most."""

    __tablename__ = "alert_sightings"

    alert_id: Mapped[str] = mapped_column(String(32), ForeignKey("alerts.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    reference: Mapped[str] = mapped_column(String)
    document_id: Mapped[int] = mapped_column(Integer, ForeignKey("alert_documents.id"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    digest: Mapped[str] = mapped_column(String(64))
    alert: Mapped[dict[str, Any]] = mapped_column(JSON)
    first_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_alert_sightings_source", "source", "reference"),)


class RecallCaseRow(Base):
    """The work on one alert.

    The instants say how far it has come: every match judged (`identified_at`), the first order sent (`ordered_at`),
    every ordered listing removed (`removed_at`), sellers and buyers told (`sellers_informed_at`, `informed_at`),
    authority or notifier told (`answered_at`). `due_at` is the earliest end of the clocks that run. `looked_at` is how
    many listings the last finished search looked at.
    """

    __tablename__ = "recall_cases"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    alert_id: Mapped[str] = mapped_column(String(32), ForeignKey("alerts.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    authority: Mapped[str] = mapped_column(String)
    country: Mapped[str] = mapped_column(String(2))
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    search_wanted_at: Mapped[datetime | None] = mapped_column(UtcTime)
    search_started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    search_finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    search_failure: Mapped[str] = mapped_column(Text)
    looked_at: Mapped[int | None] = mapped_column(Integer)
    identified_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ordered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    sellers_informed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    informed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    answer: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_recall_cases_due", "due_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_recall_cases_received", "received_at", "id"),
        Index("ix_recall_cases_search", "search_wanted_at"),
    )


class CaseNoticeRow(Base):
    """One receipt of the alert by the marketplace: an order, a notice, or what its own watch found."""

    __tablename__ = "case_notices"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"))
    document_id: Mapped[int] = mapped_column(Integer, ForeignKey("alert_documents.id"))
    kind: Mapped[str] = mapped_column(String(32))
    authority: Mapped[str] = mapped_column(String)
    country: Mapped[str] = mapped_column(String(2))
    region: Mapped[str] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String)
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    kept_at: Mapped[datetime] = mapped_column(UtcTime)
    said: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_case_notices_case", "case_id", "id"),
        Index("ix_case_notices_document", "document_id", "case_id"),
        Index("ix_case_notices_received", "received_at", "kind"),
    )


class CaseClockRow(Base):
    """One period of a case: from a receipt to the end by law, with the earlier target that we set ourselves.

    It has ended without being met (`ended_at`) where the duty fell away. `breached_at` is noted once.
    """

    __tablename__ = "case_clocks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"))
    notice_id: Mapped[int] = mapped_column(Integer, ForeignKey("case_notices.id"))
    duty: Mapped[str] = mapped_column(String(32))
    amount: Mapped[int] = mapped_column(SmallInteger)
    unit: Mapped[str] = mapped_column(String(16))
    basis: Mapped[str] = mapped_column(String)
    country: Mapped[str] = mapped_column(String(16))
    region: Mapped[str] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    target_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    first_due_at: Mapped[datetime] = mapped_column(UtcTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcTime)
    warned_at: Mapped[datetime | None] = mapped_column(UtcTime)
    breached_at: Mapped[datetime | None] = mapped_column(UtcTime)
    met_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_case_clocks_case", "case_id", "id"),
        Index("ix_case_clocks_due", "due_at", sqlite_where=RUNS, postgresql_where=RUNS),
    )


class CaseMatchRow(Base):
    """A listing that may be what an alert is about, as it was when it was found, and what a person says of it.

    With `erase_wanted_at` somebody has asked for its erasure while the recall still needed it.
    """

    __tablename__ = "case_matches"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"))
    listing_id: Mapped[str] = mapped_column(String)
    assessment_id: Mapped[str] = mapped_column(String(32))
    content_hash: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String)
    seller: Mapped[str] = mapped_column(String)
    countries: Mapped[str] = mapped_column(String)
    listing: Mapped[dict[str, Any]] = mapped_column(JSON)
    probability: Mapped[float] = mapped_column(Float(53))
    features: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    identical: Mapped[bool] = mapped_column(Boolean)
    relisted: Mapped[bool] = mapped_column(Boolean)
    found_by: Mapped[str] = mapped_column(String(16))
    found_at: Mapped[datetime] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(16))
    judged_by: Mapped[str | None] = mapped_column(String)
    judged_at: Mapped[datetime | None] = mapped_column(UtcTime)
    note: Mapped[str] = mapped_column(Text)
    erase_wanted_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_case_matches_listing", "case_id", "listing_id", unique=True),
        Index("ix_case_matches_state", "case_id", "state", "probability"),
        Index("ix_case_matches_of_listing", "listing_id"),
        Index("ix_case_matches_judged", "judged_at", "state"),
        Index("ix_case_matches_erase", "erase_wanted_at", sqlite_where=ERASE, postgresql_where=ERASE),
    )


class TakedownOrderRow(Base):
    """What the marketplace was told to take down, and what it answered; a product that was listed again has several."""

    __tablename__ = "takedown_orders"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"))
    match_id: Mapped[int] = mapped_column(Integer, ForeignKey("case_matches.id"))
    listing_id: Mapped[str] = mapped_column(String)
    ordered_by: Mapped[str] = mapped_column(String)
    ordered_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    reminders: Mapped[int] = mapped_column(SmallInteger)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcTime)
    receipt_at: Mapped[datetime | None] = mapped_column(UtcTime)
    receipt_by: Mapped[str | None] = mapped_column(String)
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    refused: Mapped[str] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_takedown_orders_case", "case_id", "ordered_at"),
        Index("ix_takedown_orders_match", "match_id"),
        Index("ix_takedown_orders_waiting", "ordered_at", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
        Index("ix_takedown_orders_listing", "listing_id"),
    )


class CaseEventRow(Base):
    """One act on a case, chained by its digest to the one before. Triggers refuse every change and deletion.

    `seal` is null in entries that were written before personal parts stood apart.
    """

    __tablename__ = "case_events"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String(32))
    case_id: Mapped[int | None] = mapped_column(Integer)
    old: Mapped[str] = mapped_column(Text)
    new: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_case_events_case", "case_id", "number"),
        Index("ix_case_events_at", "at"),
    )


class CaseEventPersonalRow(Base):
    """What a person or a listing can be known by in an act, and the key of its seal; this can be erased."""

    __tablename__ = "case_event_personal"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(String(64))
    personal: Mapped[str] = mapped_column(Text)

"""The tables of reviews: items to decide, decisions, skips, appeals, and the log of every act."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime

WAITS = text("state IN ('open', 'second', 'disputed')")
"""Of the items that wait for a person. An index of these alone stays small however many were decided; a query is served
by it only if it says the same in the same words, not by parameters."""

HELD = text("state = 'held'")
"""Of the items that were put aside; likewise."""

OPENED = text("sample <> 'golden'")
CLOSED = text("decided_at IS NOT NULL AND sample <> 'golden'")
"""Of the items that figures count: those that came in, and those that went out; likewise."""

LEARNS = text("sample = 'learn'")
"""Of the items that were queued to learn from; likewise. Every answer that is kept asks for their number."""


class ReviewItemRow(Base):
    """A listing that a person must decide on, with what it is ordered and filtered by.

    The newest assessment of the listing counts. `rank` is the place in the queue, lowest first; it does not change with
    time. `only_for` names the one reviewer who sees it: a golden item is handed out as a copy.
    """

    __tablename__ = "review_items"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    listing_id: Mapped[str] = mapped_column(String)
    assessment_id: Mapped[str] = mapped_column(String(32))
    content_hash: Mapped[str] = mapped_column(String(64))
    queue: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    sample: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(32))
    hazard: Mapped[str] = mapped_column(String)
    risk_score: Mapped[float] = mapped_column(Float(53))
    p_unsafe: Mapped[float | None] = mapped_column(Float(53))
    category: Mapped[str] = mapped_column(String)
    language: Mapped[str] = mapped_column(String)
    countries: Mapped[str] = mapped_column(String)
    seller: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(String)
    harm: Mapped[float] = mapped_column(Float(53))
    uncertainty: Mapped[float] = mapped_column(Float(53))
    rank: Mapped[float] = mapped_column(Float(53))
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    held_until: Mapped[datetime | None] = mapped_column(UtcTime)
    assigned_to: Mapped[str | None] = mapped_column(String)
    claimed_by: Mapped[str | None] = mapped_column(String)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    only_for: Mapped[str | None] = mapped_column(String)

    __table_args__ = (
        # In the order of the queue, with what it is mostly filtered and searched by, so that no row is read only to be
        # passed over. All of it must stay below the 2,700 bytes that PostgreSQL takes of an entry.
        Index(
            "ix_review_waiting",
            "rank",
            "id",
            "only_for",
            "level",
            "hazard",
            "language",
            "listing_id",
            "title",
            "state",
            sqlite_where=WAITS,
            postgresql_where=WAITS,
        ),
        Index("ix_review_queue", "queue", "rank", "id", sqlite_where=WAITS, postgresql_where=WAITS),
        # Holds every column that the counts ask for, so that no row is read for them; SQLite wants the one that
        # the condition is about too.
        Index(
            "ix_review_counts",
            "queue",
            "due_at",
            "claimed_until",
            "opened_at",
            "only_for",
            "state",
            sqlite_where=WAITS,
            postgresql_where=WAITS,
        ),
        # The same for what came in and went out by day.
        Index(
            "ix_review_opened",
            "opened_at",
            "queue",
            "category",
            "hazard",
            "sample",
            sqlite_where=OPENED,
            postgresql_where=OPENED,
        ),
        Index(
            "ix_review_closed", "decided_at", "queue", "due_at", "sample", sqlite_where=CLOSED, postgresql_where=CLOSED
        ),
        Index("ix_review_learn", "opened_at", sqlite_where=LEARNS, postgresql_where=LEARNS),
        Index("ix_review_held", "held_until", sqlite_where=HELD, postgresql_where=HELD),
        Index("ix_review_listing", "listing_id", "id"),
        Index("ix_review_content", "content_hash"),
        Index("ix_review_assessment", "assessment_id"),
        Index("ix_review_seller", "seller", "id"),
        Index("ix_review_decided", "decided_at", "id"),
        Index("ix_review_claimed", "claimed_by"),
        Index("ix_review_assigned", "assigned_to"),
    )


class ReviewDecisionRow(Base):
    """One person's verdict on an item. What is taken back stays, marked so."""

    __tablename__ = "review_decisions"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    item_id: Mapped[int] = mapped_column(Integer, ForeignKey("review_items.id"))
    assessment_id: Mapped[str] = mapped_column(String(32))
    round: Mapped[str] = mapped_column(String(16))
    reviewer: Mapped[str] = mapped_column(String)
    outcome: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(16))
    hazards: Mapped[list[str]] = mapped_column(JSON)
    reason_code: Mapped[str] = mapped_column(String)
    note: Mapped[str] = mapped_column(Text)
    worksheet: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    model_action: Mapped[str] = mapped_column(String(32))
    model_level: Mapped[str] = mapped_column(String(16))
    seconds: Mapped[float] = mapped_column(Float(53))
    batch: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime] = mapped_column(UtcTime)
    final_at: Mapped[datetime | None] = mapped_column(UtcTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_review_decisions_item", "item_id", "id"),
        Index("ix_review_decisions_reviewer", "reviewer", "decided_at"),
        Index("ix_review_decisions_decided", "decided_at", "id"),
        Index("ix_review_decisions_final", "final_at", "id"),
        Index("ix_review_decisions_batch", "batch"),
    )


class ReviewSkipRow(Base):
    """A reviewer passed over an item, and why; it is not given to them again."""

    __tablename__ = "review_skips"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    item_id: Mapped[int] = mapped_column(Integer, ForeignKey("review_items.id"))
    reviewer: Mapped[str] = mapped_column(String)
    reason: Mapped[str] = mapped_column(Text)
    skipped_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_review_skips_item", "item_id", "reviewer"),)


class ReviewAppealRow(Base):
    """A seller's complaint against a decision, and what became of it."""

    __tablename__ = "review_appeals"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    item_id: Mapped[int] = mapped_column(Integer, ForeignKey("review_items.id"))
    complaint: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    ruling: Mapped[str | None] = mapped_column(String(16))
    reviewer: Mapped[str | None] = mapped_column(String)
    reason: Mapped[str] = mapped_column(Text)
    ruled_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_review_appeals_item", "item_id"),
        Index("ix_review_appeals_open", "ruled_at", "received_at"),
    )


class GoldenAnswerRow(Base):
    """A listing whose right answer is known. `shown` holds the columns of the items that are made of it."""

    __tablename__ = "golden_answers"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    assessment_id: Mapped[str] = mapped_column(String(32))
    item_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("review_items.id"))
    level: Mapped[str] = mapped_column(String(16))
    hazards: Mapped[list[str]] = mapped_column(JSON)
    shown: Mapped[dict[str, Any]] = mapped_column(JSON)
    hours: Mapped[float] = mapped_column(Float(53))
    most_uses: Mapped[int] = mapped_column(Integer)
    added_by: Mapped[str] = mapped_column(String)
    added_at: Mapped[datetime] = mapped_column(UtcTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_golden_answers_assessment", "assessment_id", unique=True),
        Index("ix_golden_answers_item", "item_id"),
    )


class GoldenUseRow(Base):
    """A golden listing was handed to a reviewer, as an item of its own."""

    __tablename__ = "golden_uses"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    golden_id: Mapped[int] = mapped_column(Integer, ForeignKey("golden_answers.id"))
    item_id: Mapped[int] = mapped_column(Integer, ForeignKey("review_items.id"))
    reviewer: Mapped[str] = mapped_column(String)
    given_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_golden_uses_golden", "golden_id", "reviewer"),
        Index("ix_golden_uses_item", "item_id", unique=True),
    )


class ReviewEventRow(Base):
    """One act, chained by its digest to the one before. Triggers refuse every change and deletion.

    `seal` is null in entries that were written before personal parts stood apart.
    """

    __tablename__ = "review_events"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String(32))
    item_id: Mapped[int | None] = mapped_column(Integer)
    old: Mapped[str] = mapped_column(Text)
    new: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_review_events_item", "item_id", "number"),
        Index("ix_review_events_at", "at"),
    )


class ReviewEventPersonalRow(Base):
    """What a person can be known by in an act, and the key of its seal; this can be erased."""

    __tablename__ = "review_event_personal"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(String(64))
    personal: Mapped[str] = mapped_column(Text)

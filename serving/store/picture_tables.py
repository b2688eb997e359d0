"""Tables of pictures: the readings that wait, the pictures of listings, and those that are to be known again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime


class PictureReadingRow(Base):
    """The pictures of one listing, as one assessment saw it, that are read together; and what came of it.

    `id` follows from the assessment and the pictures, so that the same request has one row. `epoch` grows each time a
    worker takes it, as in `JobRow`. `outcome_id` is the assessment that was made with the words of the pictures, and
    `change` what differs then.
    """

    __tablename__ = "picture_readings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    assessment_id: Mapped[str] = mapped_column(String(32))
    listing_id: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String(16))
    failures: Mapped[int] = mapped_column(SmallInteger)
    epoch: Mapped[int] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    queued_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    outcome_id: Mapped[str | None] = mapped_column(String(32))
    change: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_picture_readings_queue", "state", "queued_at"),
        Index("ix_picture_readings_assessment", "assessment_id"),
        Index("ix_picture_readings_outcome", "outcome_id"),
    )


class PictureRow(Base):
    """One picture of a listing. Its bytes lie in files, by `sha256`, as long as the setting says."""

    __tablename__ = "pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reading_id: Mapped[str] = mapped_column(String(32), ForeignKey("picture_readings.id", ondelete="CASCADE"))
    listing_id: Mapped[str] = mapped_column(String)
    position: Mapped[int] = mapped_column(SmallInteger)
    alt: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)
    format: Mapped[str | None] = mapped_column(String(16))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    hashes: Mapped[list[str] | None] = mapped_column(JSON)
    captions: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    matches: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    read_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_pictures_reading", "reading_id", "position"),
        Index("ix_pictures_listing", "listing_id"),
        Index("ix_pictures_sha256", "sha256", "state"),
        Index("ix_pictures_url", "url", "listing_id"),
    )


class KnownPictureRow(Base):
    """A picture of an alert or of a removed listing, by its hashes: what looks the same is to be seen."""

    __tablename__ = "known_pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String)
    sha256: Mapped[str] = mapped_column(String(64))
    hashes: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(Text)
    added_by: Mapped[str] = mapped_column(String)
    added_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_known_pictures_subject", "kind", "subject"),)

"""The tables of matching: signatures of listings and alerts, and what people have said of matches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime


class SignatureRow(Base):
    """What is compared of a listing, as bytes; equal content has one row for each version of the signatures.

    `version` is that of encoder, knowledge base and format (`models.matching.signing.version_of`).
    """

    __tablename__ = "match_signatures"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(16))
    signature: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_match_signatures_content", "content_hash", "version", unique=True),
        Index("ix_match_signatures_version", "version", "number"),
    )


class AlertSignatureRow(Base):
    """What is compared of an alert, with its words: read at a start instead of encoding thousands of alerts.

    `digest` is that of the alert that was read.
    """

    __tablename__ = "alert_signatures"

    alert_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    signature: Mapped[dict[str, Any]] = mapped_column(JSON)


class JudgementRow(Base):
    """A person's verdict on a match: of the same alert and content the newest counts. Rows are only ever added.

    The listing is kept as it was judged, so that its product is known again when it is gone.
    """

    __tablename__ = "match_judgements"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    alert_id: Mapped[str] = mapped_column(String)
    listing_id: Mapped[str] = mapped_column(String)
    content_hash: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(String)
    reason: Mapped[str] = mapped_column(Text)
    listing: Mapped[dict[str, Any]] = mapped_column(JSON)
    judged_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_match_judgements_alert", "alert_id", "number"),
        Index("ix_match_judgements_listing", "listing_id", "number"),
    )

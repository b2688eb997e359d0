"""The tables of recall notices and of the buyers who get them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime


class RecallNoticeRow(Base):
    """What the recall notice of a case says, in every language; `version` grows with each change.

    `released_version` is the one that may be sent.
    """

    __tablename__ = "recall_notices"

    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    recall: Mapped[dict[str, Any]] = mapped_column(JSON)
    written_by: Mapped[str] = mapped_column(String)
    written_at: Mapped[datetime] = mapped_column(UtcTime)
    released_version: Mapped[int | None] = mapped_column(Integer)
    released: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    released_by: Mapped[str | None] = mapped_column(String)
    released_at: Mapped[datetime | None] = mapped_column(UtcTime)


class BuyerLineRow(Base):
    """A line of an order by which a recalled product was sold, until `forget_at`: personal data.

    `status` follows from the instants; it stands here to be counted and listed.
    """

    __tablename__ = "buyer_lines"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"))
    order_id: Mapped[str] = mapped_column(String)
    listing_id: Mapped[str] = mapped_column(String)
    buyer: Mapped[str] = mapped_column(String)
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String)
    language: Mapped[str] = mapped_column(String(16))
    notice_language: Mapped[str] = mapped_column(String(2))
    country: Mapped[str] = mapped_column(String(2))
    bought_on: Mapped[date] = mapped_column(Date)
    quantity: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
    bounced_at: Mapped[datetime | None] = mapped_column(UtcTime)
    remedied_at: Mapped[datetime | None] = mapped_column(UtcTime)
    remedy: Mapped[str] = mapped_column(String(16))
    forget_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_buyer_lines_order", "case_id", "order_id", "listing_id", unique=True),
        Index("ix_buyer_lines_status", "case_id", "status", "id"),
        Index("ix_buyer_lines_forget", "forget_at"),
    )


class BuyerCountRow(Base):
    """What is left of lines that were deleted: how many, without a person."""

    __tablename__ = "buyer_counts"

    case_id: Mapped[int] = mapped_column(Integer, ForeignKey("recall_cases.id"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    n: Mapped[int] = mapped_column(Integer)

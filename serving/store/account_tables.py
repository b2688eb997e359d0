"""The tables of people: accounts, their sign-in, their sessions, what they chose, and when the store was last swept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, UtcTime


class AccountRow(Base):
    """A person. Records name the `id`; everything that tells who that is stands here, and can be erased here.

    Of the password only an Argon2id hash is kept. `password_until` is set for one that somebody else has chosen.
    """

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str | None] = mapped_column(String, unique=True)
    display_name: Mapped[str] = mapped_column(String)
    roles: Mapped[str] = mapped_column(String)
    password: Mapped[str | None] = mapped_column(String)
    password_until: Mapped[datetime | None] = mapped_column(UtcTime)
    password_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcTime)


class AccountLinkRow(Base):
    """An account is this subject of this OpenID provider. No name and no mail address ever links the two."""

    __tablename__ = "account_links"

    issuer: Mapped[str] = mapped_column(String, primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(16), ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_account_links_account", "account_id"),)


class SessionRow(Base):
    """A browser that is signed in: with a key, with which it ends, or to an account."""

    __tablename__ = "sessions"

    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    key_prefix: Mapped[str | None] = mapped_column(String(16), ForeignKey("api_keys.prefix", ondelete="CASCADE"))
    account_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_sessions_key", "key_prefix"), Index("ix_sessions_account", "account_id"))


class SignInFailureRow(Base):
    """How often a sign-in has failed, by a digest of the name that was given, or of the address it came from."""

    __tablename__ = "sign_in_failures"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    waits_until: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_sign_in_failures_last", "last_at"),)


class ReviewViewRow(Base):
    """A filter of the queue under a name; `owner` is whom records name."""

    __tablename__ = "review_views"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(String)
    query: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("owner", "name", name="uq_review_views_name"),)


class PreferenceRow(Base):
    """What a person chose: the language of the console, and the view that the queue begins with."""

    __tablename__ = "preferences"

    person: Mapped[str] = mapped_column(String, primary_key=True)
    language: Mapped[str | None] = mapped_column(String(16))
    view_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("review_views.id", ondelete="SET NULL"))


class SweepRow(Base):
    """When something was last swept: one worker does it, whoever comes first."""

    __tablename__ = "sweeps"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    swept_at: Mapped[datetime] = mapped_column(UtcTime)

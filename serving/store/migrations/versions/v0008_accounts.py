"""Tables of accounts, views and sweeps; seals in the log of reviews. Browsers sign in anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; sessions last some hours and are made anew rather than changed."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String, unique=True),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("roles", sa.String, nullable=False),
        sa.Column("password", sa.String),
        sa.Column("password_until", _TIME),
        sa.Column("password_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_used_at", _TIME),
        sa.Column("disabled_at", _TIME),
        sa.Column("erased_at", _TIME),
    )
    op.create_table(
        "account_links",
        sa.Column("issuer", sa.String, primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("account_id", sa.String(16), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
    )
    op.create_index("ix_account_links_account", "account_links", ["account_id"])
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("waits_until", _TIME, nullable=False),
    )
    op.create_index("ix_sign_in_failures_last", "sign_in_failures", ["last_at"])
    op.create_table(
        "review_views",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.UniqueConstraint("owner", "name", name="uq_review_views_name"),
    )
    op.create_table(
        "preferences",
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("language", sa.String(16)),
        sa.Column("view_id", sa.Integer, sa.ForeignKey("review_views.id", ondelete="SET NULL")),
    )
    op.create_table(
        "sweeps",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("swept_at", _TIME, nullable=False),
    )
    op.add_column("review_events", sa.Column("seal", sa.String(64)))
    op.create_table(
        "review_event_personal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("personal", sa.Text, nullable=False),
    )
    op.drop_table("sessions")
    _sessions(sa.Column("account_id", sa.String(16), sa.ForeignKey("accounts.id", ondelete="CASCADE")), by_key=False)
    op.create_index("ix_sessions_account", "sessions", ["account_id"])


def downgrade() -> None:
    """Drop them again; what was sealed in the log is lost with its seals."""
    op.drop_table("sessions")
    _sessions(by_key=True)
    op.drop_table("review_event_personal")
    op.drop_column("review_events", "seal")
    for table in ("sweeps", "preferences", "review_views", "sign_in_failures", "account_links", "accounts"):
        op.drop_table(table)


def _sessions(*columns: sa.Column[str], by_key: bool) -> None:
    key = sa.ForeignKey("api_keys.prefix", ondelete="CASCADE")
    op.create_table(
        "sessions",
        sa.Column("prefix", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("key_prefix", sa.String(16), key, nullable=not by_key),
        *columns,
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    op.create_index("ix_sessions_key", "sessions", ["key_prefix"])

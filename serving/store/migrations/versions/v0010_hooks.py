"""Tables of webhooks: events to tell, endpoints, deliveries and their tries."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_UNSENT = sa.text("dispatched_at IS NULL AND withdrawn_at IS NULL")
_WAITS = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Make the tables and their indexes."""
    _events()
    op.create_table(
        "hook_endpoints",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("secrets", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("rests_until", _TIME),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("removed_at", _TIME),
    )
    _deliveries()
    op.create_table(
        "hook_tries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "delivery_id", sa.Integer, sa.ForeignKey("hook_deliveries.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )  # fmt: skip
    op.create_index("ix_hook_tries_delivery", "hook_tries", ["delivery_id", "id"])


def downgrade() -> None:
    """Drop them again."""
    for table in ("hook_tries", "hook_deliveries", "hook_endpoints", "hook_events"):
        op.drop_table(table)


def _events() -> None:
    op.create_table(
        "hook_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("endpoint_id", sa.String(32)),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("withdrawn_at", _TIME),
        sa.Column("dispatched_at", _TIME),
    )
    unsent: dict[str, Any] = {"sqlite_where": _UNSENT, "postgresql_where": _UNSENT}
    op.create_index("ix_hook_events_unsent", "hook_events", ["not_before", "number"], **unsent)
    op.create_index("ix_hook_events_subject", "hook_events", ["subject", "number"], **unsent)
    op.create_index("ix_hook_events_created", "hook_events", ["created_at"])


def _deliveries() -> None:
    op.create_table(
        "hook_deliveries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "event_number", sa.Integer, sa.ForeignKey("hook_events.number", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("endpoint_id", sa.String(32), sa.ForeignKey("hook_endpoints.id"), nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tries_left", sa.Integer, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
    )  # fmt: skip
    op.create_index("ix_hook_deliveries_event", "hook_deliveries", ["event_number", "endpoint_id"], unique=True)
    waits: dict[str, Any] = {"sqlite_where": _WAITS, "postgresql_where": _WAITS}
    op.create_index("ix_hook_deliveries_due", "hook_deliveries", ["endpoint_id", "next_at"], **waits)
    op.create_index("ix_hook_deliveries_order", "hook_deliveries", ["endpoint_id", "subject", "event_number"], **waits)
    op.create_index("ix_hook_deliveries_endpoint", "hook_deliveries", ["endpoint_id", "id"])
    op.create_index("ix_hook_deliveries_state", "hook_deliveries", ["state", "id"])

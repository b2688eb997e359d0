"""Tables of reviews: items, decisions, skips, appeals, and the log that triggers keep as it was written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_WAITS = sa.text("state IN ('open', 'second', 'disputed')")
_LEARNS = sa.text("sample = 'learn'")
_HELD = sa.text("state = 'held'")
_REFUSES = "the log of reviews is append-only"


def upgrade() -> None:
    """Make the tables, their indexes and the triggers."""
    _items()
    _decisions()
    op.create_table(
        "review_skips",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("review_items.id"), nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("skipped_at", _TIME, nullable=False),
    )
    op.create_index("ix_review_skips_item", "review_skips", ["item_id", "reviewer"])
    op.create_table(
        "review_appeals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("review_items.id"), nullable=False),
        sa.Column("complaint", sa.Text, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("ruling", sa.String(16)),
        sa.Column("reviewer", sa.String),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ruled_at", _TIME),
    )
    op.create_index("ix_review_appeals_item", "review_appeals", ["item_id"])
    op.create_index("ix_review_appeals_open", "review_appeals", ["ruled_at", "received_at"])
    op.create_table(
        "review_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("item_id", sa.Integer),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("new", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_review_events_item", "review_events", ["item_id", "number"])
    op.create_index("ix_review_events_at", "review_events", ["at"])
    _guard_the_log()


def downgrade() -> None:
    """Drop them again."""
    for table in ("review_events", "review_appeals", "review_skips", "review_decisions", "review_items"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION review_events_refuse()")


def _items() -> None:
    op.create_table(
        "review_items",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("assessment_id", sa.String(32), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sample", sa.String(16), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("hazard", sa.String, nullable=False),
        sa.Column("risk_score", sa.Float(53), nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("countries", sa.String, nullable=False),
        sa.Column("seller", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("harm", sa.Float(53), nullable=False),
        sa.Column("uncertainty", sa.Float(53), nullable=False),
        sa.Column("rank", sa.Float(53), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("held_until", _TIME),
        sa.Column("assigned_to", sa.String),
        sa.Column("claimed_by", sa.String),
        sa.Column("claimed_until", _TIME),
        sa.Column("decided_at", _TIME),
    )
    waits: dict[str, Any] = {"sqlite_where": _WAITS, "postgresql_where": _WAITS}
    op.create_index("ix_review_waiting", "review_items", ["rank", "id"], **waits)
    op.create_index("ix_review_queue", "review_items", ["queue", "rank", "id"], **waits)
    op.create_index("ix_review_counts", "review_items", ["queue", "due_at", "claimed_until", "opened_at"], **waits)
    learns: dict[str, Any] = {"sqlite_where": _LEARNS, "postgresql_where": _LEARNS}
    op.create_index("ix_review_learn", "review_items", ["opened_at"], **learns)
    held: dict[str, Any] = {"sqlite_where": _HELD, "postgresql_where": _HELD}
    op.create_index("ix_review_held", "review_items", ["held_until"], **held)
    op.create_index("ix_review_listing", "review_items", ["listing_id", "id"])
    op.create_index("ix_review_content", "review_items", ["content_hash"])
    op.create_index("ix_review_assessment", "review_items", ["assessment_id"])
    op.create_index("ix_review_seller", "review_items", ["seller", "id"])
    op.create_index("ix_review_decided", "review_items", ["decided_at", "id"])
    op.create_index("ix_review_claimed", "review_items", ["claimed_by"])
    op.create_index("ix_review_assigned", "review_items", ["assigned_to"])


def _decisions() -> None:
    op.create_table(
        "review_decisions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("review_items.id"), nullable=False),
        sa.Column("assessment_id", sa.String(32), nullable=False),
        sa.Column("round", sa.String(16), nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("hazards", sa.JSON, nullable=False),
        sa.Column("reason_code", sa.String, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("worksheet", sa.JSON),
        sa.Column("model_action", sa.String(32), nullable=False),
        sa.Column("model_level", sa.String(16), nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("batch", sa.String(32)),
        sa.Column("decided_at", _TIME, nullable=False),
        sa.Column("final_at", _TIME),
        sa.Column("undone_at", _TIME),
    )
    op.create_index("ix_review_decisions_item", "review_decisions", ["item_id", "id"])
    op.create_index("ix_review_decisions_reviewer", "review_decisions", ["reviewer", "decided_at"])
    op.create_index("ix_review_decisions_decided", "review_decisions", ["decided_at", "id"])
    op.create_index("ix_review_decisions_final", "review_decisions", ["final_at", "id"])
    op.create_index("ix_review_decisions_batch", "review_decisions", ["batch"])


def _guard_the_log() -> None:
    """Whoever may write to the database can drop a trigger; the chain of digests shows what they then changed."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION review_events_refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_REFUSES}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER review_events_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON review_events"
            " FOR EACH STATEMENT EXECUTE FUNCTION review_events_refuse()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER review_events_no_{act.lower()} BEFORE {act} ON review_events"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSES}'); END"
        )

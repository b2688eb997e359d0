"""Golden items, P(unsafe) of items, and indexes that figures by day are read from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_WAITS = sa.text("state IN ('open', 'second', 'disputed')")
_OPENED = sa.text("sample <> 'golden'")
_CLOSED = sa.text("decided_at IS NOT NULL AND sample <> 'golden'")
_COUNTED = ["queue", "due_at", "claimed_until", "opened_at"]


def upgrade() -> None:
    """Add columns and indexes to the items, and make the tables of golden answers."""
    op.add_column("review_items", sa.Column("p_unsafe", sa.Float(53)))
    op.add_column("review_items", sa.Column("only_for", sa.String))
    value = "a.assessment ->> 'p_unsafe'" if op.get_context().dialect.name == "postgresql" else (
        "json_extract(a.assessment, '$.p_unsafe')"
    )  # fmt: skip
    op.execute(
        f"UPDATE review_items SET p_unsafe = (SELECT CAST({value} AS FLOAT) FROM assessments a"
        " WHERE a.id = review_items.assessment_id)"
    )
    op.drop_index("ix_review_counts", "review_items")
    _counts([*_COUNTED, "only_for", "state"])
    _partial("ix_review_opened", ["opened_at", "queue", "category", "hazard", "sample"], _OPENED)
    _partial("ix_review_closed", ["decided_at", "queue", "due_at", "sample"], _CLOSED)
    op.create_table(
        "golden_answers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("assessment_id", sa.String(32), nullable=False),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("review_items.id")),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("hazards", sa.JSON, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.Column("hours", sa.Float(53), nullable=False),
        sa.Column("most_uses", sa.Integer, nullable=False),
        sa.Column("added_by", sa.String, nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("retired_at", _TIME),
    )
    op.create_index("ix_golden_answers_assessment", "golden_answers", ["assessment_id"], unique=True)
    op.create_index("ix_golden_answers_item", "golden_answers", ["item_id"])
    op.create_table(
        "golden_uses",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("golden_id", sa.Integer, sa.ForeignKey("golden_answers.id"), nullable=False),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("review_items.id"), nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("given_at", _TIME, nullable=False),
    )
    op.create_index("ix_golden_uses_golden", "golden_uses", ["golden_id", "reviewer"])
    op.create_index("ix_golden_uses_item", "golden_uses", ["item_id"], unique=True)


def downgrade() -> None:
    """Remove them again."""
    op.drop_table("golden_uses")
    op.drop_table("golden_answers")
    for name in ("ix_review_closed", "ix_review_opened", "ix_review_counts"):
        op.drop_index(name, "review_items")
    _counts(_COUNTED)
    op.drop_column("review_items", "only_for")
    op.drop_column("review_items", "p_unsafe")


def _counts(columns: list[str]) -> None:
    _partial("ix_review_counts", columns, _WAITS)


def _partial(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "review_items", columns, sqlite_where=where, postgresql_where=where)

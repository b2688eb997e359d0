"""Table `shadow_decisions`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table and its indexes."""
    op.create_table(
        "shadow_decisions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("assessment_id", sa.String(32), nullable=False),
        sa.Column("model_version", sa.String, nullable=False),
        sa.Column("plan_version", sa.String, nullable=False),
        sa.Column("live_action", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("live_level", sa.String(16), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("live_score", sa.Float(53), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assessment", sa.JSON, nullable=False),
    )
    op.create_index("ix_shadow_created", "shadow_decisions", ["created_at", "id"])
    op.create_index("ix_shadow_actions", "shadow_decisions", ["live_action", "action"])
    op.create_index("ix_shadow_assessment", "shadow_decisions", ["assessment_id"])


def downgrade() -> None:
    """Drop the table with its indexes."""
    op.drop_table("shadow_decisions")

"""Table `assessments`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table and its indexes."""
    op.create_table(
        "assessments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String, nullable=False),
        sa.Column("plan_version", sa.String, nullable=False),
        sa.Column("taxonomy_version", sa.String, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("risk_score", sa.Float(53), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("hazard", sa.String, nullable=True),
        sa.Column("detail", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listing", sa.JSON, nullable=False),
        sa.Column("assessment", sa.JSON, nullable=False),
    )
    op.create_index("ix_assessments_risk", "assessments", ["risk_score", "id"])
    op.create_index("ix_assessments_queue", "assessments", ["action", "risk_score", "created_at"])
    op.create_index("ix_assessments_level", "assessments", ["level", "created_at"])
    op.create_index("ix_assessments_created", "assessments", ["created_at", "id"])
    op.create_index("ix_assessments_listing", "assessments", ["listing_id", "created_at"])
    op.create_index("ix_assessments_content", "assessments", ["content_hash"])


def downgrade() -> None:
    """Drop the table with its indexes."""
    op.drop_table("assessments")

"""Two indexes of the assessments go: the queue has a table of its own, and nothing asks by level or action any more."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Drop them: each cost every answer that is kept a page or two."""
    op.drop_index("ix_assessments_queue", "assessments")
    op.drop_index("ix_assessments_level", "assessments")


def downgrade() -> None:
    """Make them again."""
    op.create_index("ix_assessments_queue", "assessments", ["action", "risk_score", "created_at"])
    op.create_index("ix_assessments_level", "assessments", ["level", "created_at"])

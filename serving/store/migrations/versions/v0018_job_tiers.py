"""Jobs say whether the model's screen answers where it may."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the column; jobs of before were read by the whole model."""
    op.add_column("jobs", sa.Column("tiers", sa.String(16), nullable=False, server_default="full"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("jobs", "tiers")

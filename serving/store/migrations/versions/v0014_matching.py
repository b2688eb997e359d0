"""Tables of matching: signatures, and judgements of matches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "match_signatures",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_match_signatures_content", "match_signatures", ["content_hash", "version"], unique=True)
    op.create_index("ix_match_signatures_version", "match_signatures", ["version", "number"])
    op.create_table(
        "alert_signatures",
        sa.Column("alert_id", sa.String(32), primary_key=True),
        sa.Column("version", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("signature", sa.JSON, nullable=False),
    )
    op.create_table(
        "match_judgements",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("alert_id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("listing", sa.JSON, nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_match_judgements_alert", "match_judgements", ["alert_id", "number"])
    op.create_index("ix_match_judgements_listing", "match_judgements", ["listing_id", "number"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("match_judgements")
    op.drop_table("alert_signatures")
    op.drop_table("match_signatures")

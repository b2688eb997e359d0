"""Tables `picture_readings`, `pictures` and `known_pictures`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "picture_readings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("assessment_id", sa.String(32), nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failures", sa.SmallInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("outcome_id", sa.String(32)),
        sa.Column("change", sa.JSON),
    )
    op.create_index("ix_picture_readings_queue", "picture_readings", ["state", "queued_at"])
    op.create_index("ix_picture_readings_assessment", "picture_readings", ["assessment_id"])
    op.create_index("ix_picture_readings_outcome", "picture_readings", ["outcome_id"])
    op.create_table(
        "pictures",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "reading_id", sa.String(32), sa.ForeignKey("picture_readings.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("alt", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("sha256", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("format", sa.String(16)),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("hashes", sa.JSON),
        sa.Column("captions", sa.JSON),
        sa.Column("matches", sa.JSON),
        sa.Column("read_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_pictures_reading", "pictures", ["reading_id", "position"])
    op.create_index("ix_pictures_listing", "pictures", ["listing_id"])
    op.create_index("ix_pictures_sha256", "pictures", ["sha256", "state"])
    op.create_index("ix_pictures_url", "pictures", ["url", "listing_id"])
    op.create_table(
        "known_pictures",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("hashes", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("added_by", sa.String, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_known_pictures_subject", "known_pictures", ["kind", "subject"])


def downgrade() -> None:
    """Drop the tables with their indexes."""
    for table in ("known_pictures", "pictures", "picture_readings"):
        op.drop_table(table)

"""Tables of recall notices and of the buyers who get them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and their indexes."""
    case = sa.ForeignKey("recall_cases.id")
    op.create_table(
        "recall_notices",
        sa.Column("case_id", sa.Integer, case, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("recall", sa.JSON, nullable=False),
        sa.Column("written_by", sa.String, nullable=False),
        sa.Column("written_at", _TIME, nullable=False),
        sa.Column("released_version", sa.Integer),
        sa.Column("released", sa.JSON),
        sa.Column("released_by", sa.String),
        sa.Column("released_at", _TIME),
    )
    op.create_table(
        "buyer_lines",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("recall_cases.id"), nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("buyer", sa.String, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("notice_language", sa.String(2), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("bought_on", sa.Date, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("sent_at", _TIME),
        sa.Column("bounced_at", _TIME),
        sa.Column("remedied_at", _TIME),
        sa.Column("remedy", sa.String(16), nullable=False),
        sa.Column("forget_at", _TIME, nullable=False),
    )
    op.create_index("ix_buyer_lines_order", "buyer_lines", ["case_id", "order_id", "listing_id"], unique=True)
    op.create_index("ix_buyer_lines_status", "buyer_lines", ["case_id", "status", "id"])
    op.create_index("ix_buyer_lines_forget", "buyer_lines", ["forget_at"])
    op.create_table(
        "buyer_counts",
        sa.Column("case_id", sa.Integer, sa.ForeignKey("recall_cases.id"), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("language", sa.String(2), primary_key=True),
        sa.Column("status", sa.String(16), primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop them again."""
    for table in ("buyer_counts", "buyer_lines", "recall_notices"):
        op.drop_table(table)

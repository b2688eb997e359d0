"""Seals in the log of cases; when sellers were informed; which matches are to be erased once a recall is through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_ERASE = sa.text("erase_wanted_at IS NOT NULL")


def upgrade() -> None:
    """Add them; entries of the log that are there already have no seal, and their digests hold as they are."""
    op.add_column("case_events", sa.Column("seal", sa.String(64)))
    op.create_table(
        "case_event_personal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("personal", sa.Text, nullable=False),
    )
    op.add_column("recall_cases", sa.Column("sellers_informed_at", _TIME))
    op.add_column("case_matches", sa.Column("erase_wanted_at", _TIME))
    op.create_index(
        "ix_case_matches_erase", "case_matches", ["erase_wanted_at"], sqlite_where=_ERASE, postgresql_where=_ERASE
    )


def downgrade() -> None:
    """Drop them again; what was sealed in the log is lost with its seals."""
    op.drop_index("ix_case_matches_erase", "case_matches")
    op.drop_column("case_matches", "erase_wanted_at")
    op.drop_column("recall_cases", "sellers_informed_at")
    op.drop_table("case_event_personal")
    op.drop_column("case_events", "seal")

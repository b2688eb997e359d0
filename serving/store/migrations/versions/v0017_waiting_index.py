"""The index of what waits holds what the queue is filtered and searched by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None

_WAITS = sa.text("state IN ('open', 'second', 'disputed')")
_FILTERED = ["only_for", "level", "hazard", "language", "listing_id", "title", "state"]


def upgrade() -> None:
    """Make the index anew, and cut categories to what other indexes can hold of them."""
    op.execute("UPDATE review_items SET category = substr(category, 1, 200) WHERE length(category) > 200")
    _waiting(["rank", "id", *_FILTERED])


def downgrade() -> None:
    """Make it as it was."""
    _waiting(["rank", "id"])


def _waiting(columns: list[str]) -> None:
    op.drop_index("ix_review_waiting", "review_items")
    op.create_index("ix_review_waiting", "review_items", columns, sqlite_where=_WAITS, postgresql_where=_WAITS)

"""Tables of the recall desk; triggers keep its log as it was written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_RUNS = sa.text("met_at IS NULL AND ended_at IS NULL")
_OPEN = sa.text("closed_at IS NULL")
_UNANSWERED = sa.text("receipt_at IS NULL AND withdrawn_at IS NULL")
_REFUSES = "the log of cases is append-only"


def upgrade() -> None:
    """Make the tables, their indexes and the triggers."""
    _alert_documents()
    _alert_sources()
    _alerts()
    _alert_sightings()
    _recall_cases()
    _case_notices()
    _case_clocks()
    _case_matches()
    _takedown_orders()
    _case_events()
    _guard_the_log()


def downgrade() -> None:
    """Drop them again."""
    for table in (
        "case_events", "takedown_orders", "case_matches", "case_clocks", "case_notices", "recall_cases",
        "alert_sightings", "alerts", "alert_sources", "alert_documents",
    ):  # fmt: skip
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION case_events_refuse()")


def _only(where: sa.TextClause) -> dict[str, Any]:
    return {"sqlite_where": where, "postgresql_where": where}


def _alert_documents() -> None:
    op.create_table(
        "alert_documents",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content_type", sa.String, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.Column("etag", sa.String, nullable=False),
        sa.Column("last_modified", sa.String, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("fetched_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
    )
    op.create_index("ix_alert_documents_content", "alert_documents", ["source", "url", "sha256"], unique=True)
    op.create_index("ix_alert_documents_newest", "alert_documents", ["source", "url", "seen_at"])
    op.create_index("ix_alert_documents_sha256", "alert_documents", ["sha256"])


def _alert_sources() -> None:
    op.create_table(
        "alert_sources",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("cursor", sa.JSON, nullable=False),
        sa.Column("polled_at", _TIME),
        sa.Column("succeeded_at", _TIME),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("leased_until", _TIME, nullable=False),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("identity", sa.String, nullable=False, unique=True),
        sa.Column("register", sa.String(64), nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("reference", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("brand", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("published", sa.String(10), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("withdrawn_at", _TIME),
        sa.Column("alert", sa.JSON, nullable=False),
    )
    op.create_index("ix_alerts_number", "alerts", ["register", "number"])
    op.create_index("ix_alerts_received", "alerts", ["received_at", "id"])


def _alert_sightings() -> None:
    op.create_table(
        "alert_sightings",
        sa.Column("alert_id", sa.String(32), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("reference", sa.String, nullable=False),
        sa.Column("document_id", sa.Integer, sa.ForeignKey("alert_documents.id"), nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("alert", sa.JSON, nullable=False),
        sa.Column("first_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("gone_at", _TIME),
    )
    op.create_index("ix_alert_sightings_source", "alert_sightings", ["source", "reference"])


def _recall_cases() -> None:
    op.create_table(
        "recall_cases",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("alert_id", sa.String(32), sa.ForeignKey("alerts.id"), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("authority", sa.String, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("search_wanted_at", _TIME),
        sa.Column("search_started_at", _TIME),
        sa.Column("search_finished_at", _TIME),
        sa.Column("search_failure", sa.Text, nullable=False),
        sa.Column("looked_at", sa.Integer),
        sa.Column("identified_at", _TIME),
        sa.Column("ordered_at", _TIME),
        sa.Column("removed_at", _TIME),
        sa.Column("informed_at", _TIME),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", _TIME),
        sa.Column("closed_at", _TIME),
    )
    op.create_index("ix_recall_cases_due", "recall_cases", ["due_at", "id"], **_only(_OPEN))
    op.create_index("ix_recall_cases_received", "recall_cases", ["received_at", "id"])
    op.create_index("ix_recall_cases_search", "recall_cases", ["search_wanted_at"])


def _case_notices() -> None:
    op.create_table(
        "case_notices",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("recall_cases.id"), nullable=False),
        sa.Column("document_id", sa.Integer, sa.ForeignKey("alert_documents.id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("authority", sa.String, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("region", sa.String(16), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("reference", sa.String, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("kept_at", _TIME, nullable=False),
        sa.Column("said", sa.JSON, nullable=False),
    )
    op.create_index("ix_case_notices_case", "case_notices", ["case_id", "id"])
    op.create_index("ix_case_notices_document", "case_notices", ["document_id", "case_id"])
    op.create_index("ix_case_notices_received", "case_notices", ["received_at", "kind"])


def _case_clocks() -> None:
    op.create_table(
        "case_clocks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("recall_cases.id"), nullable=False),
        sa.Column("notice_id", sa.Integer, sa.ForeignKey("case_notices.id"), nullable=False),
        sa.Column("duty", sa.String(32), nullable=False),
        sa.Column("amount", sa.SmallInteger, nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("basis", sa.String, nullable=False),
        sa.Column("country", sa.String(16), nullable=False),
        sa.Column("region", sa.String(16), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("target_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("first_due_at", _TIME, nullable=False),
        sa.Column("paused_at", _TIME),
        sa.Column("warned_at", _TIME),
        sa.Column("breached_at", _TIME),
        sa.Column("met_at", _TIME),
        sa.Column("ended_at", _TIME),
    )
    op.create_index("ix_case_clocks_case", "case_clocks", ["case_id", "id"])
    op.create_index("ix_case_clocks_due", "case_clocks", ["due_at"], **_only(_RUNS))


def _case_matches() -> None:
    op.create_table(
        "case_matches",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("recall_cases.id"), nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("assessment_id", sa.String(32), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("seller", sa.String, nullable=False),
        sa.Column("countries", sa.String, nullable=False),
        sa.Column("listing", sa.JSON, nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("identical", sa.Boolean, nullable=False),
        sa.Column("relisted", sa.Boolean, nullable=False),
        sa.Column("found_by", sa.String(16), nullable=False),
        sa.Column("found_at", _TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("judged_by", sa.String),
        sa.Column("judged_at", _TIME),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_case_matches_judged", "case_matches", ["judged_at", "state"])
    op.create_index("ix_case_matches_listing", "case_matches", ["case_id", "listing_id"], unique=True)
    op.create_index("ix_case_matches_of_listing", "case_matches", ["listing_id"])
    op.create_index("ix_case_matches_state", "case_matches", ["case_id", "state", "probability"])


def _takedown_orders() -> None:
    op.create_table(
        "takedown_orders",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("recall_cases.id"), nullable=False),
        sa.Column("match_id", sa.Integer, sa.ForeignKey("case_matches.id"), nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("ordered_by", sa.String, nullable=False),
        sa.Column("ordered_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("reminders", sa.SmallInteger, nullable=False),
        sa.Column("reminded_at", _TIME),
        sa.Column("receipt_at", _TIME),
        sa.Column("receipt_by", sa.String),
        sa.Column("removed_at", _TIME),
        sa.Column("refused", sa.Text, nullable=False),
        sa.Column("withdrawn_at", _TIME),
    )
    op.create_index("ix_takedown_orders_case", "takedown_orders", ["case_id", "ordered_at"])
    op.create_index("ix_takedown_orders_listing", "takedown_orders", ["listing_id"])
    op.create_index("ix_takedown_orders_match", "takedown_orders", ["match_id"])
    op.create_index("ix_takedown_orders_waiting", "takedown_orders", ["ordered_at"], **_only(_UNANSWERED))


def _case_events() -> None:
    op.create_table(
        "case_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("case_id", sa.Integer),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("new", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_case_events_at", "case_events", ["at"])
    op.create_index("ix_case_events_case", "case_events", ["case_id", "number"])


def _guard_the_log() -> None:
    """Whoever may write to the database can drop a trigger; the chain of digests shows what they then changed."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION case_events_refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_REFUSES}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER case_events_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON case_events"
            " FOR EACH STATEMENT EXECUTE FUNCTION case_events_refuse()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER case_events_no_{act.lower()} BEFORE {act} ON case_events"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSES}'); END"
        )

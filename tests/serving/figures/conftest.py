"""Cases as the recall desk keeps them, written straight into its tables."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert

from serving.store.database import writing
from serving.store.recall_tables import AlertRow, CaseMatchRow, RecallCaseRow, TakedownOrderRow

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)  # a Monday


@dataclass
class Cases:
    """Writes alerts, cases, matches and orders."""

    engine: Engine

    def case(self, kind: str = "order", category: str = "Toys", **facts: Any) -> int:
        number = uuid.uuid4().hex
        alert = {
            "id": number, "identity": f"safety-gate SR {number}", "register": "safety-gate",
            "number": number, "reference": f"SR/{number}/26", "title": "Mini heater", "brand": "Hearthlane",
            "category": category, "level": "serious", "country": "NL", "published": "2026-03-01", "digest": "0" * 64,
            "received_at": NOW, "updated_at": NOW, "alert": {"title": "Mini heater"},
        }  # fmt: skip
        case = {
            "alert_id": alert["id"], "kind": kind, "authority": "NVWA", "country": "NL", "received_at": NOW,
            "search_failure": "", "answer": "", **facts,
        }  # fmt: skip
        with writing(self.engine) as connection:
            connection.execute(insert(AlertRow).values(**alert))
            return int(
                connection.execute(insert(RecallCaseRow).values(**case).returning(RecallCaseRow.id)).scalar_one()
            )

    def match(self, case_id: int, state: str = "confirmed", judged_at: dt.datetime | None = NOW, **facts: Any) -> int:
        number = uuid.uuid4().hex
        match = {
            "case_id": case_id, "listing_id": f"li-{number}", "assessment_id": "", "content_hash": 2 * number,
            "title": "Mini heater", "seller": "s1", "countries": "NL", "listing": {}, "probability": 0.9,
            "features": [], "identical": False, "relisted": False, "found_by": "search", "found_at": NOW,
            "state": state, "judged_at": judged_at, "judged_by": "ada", "note": "", **facts,
        }  # fmt: skip
        with writing(self.engine) as connection:
            return int(connection.execute(insert(CaseMatchRow).values(**match).returning(CaseMatchRow.id)).scalar_one())

    def order(
        self, case_id: int, match_id: int, removed_at: dt.datetime | None, ordered_at: dt.datetime = NOW, **facts: Any
    ) -> None:
        order = {
            "id": uuid.uuid4().hex, "case_id": case_id, "match_id": match_id, "listing_id": "",
            "ordered_by": "ada", "ordered_at": ordered_at, "due_at": ordered_at, "reminders": 0, "refused": "",
            "removed_at": removed_at, **facts,
        }  # fmt: skip
        with writing(self.engine) as connection:
            connection.execute(insert(TakedownOrderRow).values(**order))

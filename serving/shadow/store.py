"""Keeps what plan and model on trial decided, and compares it with what was decided live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine, Float, case, func, select

from models.domain.action import Action
from models.domain.assessment import Assessment
from models.simulation.records import Record
from serving.store.database import insert_into, writing
from serving.store.tables import AssessmentRow, ShadowDecisionRow

ShadowRow = dict[str, Any]
_ACTIONS = [action.value for action in Action]
_CHUNK = 1_000


@dataclass(frozen=True)
class Difference:
    """A listing on which the trial and the live decision differ."""

    assessment_id: str
    listing_id: str
    title: str
    live_action: str
    action: str
    live_level: str
    level: str
    live_score: float
    score: float
    model: str
    plan: str
    created_at: datetime


class ShadowStore:
    """Decisions on trial in the database. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def save(self, rows: Sequence[ShadowRow]) -> None:
        """Keep decisions; one that is kept already stays as it is."""
        if not rows:
            return
        with writing(self.engine) as connection:
            statement = insert_into(self.engine, ShadowDecisionRow).on_conflict_do_nothing(
                index_elements=[ShadowDecisionRow.id]
            )
            connection.execute(statement, sorted(rows, key=lambda row: str(row["id"])))

    def comparison(self, model: str | None = None, plan: str | None = None) -> dict[str, Any]:
        """Return counts over everything that was tried: by pair of actions, by live level, and means of the scores."""
        row = ShadowDecisionRow
        where = [column == value for column, value in ((row.model_version, model), (row.plan_version, plan)) if value]
        with self.engine.connect() as connection:
            pairs = connection.execute(
                select(row.live_action, row.action, func.count()).where(*where).group_by(row.live_action, row.action)
            ).all()
            levels = connection.execute(
                select(row.live_level, func.count(), func.sum(case((row.live_action != row.action, 1), else_=0)))
                .where(*where)
                .group_by(row.live_level)
            ).all()
            distance = func.avg(func.abs(row.score - row.live_score), type_=Float)
            means = connection.execute(
                select(func.avg(row.live_score), func.avg(row.score), distance).where(*where)
            ).one()
        matrix = {(before, after): n for before, after, n in pairs}
        total = sum(matrix.values())
        changed = sum(n for (before, after), n in matrix.items() if before != after)
        rank = _ACTIONS.index
        return {
            "n": total,
            "agreement": (total - changed) / total if total else None,
            "stricter": sum(n for (before, after), n in matrix.items() if rank(after) > rank(before)),
            "looser": sum(n for (before, after), n in matrix.items() if rank(after) < rank(before)),
            "actions": [
                {"live": before, "trial": after, "n": matrix[before, after]}
                for before in _ACTIONS
                for after in _ACTIONS
                if (before, after) in matrix
            ],
            "levels": [{"live_level": level, "n": n, "differ": int(differ)} for level, n, differ in sorted(levels)],
            "mean_score": {"live": means[0], "trial": means[1], "distance": means[2]},
        }

    def differences(self, limit: int) -> list[Difference]:
        """Return the newest listings on which trial and live decision differ."""
        row = ShadowDecisionRow
        query = (
            select(
                row.assessment_id,
                AssessmentRow.listing_id,
                AssessmentRow.title,
                row.live_action,
                row.action,
                row.live_level,
                row.level,
                row.live_score,
                row.score,
                row.model_version,
                row.plan_version,
                row.created_at,
            )
            .join(AssessmentRow, AssessmentRow.id == row.assessment_id)
            .where(row.live_action != row.action)
            .order_by(row.created_at.desc(), row.id)
            .limit(limit)
        )
        with self.engine.connect() as connection:
            return [Difference(*tuple(found)) for found in connection.execute(query).all()]

    def records(self, plan: str | None = None, model: str | None = None) -> Iterator[Record]:
        """Yield what was tried beside what was live, as a history that a simulation's report can show."""
        row = ShadowDecisionRow
        where = [column == value for column, value in ((row.model_version, model), (row.plan_version, plan)) if value]
        query = (
            select(row.created_at, AssessmentRow.listing, AssessmentRow.assessment, row.assessment)
            .join(AssessmentRow, AssessmentRow.id == row.assessment_id)
            .where(*where)
        )
        with self.engine.connect() as connection:
            found = connection.execution_options(stream_results=True, yield_per=_CHUNK).execute(query)
            for created, listing, live, trial in found:
                yield Record(created.date().isoformat(), listing, live, trial)

    def versions(self) -> list[tuple[str, str, int]]:
        """Return (model, plan, count) of everything that was tried, most used first."""
        row = ShadowDecisionRow
        query = select(row.model_version, row.plan_version, func.count()).group_by(row.model_version, row.plan_version)
        with self.engine.connect() as connection:
            found = [(model, plan, n) for model, plan, n in connection.execute(query)]
        return sorted(found, key=lambda each: (-each[2], each))


def shadow_row(live: Assessment, trial: Assessment) -> ShadowRow:
    """Return the row of one trial; its id is that of the trial's assessment."""
    return {
        "id": trial.id,
        "assessment_id": live.id,
        "model_version": trial.versions.model,
        "plan_version": trial.versions.plan,
        "live_action": live.decision.action.value,
        "action": trial.decision.action.value,
        "live_level": (live.decision.level or live.risk_level).value,
        "level": (trial.decision.level or trial.risk_level).value,
        "live_score": live.risk_score,
        "score": trial.risk_score,
        "created_at": datetime.now(UTC),
        "assessment": orjson.Fragment(trial.model_dump_json(exclude={"explanation"})),
    }

"""Keeps assessments: written once a question, read by id or as a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, Engine, Executable, func, select, text

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.matching.looking import Looked, looked_before
from serving.pictures.entries import Entry
from serving.store.database import insert_into, writing
from serving.store.tables import AssessmentRow

Also = Callable[[Connection, Sequence["Answered"]], object]
Order = Literal["risk", "recent"]
_DETAIL = {"none": 0, "tokens": 1, "full": 2}
_TITLE_SHOWN = 200


@dataclass(frozen=True)
class Answered:
    """An assessment to keep, with its listing, how far it is explained (none, tokens, full), and its pictures."""

    listing: Listing
    assessment: Assessment
    explain: str = "none"
    pictures: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class StoredAssessment:
    """An assessment as it was kept; `listing` and `assessment` as JSON objects."""

    id: str
    created_at: datetime
    listing: dict[str, Any]
    assessment: dict[str, Any]

    @property
    def looked(self) -> Looked:
        """What was found among the known alerts when the answer was given."""
        return looked_before(Assessment.model_validate(self.assessment))


@dataclass(frozen=True)
class StoredSummary:
    """One row of a list of assessments."""

    id: str
    listing_id: str
    title: str
    risk_level: str
    risk_score: float
    hazard: str | None
    action: str
    language: str
    created_at: datetime


class AssessmentStore:
    """Assessments in a database. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    also : callable, optional
        Is called with the connection and the answers in the transaction that keeps them.
    """

    def __init__(self, engine: Engine, also: Also | None = None) -> None:
        self.engine = engine
        self.also = also
        self._keep = _upsert(engine)

    def save(self, answers: Sequence[Answered], within: Callable[[Connection], object] | None = None) -> None:
        """Keep answers; one that is kept already stays as it is, unless it comes with more explanation now.

        Parameters
        ----------
        within : callable, optional
            Is called first, with the connection, in the same transaction; what it raises keeps nothing.
        """
        rows: dict[str, dict[str, Any]] = {}
        for answer in answers:
            row = _row(answer)
            if row["id"] not in rows or rows[row["id"]]["detail"] < row["detail"]:
                rows[row["id"]] = row
        if not rows:
            return
        with writing(self.engine) as connection:
            if within is not None:
                within(connection)
            # In the order of their ids: two requests with the same listings then wait for, and never on, each other.
            connection.execute(self._keep, [rows[key] for key in sorted(rows)])
            if self.also is not None:
                self.also(connection, answers)

    def get(self, assessment_id: str) -> StoredAssessment | None:
        """Return one assessment, None where there is none of that id."""
        query = select(AssessmentRow.id, AssessmentRow.created_at, AssessmentRow.listing, AssessmentRow.assessment)
        with self.engine.connect() as connection:
            row = connection.execute(query.where(AssessmentRow.id == assessment_id)).one_or_none()
        return None if row is None else StoredAssessment(row.id, row.created_at, row.listing, row.assessment)

    def summaries(self, limit: int, order: Order = "risk") -> list[StoredSummary]:
        """Return the first assessments, most risky or newest first."""
        key = AssessmentRow.risk_score if order == "risk" else AssessmentRow.created_at
        query = select(
            AssessmentRow.id,
            AssessmentRow.listing_id,
            AssessmentRow.title,
            AssessmentRow.level,
            AssessmentRow.risk_score,
            AssessmentRow.hazard,
            AssessmentRow.action,
            AssessmentRow.language,
            AssessmentRow.created_at,
        ).order_by(key.desc(), AssessmentRow.id.desc())
        with self.engine.connect() as connection:
            return [StoredSummary(*row) for row in connection.execute(query.limit(limit))]

    def of_listing(self, listing_id: str, limit: int) -> list[StoredAssessment]:
        """Return the newest assessments of a listing, newest first."""
        query = (
            select(AssessmentRow.id, AssessmentRow.created_at, AssessmentRow.listing, AssessmentRow.assessment)
            .where(AssessmentRow.listing_id == listing_id)
            .order_by(AssessmentRow.created_at.desc(), AssessmentRow.id.desc())
            .limit(limit)
        )
        with self.engine.connect() as connection:
            return [StoredAssessment(*row) for row in connection.execute(query)]

    def count(self) -> int:
        """Return the number of assessments."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(AssessmentRow)).scalar_one()

    def ping(self) -> None:
        """Raise if the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _upsert(engine: Engine) -> Executable:
    """Return the statement that keeps answers; making it takes as long as running it."""
    statement = insert_into(engine, AssessmentRow)
    return statement.on_conflict_do_update(
        index_elements=[AssessmentRow.id],
        # Of equal content only the explanation can differ, unless what was kept has been erased.
        set_={
            name: statement.excluded[name]
            for name in ("assessment", "detail", "listing", "listing_id", "title", "content_hash")
        },
        where=AssessmentRow.detail < statement.excluded.detail,
    )


def is_assessment_id(text: str) -> bool:
    """Whether a text can be an id at all; others, such as ones with NUL, need not reach the database."""
    return len(text) == 32 and set(text) <= set("0123456789abcdef")


def _row(answer: Answered) -> dict[str, Any]:
    listing, assessment = answer.listing, answer.assessment
    return {
        "id": assessment.id,
        "listing_id": assessment.listing_id,
        "content_hash": assessment.content_hash,
        "model_version": assessment.versions.model,
        "plan_version": assessment.versions.plan,
        "taxonomy_version": assessment.versions.taxonomy,
        "level": assessment.risk_level.value,
        "risk_score": assessment.risk_score,
        "action": assessment.decision.action.value,
        "language": assessment.language.code,
        "title": listing.title[:_TITLE_SHOWN],
        "hazard": assessment.scenario.risk_type if assessment.scenario else None,
        "detail": _DETAIL[answer.explain],
        "created_at": datetime.now(UTC),
        "listing": orjson.Fragment(listing.model_dump_json(exclude_defaults=True)),
        "assessment": orjson.Fragment(assessment.to_json()),
    }

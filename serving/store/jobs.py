"""Keeps jobs: who takes one, how far it has come, what is left to remove."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, and_, delete, func, or_, select, update

from models.classifier.classifier import Detail
from models.domain.assessment import Tiers
from serving.store.database import insert_into, writing
from serving.store.tables import JobRow

LEASE = timedelta(seconds=10)
"""How long a worker that died keeps its job; one that lives renews it."""
MOST_ATTEMPTS = 5
"""Starts without a single checkpoint after which a job has failed: it may be what ends the process."""

InputFormat = Literal["jsonl", "arrow", "parquet"]
"""What an upload is kept as."""
State = Literal["queued", "running", "done", "cancelled", "failed"]
UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """A job as it stands in the database; see `JobRow` for `segments`, `versions` and `epoch`."""

    id: str
    principal: str
    format: InputFormat
    total: int
    explain: Detail = "none"
    stored: bool = True
    priority: int = 0
    tiers: Tiers = "full"
    state: State = "queued"
    read: int = 0
    refused: int = 0
    position: int = 0
    segments: list[list[int]] = field(default_factory=list)
    versions: list[list[Any]] = field(default_factory=list)
    rate: float | None = None
    failure: str | None = None
    epoch: int = 0
    attempts: int = 0
    leased_until: datetime | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    queued_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in UNFINISHED


@dataclass(frozen=True)
class Checkpoint:
    """How far a job has come: rows of the input, and the bytes of the result that hold their answers."""

    read: int
    refused: int
    position: int
    segments: list[list[int]]
    versions: list[list[Any]]
    rate: float


_COLUMNS = [getattr(JobRow, column.name) for column in fields(Job)]


class JobStore:
    """Jobs in the database. Its methods block: call them from a thread.

    A worker holds a job by a lease. Whatever it writes later is bound to the job's `epoch`, so that one that was
    taken for dead and lives cannot disturb its successor; clocks that differ between machines cost repeated work only.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    lease : timedelta
    """

    def __init__(self, engine: Engine, lease: timedelta = LEASE) -> None:
        self.engine = engine
        self.lease = lease

    def add(self, job: Job) -> Job:
        """Queue a job; where one of that id is kept, that one is returned."""
        with writing(self.engine) as connection:
            connection.execute(insert_into(self.engine, JobRow).values(**asdict(job)).on_conflict_do_nothing())
            return Job(*connection.execute(select(*_COLUMNS).where(JobRow.id == job.id)).one())

    def get(self, job_id: str) -> Job | None:
        """Return a job, None where there is none of that id."""
        with self.engine.connect() as connection:
            row = connection.execute(select(*_COLUMNS).where(JobRow.id == job_id)).one_or_none()
        return None if row is None else Job(*row)

    def newest(self, principal: str | None, limit: int) -> list[Job]:
        """Return the newest jobs, of one principal or (None) of all."""
        query = select(*_COLUMNS).order_by(JobRow.created_at.desc(), JobRow.id).limit(limit)
        if principal is not None:
            query = query.where(JobRow.principal == principal)
        with self.engine.connect() as connection:
            return [Job(*row) for row in connection.execute(query)]

    def unfinished(self, principal: str) -> int:
        """Return how many jobs of a principal are queued or running."""
        query = select(func.count()).where(JobRow.principal == principal, JobRow.state.in_(UNFINISHED))
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def claim(self) -> Job | None:
        """Take the next job: of the highest priority the one that has waited longest; None where nothing waits."""
        while True:
            now = datetime.now(UTC)
            with self.engine.connect() as connection:
                query = select(JobRow.id, JobRow.epoch, JobRow.attempts).where(_waiting(now))
                row = connection.execute(
                    query.order_by(JobRow.priority.desc(), JobRow.queued_at, JobRow.id).limit(1)
                ).one_or_none()
            if row is None:
                return None
            taken = {
                "state": "running",
                "epoch": row.epoch + 1,
                "attempts": row.attempts + 1,
                "leased_until": now + self.lease,
                "started_at": func.coalesce(JobRow.started_at, now),
            }
            with writing(self.engine) as connection:
                won = connection.execute(
                    update(JobRow).where(JobRow.id == row.id, JobRow.epoch == row.epoch, _waiting(now)).values(**taken)
                )
                if won.rowcount:
                    return Job(*connection.execute(select(*_COLUMNS).where(JobRow.id == row.id)).one())

    def others_wait(self, job: Job) -> bool:
        """Tell whether a job waits that is to have a turn before this one goes on."""
        query = select(func.count()).where(
            _waiting(datetime.now(UTC)), JobRow.priority >= job.priority, JobRow.id != job.id
        )
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one() > 0

    def checkpoint(self, job: Job, reached: Checkpoint) -> bool:
        """Note how far a job has come, and hold it on; False where it is no longer the caller's."""
        return self._change(job, **asdict(reached), attempts=0, leased_until=datetime.now(UTC) + self.lease)

    def renew(self, job: Job) -> bool:
        """Hold a job for another lease; False where it is no longer the caller's."""
        return self._change(job, leased_until=datetime.now(UTC) + self.lease)

    def release(self, job: Job) -> bool:
        """Put a job back at the end of the queue: it goes on later, here or elsewhere."""
        return self._change(job, state="queued", attempts=0, leased_until=None, queued_at=datetime.now(UTC))

    def finish(self, job: Job, state: State, failure: str | None = None) -> bool:
        """End a job that the caller holds."""
        return self._change(job, state=state, failure=failure, leased_until=None, finished_at=datetime.now(UTC))

    def cancel(self, job_id: str) -> None:
        """End a job that is queued or running, whoever holds it; its holder finds out at its next checkpoint."""
        values = {"state": "cancelled", "leased_until": None, "finished_at": datetime.now(UTC)}
        with writing(self.engine) as connection:
            connection.execute(update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(UNFINISHED)).values(**values))

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        with writing(self.engine) as connection:
            connection.execute(delete(JobRow).where(JobRow.id == job_id))

    def finished_before(self, moment: datetime) -> list[str]:
        """Return the ids of the jobs that ended before a moment."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(JobRow.id).where(JobRow.finished_at < moment)).scalars())

    def _change(self, job: Job, **values: Any) -> bool:
        held = and_(JobRow.id == job.id, JobRow.epoch == job.epoch, JobRow.state == "running")
        with writing(self.engine) as connection:
            return connection.execute(update(JobRow).where(held).values(**values)).rowcount > 0


def _waiting(now: datetime) -> ColumnElement[bool]:
    return or_(JobRow.state == "queued", and_(JobRow.state == "running", JobRow.leased_until < now))

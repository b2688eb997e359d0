"""What the routes of jobs answer, as types."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from models.domain.assessment import Tiers
from serving.jobs.files import size_of
from serving.store.jobs import Job, State

Priority = Literal["low", "normal", "high"]
RANKS: dict[Priority, int] = {"low": -1, "normal": 0, "high": 1}


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class JobProgress(_Answer):
    """How far a job has come."""

    total: int = Field(description="listings of the upload")
    read: int = Field(description="listings that have a row in the result")
    assessed: int
    refused: int = Field(description="listings whose row holds an error")
    rate: float | None = Field(description="listings a second, of late; null before the first ones are done")
    seconds_left: float | None = Field(description="at that rate, for a job that is running")


class JobVersions(_Answer):
    """What rows were assessed with, from one row on."""

    first_row: int
    model: str
    plan: str
    taxonomy: str


class JobAnswer(_Answer):
    """A job."""

    id: str
    state: State
    format: str = Field(description="what the upload is kept as: jsonl, arrow or parquet")
    explain: str
    store: bool
    priority: Priority
    tiers: Tiers = Field("full", description="`two`: the model's screen answers where it may")
    progress: JobProgress
    versions: list[JobVersions] = Field(
        description="the last one is that of the newest rows; there are several where model or plan changed meanwhile"
    )
    failure: str | None = Field(description="why a job failed")
    result_bytes: int = Field(description="length of the result as JSON Lines, so far")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    kept_until: datetime | None = Field(description="when a job that has ended is removed with its result")

    @classmethod
    def of(cls, job: Job, keep: timedelta) -> Self:
        """Return a job as the API tells it."""
        running = job.state == "running" and job.rate
        return cls(
            id=job.id,
            state=job.state,
            format=job.format,
            explain=job.explain,
            store=job.stored,
            priority=next(name for name, rank in RANKS.items() if rank == job.priority),
            tiers=job.tiers,
            progress=JobProgress(
                total=job.total,
                read=job.read,
                assessed=job.read - job.refused,
                refused=job.refused,
                rate=job.rate,
                seconds_left=(job.total - job.read) / job.rate if running and job.rate else None,
            ),
            versions=[
                JobVersions(first_row=first, model=model, plan=plan, taxonomy=taxonomy)
                for first, model, plan, taxonomy in job.versions
            ],
            failure=job.failure,
            result_bytes=size_of(job.segments),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            kept_until=job.finished_at and job.finished_at + keep,
        )


class JobList(_Answer):
    """Jobs, newest first."""

    jobs: list[JobAnswer]

"""Works off jobs: a chunk at a time, with a checkpoint after each, so that a crash repeats no more than a chunk.

Rows of the result are on the disk before the database counts them, and what it does not count is never read: each
listing has one row, in order, however often a worker dies. With several workers, one holds a job by a lease.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import MappingProxyType

import orjson
from sqlalchemy.exc import SQLAlchemyError

from models.classifier.classifier import Detail
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.api.intake import Refusal
from serving.api.results import results
from serving.engine import InForce, Outcome
from serving.jobs.files import JobFiles, grown
from serving.jobs.inputs import InputRow, read_rows
from serving.pausing import outlived, pause, taken
from serving.pictures.entries import Entry
from serving.pictures.offered import Offered, PictureRules
from serving.store.assessments import Answered
from serving.store.idempotency import IdempotencyStore
from serving.store.jobs import MOST_ATTEMPTS, Checkpoint, Job, JobStore, State

_log = logging.getLogger("hazardlens.jobs")
CHUNK_ROWS = 128
CHUNK_BYTES = 4_000_000
TURN = 30.0
_LOOKS_EVERY = 1.0
"""Seconds until a job that another worker accepted, or left behind, is seen here."""
_SWEEPS_EVERY = 60.0
_AFTER_FAILURE = 5.0
_NEWEST_WEIGHT = 0.3
"""Of the newest chunk in the moving mean of the rate."""

Assess = Callable[[Sequence[Listing], Detail, InForce], Awaitable[list[Outcome]]]
"""What assesses the listings of a chunk: one outcome each, in the same order."""
Keep = Callable[[Sequence[Answered]], None]
"""What becomes of the assessments of a job that stores them; blocks."""


@dataclass(frozen=True)
class Pictures:
    """What becomes of pictures.

    Parameters
    ----------
    rules : PictureRules
        What is taken.
    receive : callable
        Keeps a listing's pictures until they are read, and returns it with them; blocks.
    wake : callable
        Has them read.
    """

    rules: PictureRules
    receive: Callable[[Listing, Sequence[Offered]], tuple[Listing, tuple[Entry, ...]]]
    wake: Callable[[], None]


@dataclass(frozen=True)
class Engine:
    """What a runner assesses with.

    Parameters
    ----------
    assess : callable
    in_force : callable
        Gives what decides now: each chunk is assessed by what is in force when it begins, and every row names it.
    keep : callable
    count : function of (outcomes, refused)
        Notes in the metrics what came of a chunk, and how many of its rows were refused.
    pictures : Pictures or None
        None takes none.
    """

    assess: Assess
    in_force: Callable[[], InForce]
    keep: Keep
    count: Callable[[Sequence[Outcome], int], None]
    pictures: Pictures | None = None


class JobRunner:
    """Works off the jobs of a store, one at a time.

    Parameters
    ----------
    store : JobStore
    files : JobFiles
    keys : IdempotencyStore
        Is swept together with the jobs.
    keep : timedelta
        How long the result of a job is kept after its end.
    chunk_rows : int
        Most rows between two checkpoints.
    turn : float
        Seconds after which a job lets others of its priority go on.
    """

    def __init__(
        self,
        store: JobStore,
        files: JobFiles,
        keys: IdempotencyStore,
        keep: timedelta,
        *,
        chunk_rows: int = CHUNK_ROWS,
        turn: float = TURN,
    ) -> None:
        self.chunk_rows, self.turn = chunk_rows, turn
        self.store, self.files, self.keys, self.keep = store, files, keys, keep
        self._engine: Engine | None = None
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._swept = float("-inf")

    def begin(self, engine: Engine) -> None:
        """Start working; returns at once."""
        self._engine = engine
        self._task = asyncio.create_task(self._run(), name="jobs")

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    async def end(self) -> None:
        """Stop; a job that is under way goes on where it stands, here after a restart or elsewhere at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            await pause(self._woken, await outlived(self._round(), _log, "jobs", _AFTER_FAILURE))

    async def _round(self) -> float:
        """Work off the job whose turn it is; where that breaks, whoever takes it goes on from its last checkpoint."""
        await self._sweep()
        job = await taken(self.store.claim, self._put_back)
        if job is None:
            return _LOOKS_EVERY
        await self._work(job)
        return 0.0

    def _put_back(self, job: Job | None) -> None:
        if job is not None:
            self.store.release(job)

    async def _work(self, job: Job) -> None:
        if job.attempts > MOST_ATTEMPTS:
            failure = f"The server broke off {MOST_ATTEMPTS} times while it assessed the rows after {job.read:,}."
            await asyncio.to_thread(self._finish, job, "failed", failure)
            return
        _log.info("job %s: from row %d of %d", job.id, job.read, job.total)
        renewing = asyncio.create_task(self._renew(job))
        try:
            await self._chunks(job)
        except asyncio.CancelledError:
            await asyncio.to_thread(self.store.release, job)
            raise
        except FileNotFoundError:
            found = await asyncio.to_thread(self.store.get, job.id)
            if found is not None and not found.finished:
                raise
            _log.info("job %s was removed", job.id)
        except InputError as error:
            await asyncio.to_thread(self._finish, job, "failed", f"The upload cannot be read: {error}")
        finally:
            renewing.cancel()

    async def _chunks(self, job: Job) -> None:
        assert self._engine is not None
        begun = monotonic()
        instance = f"/v1/jobs/{job.id}"
        # A text is assessed at once and its pictures are read behind that, which needs the kept assessment.
        pictures = self._engine.pictures if job.stored else None
        rules = None if pictures is None else pictures.rules
        rows = read_rows(self.files.input(job.id), job.format, instance, job.read, job.position, rules)
        while True:
            started = monotonic()
            chunk = await asyncio.to_thread(next_chunk, rows, self.chunk_rows)
            if not chunk:
                await asyncio.to_thread(self._finish, job, "done")
                return
            in_force = replace(self._engine.in_force(), tiers=job.tiers)
            entries: dict[int, tuple[Entry, ...]] = {}
            if pictures is not None and any(row.pictures for row in chunk):
                chunk, entries = await asyncio.to_thread(received, chunk, pictures)
            listings = [row.given for row in chunk if isinstance(row.given, Listing)]
            outcomes = await self._engine.assess(listings, job.explain, in_force)
            reached = await asyncio.to_thread(self._write, job, chunk, outcomes, in_force, started, entries)
            if reached is None:
                _log.info("job %s was cancelled or taken over", job.id)
                return
            job = reached
            if entries and pictures is not None:
                pictures.wake()
            over = monotonic() - begun > self.turn and job.read < job.total
            if over and await asyncio.to_thread(self.store.others_wait, job):
                await asyncio.to_thread(self.store.release, job)
                return

    def _write(
        self,
        job: Job,
        chunk: Sequence[InputRow],
        outcomes: Sequence[Outcome],
        in_force: InForce,
        started: float,
        entries: Mapping[int, tuple[Entry, ...]] = MappingProxyType({}),
    ) -> Job | None:
        """Write the rows of a chunk, then the checkpoint that makes them count; None where the job is lost."""
        assert self._engine is not None
        refused = sum(isinstance(row.given, Refusal) for row in chunk)
        if job.stored:
            self._engine.keep(_answered(chunk, outcomes, job.explain, entries))
        given = (row.given for row in chunk)
        found = list(results(given, outcomes, f"/v1/jobs/{job.id}", f"job {job.id}", job.read))
        for index, read in entries.items():
            found[index]["pictures"] = [entry.shown() for entry in read]
        data = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in found)
        self.files.append(job.id, job.epoch, data)
        named = [job.read, in_force.versions.model, in_force.versions.plan, in_force.versions.taxonomy]
        versions = job.versions
        if not versions or versions[-1][1:] != named[1:]:
            versions = [*versions, named]
        rate = len(chunk) / max(1e-6, monotonic() - started)
        reached = Checkpoint(
            read=job.read + len(chunk),
            refused=job.refused + refused + sum(not isinstance(outcome, Assessment) for outcome in outcomes),
            position=chunk[-1].position,
            segments=grown(job.segments, job.epoch, len(data)),
            versions=versions,
            rate=rate if job.rate is None else job.rate + _NEWEST_WEIGHT * (rate - job.rate),
        )
        if not self.store.checkpoint(job, reached):
            return None
        self._engine.count(outcomes, refused)
        return replace(job, **vars(reached))

    def _finish(self, job: Job, state: State, failure: str | None = None) -> None:
        self.store.finish(job, state, failure)
        self.files.drop_input(job.id)
        _log.info("job %s: %s%s", job.id, state, f": {failure}" if failure else "")

    async def _renew(self, job: Job) -> None:
        """Hold the job while a chunk takes long."""
        while True:
            await asyncio.sleep(self.store.lease.total_seconds() / 3)
            try:
                await asyncio.to_thread(self.store.renew, job)
            except SQLAlchemyError as error:
                _log.warning("job %s: the lease could not be renewed: %s", job.id, error)

    async def _sweep(self) -> None:
        if monotonic() - self._swept > _SWEEPS_EVERY:
            self._swept = monotonic()
            await asyncio.to_thread(self.sweep)

    def sweep(self) -> None:
        """Remove what has been kept long enough: jobs that ended, answers under keys, uploads left behind; blocks."""
        self.keys.forget_old()
        for job_id in self.store.finished_before(datetime.now(UTC) - self.keep):
            self.files.remove(job_id)
            self.store.remove(job_id)
        self.files.drop_uploads()


def next_chunk(rows: Iterator[InputRow], most: int, longest: int = CHUNK_BYTES) -> list[InputRow]:
    """Take the next rows: at most `most`, and no more once they have `longest` bytes; none at the end."""
    chunk: list[InputRow] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) >= most or size >= longest:
            break
    return chunk


def received(chunk: Sequence[InputRow], pictures: Pictures) -> tuple[list[InputRow], dict[int, tuple[Entry, ...]]]:
    """Take the pictures of a chunk in; return its rows, and the pictures by the place of their row. Blocks."""
    rows: list[InputRow] = []
    entries: dict[int, tuple[Entry, ...]] = {}
    for index, row in enumerate(chunk):
        given = row.given
        if row.pictures and isinstance(given, Listing):
            given, entries[index] = pictures.receive(given, row.pictures)
        rows.append(replace(row, given=given, pictures=()))
    return rows, entries


def _answered(
    chunk: Sequence[InputRow],
    outcomes: Sequence[Outcome],
    explain: Detail,
    entries: Mapping[int, tuple[Entry, ...]],
) -> list[Answered]:
    accepted = ((i, row.given) for i, row in enumerate(chunk) if isinstance(row.given, Listing))
    return [
        Answered(listing, outcome, explain, entries.get(i, ()))
        for (i, listing), outcome in zip(accepted, outcomes, strict=True)
        if isinstance(outcome, Assessment)
    ]

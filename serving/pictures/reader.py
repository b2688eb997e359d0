"""Reads pictures behind the calls, and has their listings assessed again with the words that were found.

A reading is a row that a worker holds by a lease: after a crash it goes on, here or elsewhere, with the pictures that
were not read yet. Its end, the new assessment, the reviewer's item and the event are kept in one transaction.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from models.classifier.classifier import Detail
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Caption, Listing
from models.pictures.decoding import Picture
from models.pictures.identity import fingerprint
from models.pictures.isolation import IsolatedDecoder
from serving.engine import Failure, InForce, Outcome
from serving.hooks.outbox import Outbox
from serving.pausing import outlived, pause, taken
from serving.pictures.entries import Entry, Reading, as_kept, with_captions
from serving.pictures.fetching import Fetcher
from serving.pictures.files import PictureFiles
from serving.pictures.known import KnownPictures
from serving.pictures.store import MOST_ATTEMPTS, PictureStore
from serving.store.assessments import Answered, AssessmentStore, StoredAssessment
from serving.store.database import writing

_log = logging.getLogger("hazardlens.pictures")
_LOOKS_EVERY = 1.0
_SWEEPS_EVERY = 60.0
_AFTER_FAILURE = 5.0

Assess = Callable[[Sequence[Listing], Detail, InForce], Awaitable[list[Outcome]]]
Captioners = Callable[[Picture, Sequence[str]], list[Caption]]
"""A picture and the words that came with it -> its captions; a captioner that failed says so in one."""
Count = Callable[[str], None]
"""Notes that a picture was read, or how it failed: ``read``, ``unreadable``, ``not_fetched``."""


class LostError(Exception):
    """The reading is another worker's now."""


@dataclass(frozen=True)
class Engine:
    """What a reader assesses with.

    Parameters
    ----------
    assess : callable
    in_force : callable
        Gives what decides now.
    """

    assess: Assess
    in_force: Callable[[], InForce]


@dataclass(frozen=True)
class Eyes:
    """What a reader reads with.

    Parameters
    ----------
    decoder : IsolatedDecoder
    fetcher : Fetcher
    known : KnownPictures
    captioners : callable
    """

    decoder: IsolatedDecoder
    fetcher: Fetcher
    known: KnownPictures
    captioners: Captioners


class PictureReader:
    """Works off the readings of a store, one at a time.

    Parameters
    ----------
    store : PictureStore
    files : PictureFiles
    assessments : AssessmentStore
    eyes : Eyes
    keep : timedelta
        How long a clean copy of a picture is kept; nothing keeps none.
    count : callable
    """

    def __init__(
        self,
        store: PictureStore,
        files: PictureFiles,
        assessments: AssessmentStore,
        eyes: Eyes,
        keep: dt.timedelta,
        count: Count,
    ) -> None:
        self.store, self.files, self.assessments, self.eyes = store, files, assessments, eyes
        self.keep, self.count = keep, count
        self.backlog = 0
        self._engine: Engine | None = None
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._swept = float("-inf")
        self._ending = threading.Event()

    def begin(self, engine: Engine) -> None:
        """Start working; returns at once."""
        self._engine = engine
        self._task = asyncio.create_task(self._run(), name="pictures")

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    async def end(self) -> None:
        """Stop; what is under way goes on after a restart, or elsewhere at once."""
        self._ending.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await asyncio.to_thread(self.eyes.decoder.close)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            await pause(self._woken, await outlived(self._round(), _log, "pictures", _AFTER_FAILURE))

    async def _round(self) -> float:
        """Work off one reading; where that breaks, whoever takes it goes on with the pictures that are left."""
        await self._sweep()
        self.backlog = await asyncio.to_thread(self.store.backlog)
        reading = await taken(self.store.claim, self._put_back)
        if reading is None:
            return _LOOKS_EVERY
        await self._work(reading)
        return 0.0

    def _put_back(self, reading: Reading | None) -> None:
        if reading is not None:
            self.store.release(reading)

    async def _work(self, reading: Reading) -> None:
        renewing = asyncio.create_task(self._renew(reading))
        try:
            entries = await self._read_all(reading)
            await self._assess_again(reading, entries)
        except LostError:
            _log.info("reading %s was taken over", reading.id)
        except asyncio.CancelledError:
            await asyncio.to_thread(self.store.release, reading)
            raise
        finally:
            renewing.cancel()

    async def _renew(self, reading: Reading) -> None:
        """Hold the reading while its pictures take long."""
        while True:
            await asyncio.sleep(self.store.lease.total_seconds() / 3)
            try:
                await asyncio.to_thread(self.store.renew, reading)
            except SQLAlchemyError as error:
                _log.warning("reading %s: the lease could not be renewed: %s", reading.id, error)

    # ---- the pictures

    async def _read_all(self, reading: Reading) -> list[Entry]:
        found = []
        for entry in await asyncio.to_thread(self.store.entries, reading.id):
            if entry.state != "waiting":
                found.append(entry)
                continue
            if reading.attempts > MOST_ATTEMPTS:
                done = entry.failed(f"the server broke off {MOST_ATTEMPTS} times while this was read", _now())
            else:
                done = await self._read(entry)
            await asyncio.to_thread(self.store.note, done)
            found.append(done)
        return found

    async def _read(self, entry: Entry) -> Entry:
        """Return a picture as it was read, or why it was not."""
        try:
            data = await self._bytes(entry)
        except InputError as error:
            self.count("not_fetched")
            return entry.failed(str(error), _now())
        try:
            done = await asyncio.to_thread(self._seen, entry, data)
        except InputError as error:
            self.count("unreadable")
            return entry.failed(str(error), _now())
        self.count("read")
        return done

    async def _bytes(self, entry: Entry) -> bytes:
        if entry.url is not None:
            return await self.eyes.fetcher.fetch(entry.url)
        try:
            return await asyncio.to_thread(self.files.waiting, str(entry.sha256))
        except FileNotFoundError as error:
            raise InputError("its bytes are not kept any more", hint="send the picture again") from error

    def _seen(self, entry: Entry, data: bytes) -> Entry:
        picture = self.eyes.decoder.decode(data)
        looks = fingerprint(picture.image)
        if self._ending.is_set():  # captioners may take a minute, and nobody waits for them any more
            raise LostError
        captions = self.eyes.captioners(picture, [entry.alt] if entry.alt else [])
        if self.keep:
            self.files.keep(picture.sha256, picture.image)
        return replace(
            entry,
            sha256=picture.sha256,
            state="read",
            error=None,
            format=picture.format,
            width=picture.width,
            height=picture.height,
            hashes=looks.texts,
            captions=as_kept(captions),
            matches=self.eyes.known.matches(looks),
            read_at=_now(),
        )

    # ---- the listing

    async def _assess_again(self, reading: Reading, entries: Sequence[Entry]) -> None:
        failures = sum(entry.state == "failed" for entry in entries)
        before, superseded = await asyncio.to_thread(self._before, reading)
        news = any(entry.captions or entry.matches for entry in entries)
        if before is None or superseded or not news or reading.attempts > MOST_ATTEMPTS:
            await asyncio.to_thread(self._finish_as_it_is, reading, failures, before is not None and not news)
            return
        assert self._engine is not None
        listing = with_captions(Listing.model_validate(before.listing), entries)
        outcome = (await self._engine.assess([listing], "none", self._engine.in_force()))[0]
        if isinstance(outcome, Failure):
            _log.error("reading %s: the listing could not be assessed again", reading.id)
            await asyncio.to_thread(self._finish_as_it_is, reading, failures, False)
            return
        await asyncio.to_thread(self._keep, reading, failures, before, Answered(listing, outcome))

    def _before(self, reading: Reading) -> tuple[StoredAssessment | None, bool]:
        """Return the assessment that the pictures came with, and whether the listing says something else by now."""
        before = self.assessments.get(reading.assessment_id)
        newest = self.assessments.of_listing(reading.listing_id, 1)
        if before is None or not newest or newest[0].created_at <= before.created_at:
            return before, False
        return before, _as_written(newest[0].listing) != _as_written(before.listing)

    def _finish_as_it_is(self, reading: Reading, failures: int, stands: bool) -> None:
        outcome = reading.assessment_id if stands else None
        with writing(self.store.engine) as connection:
            self.store.finish(connection, reading, failures, outcome)

    def _keep(self, reading: Reading, failures: int, before: StoredAssessment, after: Answered) -> None:
        change = change_between(before.assessment, after.assessment)

        def also(connection: Connection) -> None:
            if not self.store.finish(connection, reading, failures, after.assessment.id, change):
                raise LostError
            if change is not None:
                body = {"listing_id": reading.listing_id, "because": "pictures", **change}
                key, subject = f"{reading.id}:{after.assessment.id}", f"listing:{reading.listing_id}"
                Outbox.put(connection, "listing.reassessed", key, body, subject=subject)

        self.assessments.save([after], also)

    # ---- what is kept

    async def _sweep(self) -> None:
        if monotonic() - self._swept > _SWEEPS_EVERY:
            self._swept = monotonic()
            await asyncio.to_thread(self.sweep)

    def sweep(self) -> None:
        """Remove what has been kept long enough, and follow what reviewers decided; blocks."""
        self.eyes.known.follow_decisions()
        self.eyes.known.follow_judgements()
        settled = self.files.settled()
        self.files.drop_waiting(set(settled) - self.store.awaited(settled))
        self.files.drop_copies(self.keep.total_seconds())


def change_between(before: Mapping[str, Any], after: Assessment) -> dict[str, Any] | None:
    """Return what another assessment of a listing changed: level, hazards, action; None where all of them stand."""
    old, new = _summary(before), _summary(after.model_dump(mode="json"))
    if all(old[name] == new[name] for name in ("level", "action", "hazards")):
        return None
    return {"before": old, "after": new}


def _summary(assessment: Mapping[str, Any]) -> dict[str, Any]:
    decision = assessment["decision"]
    return {
        "assessment_id": assessment["id"],
        "level": decision["level"] or assessment["risk_level"],
        "action": decision["action"],
        "hazards": [hazard["risk_type"] for hazard in assessment["hazards"] if hazard["flagged"]],
        "risk_score": assessment["risk_score"],
    }


def _as_written(listing: Mapping[str, Any]) -> dict[str, Any]:
    """Return a listing without the words that were found in its pictures."""
    captions = [each for each in listing.get("captions") or [] if not (isinstance(each, dict) and each.get("picture"))]
    return {name: value for name, value in listing.items() if name != "captions"} | {"captions": captions}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

"""Jobs from Python: submit a long list, follow it, take its rows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Literal
from urllib.parse import quote

from hazardlens.client_errors import DeadlineError, JobFailedError
from hazardlens.client_items import GivenListing, Outcome, listing_json, outcome_of
from hazardlens.connection import Connection
from models.domain.assessment import Tiers
from models.domain.errors import InputError
from serving.api.job_schemas import JobAnswer, Priority
from serving.api.schemas import ListingResult

JobDetail = Literal["none", "tokens"]
_NDJSON = "application/x-ndjson"
_KINDS = {
    ".jsonl": _NDJSON,
    ".ndjson": _NDJSON,
    ".arrow": "application/vnd.apache.arrow.stream",
    ".arrows": "application/vnd.apache.arrow.stream",
    ".parquet": "application/vnd.apache.parquet",
}
_SLOWEST = 1_000_000
"""Bytes a second: an upload has so much more time than other requests."""
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 5.0
"""Seconds between two looks at a job: twice as long each time."""


@dataclass(frozen=True)
class Upload:
    """Listings as they are sent.

    Parameters
    ----------
    file : binary file
    size : int
        Bytes.
    kind : str
        Content type.
    """

    file: BinaryIO
    size: int
    kind: str


class Job:
    """A job on the server; `Client.submit` and `Client.job` make them.

    Parameters
    ----------
    connection : Connection
    job_id : str
    """

    def __init__(self, connection: Connection, job_id: str) -> None:
        self.id = job_id
        self._connection = connection
        self._path = f"/v1/jobs/{quote(job_id, safe='')}"

    def __repr__(self) -> str:
        """Name it."""
        return f"<Job {self.id}>"

    def state(self) -> JobAnswer:
        """Return its state, how far it has come, and the versions of its rows.

        Raises
        ------
        NotFoundError
            If the server has none of that id, or no longer.
        """
        return self._connection.ask("GET", self._path, JobAnswer)

    def wait(self, timeout: float | None = None) -> JobAnswer:
        """Return what it came to, once it has ended: "done" or "cancelled".

        Parameters
        ----------
        timeout : float, optional
            Seconds; without it there is no end to the waiting.

        Raises
        ------
        DeadlineError
            If it has not ended by then; it goes on.
        JobFailedError
            If it failed; the rows until then are its results.
        """
        end = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_LOOK
        while not (job := self.state()).finished_at:
            left = pause if end is None else end - time.monotonic()
            if left <= 0:
                raise DeadlineError(
                    f"job {self.id} is {job.state} after {timeout:g} s, with {job.progress.read:,} of"
                    f" {job.progress.total:,} rows"
                )
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_LOOK)
        if job.state == "failed":
            raise JobFailedError(f"job {self.id}: {job.failure}")
        return job

    def results(self, partial: bool = False) -> Iterator[Outcome]:
        """Yield one outcome a listing, in the order of the upload, as they come over the line.

        A download that breaks off is taken up where it was.

        Parameters
        ----------
        partial : bool
            Also of a job that has not ended: the rows there are.

        Raises
        ------
        InvalidRequestError
            With status 409 if it has not ended.
        """
        params = {"format": "jsonl", "partial": "true" if partial else "false"}
        for row in self._connection.rows(f"{self._path}/result", ListingResult, params):
            yield outcome_of(row)

    def cancel(self) -> JobAnswer:
        """Stop it; the rows it has are its results. One that has ended stays as it is."""
        return self._connection.ask("POST", f"{self._path}/cancel", JobAnswer)


@contextmanager
def upload_of(listings: Iterable[GivenListing] | str | Path) -> Iterator[Upload]:
    """Open a file of listings, or write listings to a temporary one.

    Raises
    ------
    InputError
    """
    if not isinstance(listings, str | Path):
        with TemporaryFile() as file:
            for index, listing in enumerate(listings):
                file.write(listing_json(listing, index) + b"\n")
            yield Upload(file, file.tell(), _NDJSON)
        return
    path = Path(listings)
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise InputError("has no known ending", place=str(path), hint=f"known are {', '.join(_KINDS)}")
    try:
        opened = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", place=str(path)) from error
    with opened:
        yield Upload(opened, path.stat().st_size, kind)


def submitted(
    connection: Connection,
    upload: Upload,
    explain: JobDetail,
    store: bool,
    priority: Priority,
    tiers: Tiers | None,
    key: str | None,
) -> Job:
    """Submit an upload, under one key however often it is sent."""
    patience = connection.patience
    answer = connection.ask(
        "POST",
        "/v1/jobs",
        JobAnswer,
        content=upload.file,
        params={"explain": explain, "store": "true" if store else "false", "priority": priority}
        | ({} if tiers is None else {"tiers": tiers}),
        headers={"Content-Type": upload.kind, "Idempotency-Key": key or uuid.uuid4().hex},
        patience=replace(patience, deadline=patience.deadline + upload.size / _SLOWEST),
    )
    return Job(connection, answer.id)

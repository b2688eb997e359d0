"""The Python client of the scoring API."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, overload
from urllib.parse import quote

import httpx

from hazardlens.client_errors import ClientError, InvalidRequestError, ItemError, UnexpectedAnswerError
from hazardlens.client_items import GivenListing, Outcome, listing_json, outcome_of
from hazardlens.client_jobs import Job, JobDetail, submitted, upload_of
from hazardlens.connection import Connection
from hazardlens.retrying import Patience, send
from hazardlens.trace_context import carry_trace
from models.domain.assessment import Assessment, Tiers
from models.domain.explanation import Explanation
from models.domain.listing import Listing
from serving.api.job_schemas import Priority
from serving.api.schemas import AssessmentAnswer, ModelAnswer, StoredAnswer

Detail = Literal["none", "tokens", "full"]

PART = 1_000
"""Most listings in one request: the server's limit."""
PART_FULL = 100
"""The same with ``explain="full"``."""
PART_BYTES = 16_000_000
"""Longest body: the server takes 20 MB."""


class Client:
    """Talks to a hazardlens server; may be shared between threads.

    Parameters
    ----------
    base_url : str
        Address of the server, e.g. ``http://127.0.0.1:8000``.
    api_key : str, optional
        Sent as ``Authorization: Bearer``; by default what HAZARDLENS_API_KEY holds.
    timeout : float
        Seconds that one attempt may wait for the server.
    retries : int
        Attempts after the first, on lost connections and on the statuses 429, 502, 503 and 504; the wait doubles each
        time, with jitter, and follows ``Retry-After``. Other refusals are never repeated.
    deadline : float
        Seconds for a request with all its attempts. A list that is sent in parts has it for each part.

    Examples
    --------
    >>> with Client("http://127.0.0.1:8000") as client:                              # doctest: +SKIP
    ...     client.assess({"id": "1", "title": "Laser pointer 5000 mW"}).risk_level
    <RiskLevel.SERIOUS: 'serious'>
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 4,
        deadline: float = 180.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        patience = Patience(timeout=timeout, retries=retries, deadline=deadline)
        headers = {"Accept": "application/json", "User-Agent": "hazardlens-client"}
        key = api_key if api_key is not None else os.environ.get("HAZARDLENS_API_KEY", "").strip()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.Client(base_url=self.base_url, headers=headers, event_hooks={"request": [carry_trace]})
        self._connection = Connection(self._http, patience)

    @overload
    def assess(self, listings: GivenListing, explain: Detail = "none") -> Assessment: ...

    @overload
    def assess(self, listings: Sequence[GivenListing], explain: Detail = "none") -> list[Outcome]: ...

    def assess(
        self, listings: GivenListing | Sequence[GivenListing], explain: Detail = "none"
    ) -> Assessment | list[Outcome]:
        """Assess one listing or many.

        Parameters
        ----------
        listings : Listing, mapping, or sequence of them
            A long list is sent in parts.
        explain : {"none", "tokens", "full"}
            How much of the explanation comes with each assessment.

        Returns
        -------
        Assessment or list
            For a list one outcome each, in order: an `Assessment`, or the `ItemError` of a listing that the server
            did not accept.

        Raises
        ------
        ItemError
            If a single listing is not accepted.
        ClientError
            If a request fails as a whole; see `hazardlens.client_errors`.
        """
        if isinstance(listings, Listing | Mapping):
            outcome = self._assess_all([listings], explain)[0]
            if isinstance(outcome, ItemError):
                raise outcome
            return outcome
        return self._assess_all(listings, explain)

    def assessment(self, assessment_id: str) -> StoredAnswer:
        """Return a kept assessment with its listing and its time.

        Raises
        ------
        NotFoundError
            If the server has none of that id.
        """
        return self._connection.ask("GET", f"/v1/assessments/{quote(assessment_id, safe='')}", StoredAnswer)

    def explanation(self, assessment_id: str, detail: Literal["tokens", "full"] = "full") -> Explanation:
        """Return why a kept assessment says what it says.

        Raises
        ------
        NotFoundError
            If the server has none of that id.
        ClientError
            With status 409 if another model is in force than the one that assessed.
        """
        path = f"/v1/assessments/{quote(assessment_id, safe='')}/explanation"
        return self._connection.ask("GET", path, Explanation, params={"detail": detail})

    def submit(
        self,
        listings: Iterable[GivenListing] | str | Path,
        explain: JobDetail = "none",
        *,
        store: bool = True,
        priority: Priority = "normal",
        tiers: Tiers | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit a long list as a job, which the server works off behind the calls that somebody waits for.

        The request has an `Idempotency-Key`, so that it makes one job however often it has to be sent.

        Parameters
        ----------
        listings : iterable of Listing or mapping, or path
            A path names JSON Lines (.jsonl, .ndjson), Arrow (.arrow, .arrows) or Parquet (.parquet), and is sent as it
            is. Other listings are written to a temporary file as they come, so they need not fit in memory.
        explain : {"none", "tokens"}
            How much of the explanation comes with each assessment.
        store : bool
            Whether the server keeps the assessments, as it keeps those of `assess`.
        priority : {"low", "normal", "high"}
            Before which other jobs it goes.
        tiers : {"full", "two"}, optional
            ``two`` lets the model's screen answer where it may, without explanations; by default as the server is set.
        idempotency_key : str, optional
            Made anew for each call by default. One of your own, such as ``nightly-2026-11-26``, lets a program that was
            started again find the job that it submitted before.

        Raises
        ------
        InputError
            If the file cannot be read or its ending is not known, or a listing cannot be written as JSON.
        ClientError
            If the request fails; see `hazardlens.client_errors`.
        """
        with upload_of(listings) as upload:
            return submitted(self._connection, upload, explain, store, priority, tiers, idempotency_key)

    def job(self, job_id: str) -> Job:
        """Return a job that was submitted before; asks nothing yet."""
        return Job(self._connection, job_id)

    def model(self) -> ModelAnswer:
        """Return what the server answers with: versions, labels, metrics, plan, limits."""
        return self._connection.ask("GET", "/v1/model", ModelAnswer)

    def ready(self) -> bool:
        """Tell whether the server would assess a listing now; asks once and does not wait."""
        try:
            send(self._http, replace(self._connection.patience, retries=0), "GET", "/readyz")
        except ClientError:
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _assess_all(self, listings: Sequence[GivenListing], explain: Detail) -> list[Outcome]:
        texts = [listing_json(listing, index) for index, listing in enumerate(listings)]
        outcomes: list[Outcome] = []
        for part in parts(texts, PART_FULL if explain == "full" else PART, PART_BYTES):
            outcomes += self._assess_part(part, explain, len(outcomes))
        return outcomes

    def _assess_part(self, texts: Sequence[bytes], explain: Detail, start: int) -> list[Outcome]:
        body = b'{"listings":[' + b",".join(texts) + b"]}"
        try:
            answer = self._connection.ask(
                "POST", "/v1/assessments", AssessmentAnswer, content=body, params={"explain": explain}
            )
        except InvalidRequestError as error:
            if error.status != 413 or len(texts) == 1:
                raise
            # This server is set to take less in one request than is usual.
            half = len(texts) // 2
            first = self._assess_part(texts[:half], explain, start)
            return first + self._assess_part(texts[half:], explain, start + half)
        if [result.index for result in answer.results] != list(range(len(texts))):
            found = f"{len(texts)} listings were sent, {len(answer.results)} results came, or their order differs"
            raise UnexpectedAnswerError(found)
        return [outcome_of(result, start) for result in answer.results]


def parts(texts: Sequence[bytes], most: int, longest: int) -> Iterator[Sequence[bytes]]:
    """Cut a list into parts of at most `most` items and, together, `longest` bytes; a longer item stands alone.

    Examples
    --------
    >>> list(parts([b"12", b"34", b"567890", b"1"], most=3, longest=5))
    [[b'12', b'34'], [b'567890'], [b'1']]
    """
    begin, size = 0, 0
    for i, text in enumerate(texts):
        if i > begin and (i - begin == most or size + len(text) > longest):
            yield texts[begin:i]
            begin, size = i, 0
        size += len(text)
    if begin < len(texts):
        yield texts[begin:]

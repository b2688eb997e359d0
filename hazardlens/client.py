"""The Python client of the scoring API."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, overload
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from hazardlens.client_errors import ClientError, InvalidRequestError, ItemError, UnexpectedAnswerError
from hazardlens.retrying import Patience, send
from hazardlens.trace_context import carry_trace
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.explanation import Explanation
from models.domain.listing import Listing
from serving.api.schemas import AssessmentAnswer, ListingResult, ModelAnswer, StoredAnswer

Detail = Literal["none", "tokens", "full"]
GivenListing = Listing | Mapping[str, Any]
Outcome = Assessment | ItemError

PART = 1_000
"""Most listings in one request: the server's limit."""
PART_FULL = 100
"""The same with ``explain="full"``."""
PART_BYTES = 16_000_000
"""Longest body: the server takes 20 MB."""

_Answer = TypeVar("_Answer", bound=BaseModel)


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
        self._patience = Patience(timeout=timeout, retries=retries, deadline=deadline)
        headers = {"Accept": "application/json", "User-Agent": "hazardlens-client"}
        key = api_key if api_key is not None else os.environ.get("HAZARDLENS_API_KEY", "").strip()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.Client(base_url=self.base_url, headers=headers, event_hooks={"request": [carry_trace]})

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
        return self._get(f"/v1/assessments/{quote(assessment_id, safe='')}", StoredAnswer)

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
        return self._ask("GET", path, Explanation, params={"detail": detail})

    def model(self) -> ModelAnswer:
        """Return what the server answers with: versions, labels, metrics, plan, limits."""
        return self._get("/v1/model", ModelAnswer)

    def ready(self) -> bool:
        """Tell whether the server would assess a listing now; asks once and does not wait."""
        try:
            send(self._http, replace(self._patience, retries=0), "GET", "/readyz")
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
        texts = [_listing_json(listing, index) for index, listing in enumerate(listings)]
        outcomes: list[Outcome] = []
        for part in parts(texts, PART_FULL if explain == "full" else PART, PART_BYTES):
            outcomes += self._assess_part(part, explain, len(outcomes))
        return outcomes

    def _assess_part(self, texts: Sequence[bytes], explain: Detail, start: int) -> list[Outcome]:
        body = b'{"listings":[' + b",".join(texts) + b"]}"
        try:
            answer = self._ask("POST", "/v1/assessments", AssessmentAnswer, content=body, params={"explain": explain})
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
        return [_outcome(result, start) for result in answer.results]

    def _get(self, path: str, kind: type[_Answer]) -> _Answer:
        return self._ask("GET", path, kind)

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[_Answer],
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> _Answer:
        answer = send(self._http, self._patience, method, path, content=content, params=params)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            raise UnexpectedAnswerError(f"{method} {self.base_url}{path}: {place}: {first['msg']}") from error


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


def _listing_json(listing: GivenListing, index: int) -> bytes:
    if isinstance(listing, Listing):
        return listing.model_dump_json(exclude_defaults=True).encode()
    try:
        # Escaped, since half a character cannot be encoded; the server refuses that listing alone.
        return json.dumps(dict(listing), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"cannot be written as JSON: {error}", place=f"listing {index}") from error


def _outcome(result: ListingResult, start: int) -> Outcome:
    if result.assessment is not None:
        return result.assessment
    if result.error is None:
        raise UnexpectedAnswerError(f"result {result.index} holds neither an assessment nor an error")
    return ItemError(start + result.index, result.listing_id, result.error)

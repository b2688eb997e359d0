"""One HTTP request, tried again where that can help and only as long as the deadline allows."""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import BinaryIO

import httpx
from pydantic import ValidationError

from hazardlens.client_errors import (
    ClientError,
    ConnectionFailedError,
    DeadlineError,
    ProblemError,
    UnexpectedAnswerError,
    error_of,
)
from serving.api.problems import KEY_IN_USE, NO_SUCH_RANGE, Problem

_LOG = logging.getLogger(__name__)

RETRIED = frozenset({429, 502, 503, 504})
"""Statuses after which asking again can help; every request of the API may be repeated without harm."""


@dataclass(frozen=True)
class Patience:
    """How long, and how often, a request is tried.

    Parameters
    ----------
    timeout : float
        Seconds that one attempt may wait for the server.
    retries : int
        Attempts after the first.
    deadline : float
        Seconds for a request with all its attempts and the waits between them.
    base, longest : float
        Seconds: the first back-off is at most `base`, each next one at most twice the one before, none above
        `longest`.
    """

    timeout: float = 60.0
    retries: int = 4
    deadline: float = 180.0
    base: float = 0.5
    longest: float = 20.0

    def __post_init__(self) -> None:
        if min(self.timeout, self.deadline, self.base, self.longest) <= 0 or self.retries < 0:
            raise ValueError(f"{self}: times must be above 0, retries at least 0")

    def back_off(self, attempt: int) -> float:
        """Return the wait after an attempt (the first is 0): random between half of its bound and the bound.

        The jitter keeps clients that were refused together from coming back together.
        """
        bound = min(self.longest, self.base * 2.0 ** min(attempt, 30))
        return bound * random.uniform(0.5, 1.0)


Body = bytes | BinaryIO
"""A file is sent from its beginning at each attempt, a piece at a time."""


@dataclass(frozen=True)
class Answer:
    """The body of an answer that went well, or whose status the caller wants to see."""

    status: int
    content: bytes


def send(
    http: httpx.Client,
    patience: Patience,
    method: str,
    path: str,
    *,
    content: Body | None = None,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send a request until it is answered; a body is JSON, unless the headers say otherwise.

    Raises
    ------
    ConnectionFailedError, DeadlineError, ProblemError
        When there is no answer, or the answer is a refusal that another attempt does not change.
    """
    end = time.monotonic() + patience.deadline
    for attempt in range(patience.retries + 1):
        last = attempt == patience.retries
        failure, asked = _attempt(http, patience, end, method, path, content, params, headers)
        if isinstance(failure, Answer):
            return failure
        if last or not _worth_another(failure):
            raise failure
        wait = patience.back_off(attempt) if asked is None else max(asked, 0.0)
        if time.monotonic() + wait >= end:
            late = f"{method} {path}: the next attempt in {wait:.1f} s would pass the deadline; {failure}"
            raise DeadlineError(late) from failure
        _LOG.info("%s %s: %s; attempt %d follows in %.2f s", method, path, failure, attempt + 2, wait)
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def lines(http: httpx.Client, patience: Patience, path: str, params: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the lines of a long answer as they come; one that breaks off is taken up behind its last whole line.

    The deadline does not bound it, since who takes the lines may take their time. Attempts are counted anew after each
    line that came.

    Raises
    ------
    ConnectionFailedError, ProblemError, UnexpectedAnswerError
    """
    done = attempt = 0
    while True:
        try:
            for line in _lines_from(http, patience, path, params, done):
                done, attempt = done + len(line) + 1, 0
                yield line
            return
        except (ConnectionFailedError, ProblemError) as failure:
            if done and isinstance(failure, ProblemError) and failure.problem.name == NO_SUCH_RANGE.name:
                return  # it broke off behind its last line
            if attempt == patience.retries or not _worth_another(failure):
                raise
            asked = failure.retry_after if isinstance(failure, ProblemError) else None
            wait = patience.back_off(attempt) if asked is None else asked
            _LOG.info("GET %s: %s; it goes on from byte %d in %.2f s", path, failure, done, wait)
        attempt += 1
        time.sleep(wait)


def _lines_from(
    http: httpx.Client, patience: Patience, path: str, params: Mapping[str, str], start: int
) -> Iterator[bytes]:
    headers = {"Accept": "application/x-ndjson", "Accept-Encoding": "identity"}  # positions are those of plain bytes
    if start:
        headers["Range"] = f"bytes={start}-"
    rest = b""
    try:
        with http.stream("GET", path, params=params, headers=headers, timeout=patience.timeout) as response:
            if not response.is_success:
                raise _refusal(response, response.read(), path)
            if start and response.status_code != httpx.codes.PARTIAL_CONTENT:
                raise UnexpectedAnswerError(f"GET {path}: the bytes after {start:,} were asked for, all of them came")
            for piece in response.iter_bytes():
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise _broken(error, http, "GET", path) from error
    if rest:
        raise UnexpectedAnswerError(f"GET {path}: the last line has no end")


def _worth_another(failure: ClientError) -> bool:
    if isinstance(failure, ProblemError):
        return failure.status in RETRIED or failure.problem.name == KEY_IN_USE.name
    return isinstance(failure, ConnectionFailedError)


def _attempt(
    http: httpx.Client,
    patience: Patience,
    end: float,
    method: str,
    path: str,
    content: Body | None,
    params: Mapping[str, str] | None,
    given: Mapping[str, str] | None,
) -> tuple[Answer | ClientError, float | None]:
    """Return what one attempt came to, and the wait that the server asks for."""
    left = end - time.monotonic()
    headers = {"Content-Type": "application/json"} if content is not None else {}
    headers.update(given or {})
    if content is not None and not isinstance(content, bytes):
        content.seek(0)
    try:
        with http.stream(
            method,
            path,
            content=content,
            params=params,
            headers=headers,
            timeout=max(0.001, min(patience.timeout, left)),
        ) as response:
            body = bytearray()
            # The timeout bounds each wait for bytes, not their sum: a server may drip.
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > end:
                    return DeadlineError(f"{method} {path}: the deadline of {patience.deadline:g} s has passed"), None
    except httpx.TransportError as error:
        failure = _broken(error, http, method, path)
        if isinstance(failure, ConnectionFailedError) and time.monotonic() >= end:
            reason = f"the deadline of {patience.deadline:g} s has passed; {str(error) or type(error).__name__}"
            return DeadlineError(f"{method} {path}: {reason}"), None
        return failure, None
    except httpx.DecodingError as error:
        return _broken(error, http, method, path), None
    if response.is_success:
        return Answer(response.status_code, bytes(body)), None
    refusal = _refusal(response, bytes(body), path)
    return refusal, refusal.retry_after


def _broken(error: httpx.RequestError, http: httpx.Client, method: str, path: str) -> ClientError:
    """Return the failure for an answer that did not come, or not whole."""
    if isinstance(error, httpx.DecodingError):
        return ConnectionFailedError(f"{method} {path}: the answer cannot be unpacked: {error}")
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return ClientError(f"{method} {path}: {reason}")
    return ConnectionFailedError(f"{method} {http.base_url}{path.lstrip('/')}: {reason}")


def _refusal(response: httpx.Response, body: bytes, path: str) -> ProblemError:
    asked = retry_after(response.headers.get("Retry-After"))
    return error_of(_problem(response.status_code, body, path), asked)


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, given as a number or as a date; None where there is none.

    Examples
    --------
    >>> retry_after("2"), retry_after(None), retry_after("soon")
    (2.0, None, None)
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


def _problem(status: int, body: bytes, path: str) -> Problem:
    """Return the server's problem details; something in between, such as a proxy, may answer without any."""
    try:
        return Problem.model_validate_json(body)
    except ValidationError:
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Refused"
        detail = body[:200].decode("utf-8", "replace").strip()
        return Problem(type="about:blank", title=title, status=status, detail=detail, instance=path)

"""Captions from a service over HTTP: asked again where that helps, within a budget, left in peace while it is down."""

from __future__ import annotations

import io
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import orjson

from models.captioning.captioner import CaptioningError, PictureToRead
from models.domain.listing import LIMITS, Caption, repaired

_RETRIED = frozenset({429, 500, 502, 503, 504})
_MOST_ANSWER_BYTES = 1_000_000
_MOST_CAPTIONS = 10
_DAY = 86_400.0
_QUALITY = 90


@dataclass(frozen=True)
class RemoteLimits:
    """How a service is treated.

    Parameters
    ----------
    seconds : float
        For a picture, all attempts and the waits between them included.
    attempts : int
        Attempts at one picture.
    a_day : int
        Requests in 24 hours, attempts counted one by one; 0 is no limit.
    failures : int
        Failures in a row after which it is left in peace.
    rest_seconds : float
        For how long; then one picture tries it.
    """

    seconds: float = 30.0
    attempts: int = 3
    a_day: int = 10_000
    failures: int = 5
    rest_seconds: float = 60.0


class RemoteCaptioner:
    """Sends a picture as JPEG in the body of a POST and reads captions from the JSON that comes back.

    The answer is ``{"captions": [{"text": ..., "confidence": ...}]}``, the confidence optional, or what services of
    image-to-text models answer, ``[{"generated_text": ...}]``.

    Parameters
    ----------
    url : str
    token : str
        Sent as bearer token; empty sends none.
    limits : RemoteLimits
    clock : callable
        Seconds that only grow.
    """

    source = "caption"

    def __init__(
        self,
        url: str,
        token: str = "",
        limits: RemoteLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.limits = limits or RemoteLimits()
        self.key = f"remote {url}"
        self._headers = {"Content-Type": "image/jpeg", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: deque[float] = deque()
        self._failures = 0
        self._resting_until = 0.0

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:  # noqa: ARG002
        """Return the captions that the service writes.

        Raises
        ------
        CaptioningError
            Where it gives none in time, refuses, or is not asked: its budget is spent or it is left in peace.
        """
        self._enter()
        try:
            found = self._asked(_jpeg(picture))
        except _SpentError:
            raise
        except CaptioningError:
            self._failed()
            raise
        with self._lock:
            self._failures, self._resting_until = 0, 0.0
        return found

    def _enter(self) -> None:
        with self._lock:
            now = self._clock()
            if now < self._resting_until:
                raise CaptioningError(f"the service failed {self.limits.failures} times in a row and is left in peace")
            if self._resting_until:
                # One picture tries it; the others wait for what comes of that.
                self._resting_until = now + self.limits.rest_seconds

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self.limits.failures:
                self._resting_until = self._clock() + self.limits.rest_seconds

    def _asked(self, body: bytes) -> list[Caption]:
        deadline = self._clock() + self.limits.seconds
        why = "no attempt was made"
        with httpx.Client(headers=self._headers, follow_redirects=False) as client:
            for attempt in range(self.limits.attempts):
                self._spend()
                try:
                    return self._attempt(client, body, deadline)
                except _AgainError as error:
                    why = error.message
                    wait = error.after if error.after is not None else 0.5 * 2.0**attempt * random.uniform(0.5, 1.0)
                    if attempt + 1 == self.limits.attempts or self._clock() + wait >= deadline:
                        break
                    time.sleep(wait)
        raise CaptioningError(why)

    def _attempt(self, client: httpx.Client, body: bytes, deadline: float) -> list[Caption]:
        left = deadline - self._clock()
        try:
            with client.stream("POST", self.url, content=body, timeout=max(left, 0.01)) as answer:
                if answer.status_code in _RETRIED:
                    raise _AgainError(f"the service answered {answer.status_code}", _retry_after(answer))
                if answer.status_code != httpx.codes.OK:
                    raise CaptioningError(f"the service answered {answer.status_code}")
                return _captions(self._content(answer, deadline))
        except httpx.TimeoutException as error:
            raise CaptioningError(f"took more than {self.limits.seconds:g} s") from error
        except httpx.TransportError as error:
            raise _AgainError(f"the service cannot be reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise CaptioningError(f"the service's answer is unreadable: {type(error).__name__}") from error

    def _content(self, answer: httpx.Response, deadline: float) -> bytes:
        # A time limit on each read does not end an answer that comes drop by drop: each drop is looked at as it comes.
        content = bytearray()
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > _MOST_ANSWER_BYTES:
                raise CaptioningError(f"the service's answer has more than {_MOST_ANSWER_BYTES:,} bytes")
            if self._clock() > deadline:
                raise CaptioningError(f"took more than {self.limits.seconds:g} s")
        return bytes(content)

    def _spend(self) -> None:
        if not self.limits.a_day:
            return
        with self._lock:
            now = self._clock()
            while self._sent and self._sent[0] <= now - _DAY:
                self._sent.popleft()
            if len(self._sent) >= self.limits.a_day:
                raise _SpentError(f"the day's {self.limits.a_day:,} requests are spent")
            self._sent.append(now)


class _SpentError(CaptioningError):
    """The budget is spent, which is no failure of the service."""


class _AgainError(Exception):
    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.message, self.after = message, after


def _jpeg(picture: PictureToRead) -> bytes:
    stream = io.BytesIO()
    picture.image.convert("RGB").save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()


def _retry_after(answer: httpx.Response) -> float | None:
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else None


def _captions(content: bytes) -> list[Caption]:
    try:
        answer = orjson.loads(content)
        items = answer["captions"] if isinstance(answer, dict) else answer
        read = [(item.get("text", item.get("generated_text")), item.get("confidence", 1.0)) for item in items]
        return [
            Caption(text=repaired(text, LIMITS["caption"]), source="caption", confidence=confidence)
            for text, confidence in read[:_MOST_CAPTIONS]
            if text.strip()
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CaptioningError("the service's answer holds no captions") from error

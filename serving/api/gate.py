"""Lets requests in while there is time for them, and ends those that nobody waits for any more.

The gate stands before everything that costs: it looks at the path, three headers and the queue, and refuses before the
body is read. A request that is let in holds a place in the queue until it is read. It is watched: when its client
leaves or its deadline passes, it is cancelled, and its listings that still wait are dropped.
"""

from __future__ import annotations

import asyncio
import math

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.admission import Admission, Full, Refused
from serving.api.errors import answer_to
from serving.api.problems import DEADLINE, INVALID_PARAMETER, FieldError, ProblemError, shortened
from serving.services import Services

DEADLINE_HEADER = "X-Request-Timeout"
LONGEST_DEADLINE = 3_600.0
"""Seconds."""
_BODIES = 3
"""Bodies of the longest kind that may be in memory at once; short ones do not come near that."""
_SOON = 0.25
"""Seconds for which a place is held for a request that was let in: one that sends its body slowly blocks nobody."""
_ENDS, _PLACE = "deadline", "place"


class Gate:
    """ASGI middleware: who gets in, and for how long.

    Parameters
    ----------
    app : ASGIApp
    services : Services
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        works = _asks_for_work(scope)
        try:
            within = seconds_allowed(headers.get(DEADLINE_HEADER))
            size = self._size(headers) if works else 0
            self._require_room(works, size, within)
        except (ProblemError, Refused) as error:
            await (await answer_to(Request(scope), error))(scope, receive, send)
            return
        self._bytes += size
        self._services.in_work += 1
        if works and self._services.loaded is not None:
            scope["state"][_PLACE] = _Place(self._services.loaded.admission)
        try:
            if works or within is not None:
                await self._while_wanted(scope, receive, send, within)
            else:
                await self._app(scope, receive, send)
        finally:
            arrived(scope)
            self._services.in_work -= 1
            self._bytes -= size

    def _size(self, headers: Headers) -> int:
        most = self._services.settings.max_body_bytes
        announced = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
        return min(most, int(announced)) if announced.isdecimal() else most

    def _require_room(self, works: bool, size: int, within: float | None) -> None:
        """Raise if a request is not to be let in now; it was not read yet."""
        engine = self._services.loaded
        if self._services.draining:
            self._services.require_ready()
        if not works or engine is None:
            return
        engine.admission.require_a_short_queue()
        if within is not None:
            engine.admission.require_time(within)
        if self._bytes + size > _BODIES * self._services.settings.max_body_bytes:
            raise Full(f"Requests of {self._bytes:,} bytes are being worked on; there is no room for {size:,} more.", 1)

    async def _while_wanted(self, scope: Scope, receive: Receive, send: Send, within: float | None) -> None:
        loop = asyncio.get_running_loop()
        if within is not None:
            scope["state"][_ENDS] = loop.time() + within
        whole, started = asyncio.Event(), False

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                whole.set()
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        async def serve() -> None:
            await self._app(scope, receiving, sending)

        serving = loop.create_task(serve())
        leaving = loop.create_task(_left(whole, receive))
        try:
            await asyncio.wait({serving, leaving}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done() and not started:
                serving.cancel()
                await asyncio.wait({serving})
        finally:
            leaving.cancel()
            if not serving.done() and not started:
                serving.cancel()
        if not serving.cancelled():
            await serving  # an answer that has begun is sent to its end
        elif leaving.done() and not leaving.cancelled():
            raise ClientDisconnect
        else:
            await (await answer_to(Request(scope), _too_late(within)))(scope, receive, send)


class _Place:
    """A place in the queue of a request that is not read yet."""

    def __init__(self, admission: Admission) -> None:
        self._admission, self._ticket = admission, admission.expect()
        self._timer = asyncio.get_running_loop().call_later(_SOON, admission.arrived, self._ticket)

    def leave(self) -> None:
        """Let go of it."""
        self._timer.cancel()
        self._admission.arrived(self._ticket)


def arrived(scope: Scope) -> None:
    """Let go of the place that is held for a request: it has been read, and stands in the queue by itself now."""
    place: _Place | None = scope.get("state", {}).pop(_PLACE, None)
    if place is not None:
        place.leave()


def seconds_left(scope: Scope) -> float | None:
    """Return the seconds until the deadline of a request, None where it has none."""
    ends = scope.get("state", {}).get(_ENDS)
    return None if ends is None else max(0.0, float(ends) - asyncio.get_running_loop().time())


def seconds_allowed(header: str | None) -> float | None:
    """Return the seconds that `DEADLINE_HEADER` allows, None where it is absent.

    Raises
    ------
    ProblemError
        422 if it is no number of seconds from above 0 to `LONGEST_DEADLINE`.

    Examples
    --------
    >>> seconds_allowed("2.5"), seconds_allowed(None)
    (2.5, None)
    """
    if header is None:
        return None
    try:
        seconds = float(header) if header.isascii() and "_" not in header else math.nan
    except ValueError:
        seconds = math.nan
    if 0 < seconds <= LONGEST_DEADLINE:
        return seconds
    error = FieldError(
        field=DEADLINE_HEADER,
        value=shortened(header),
        message="is no number of seconds in range",
        hint=f"give seconds above 0 and up to {LONGEST_DEADLINE:g}, such as 2.5, or leave the header out",
    )
    raise ProblemError(INVALID_PARAMETER, f"{DEADLINE_HEADER}: {error.message}; {error.hint}.", [error])


def _asks_for_work(scope: Scope) -> bool:
    """Whether the model is asked: only such requests wait in its queue."""
    path: str = scope["path"]
    return (scope["method"] == "POST" and path == "/v1/assessments") or path.endswith("/explanation")


async def _left(whole: asyncio.Event, receive: Receive) -> None:
    """Return when the client has left; its body must have been read before, since messages come once."""
    await whole.wait()
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_late(within: float | None) -> ProblemError:
    return ProblemError(DEADLINE, f"The {within:g} s that the request allows are over; it was dropped.")

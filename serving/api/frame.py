"""What surrounds every request: its id, its time, its headers, and a last net for faults of ours."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from time import perf_counter
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.logs import log_request
from serving.metrics import Metrics
from serving.tracing import Tracing
from serving.watching import begin_request

_log = logging.getLogger("hazardlens.api")
_GOOD_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}")
_KEY = "request_id"
_PROBLEM = "problem"
_CLIENT_GONE = 499
"""Status in the metrics only, after nginx: the client closed the connection before its answer."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer that sets none of its own. No inline script or style is ever needed, so none may run."""


class RequestFrame:
    """ASGI middleware around the whole app.

    Parameters
    ----------
    app : ASGIApp
    metrics : Metrics
    on_fault : callable
        Makes the answer when the app raised and nothing was sent yet.
    tracing : Tracing, optional
    hsts_seconds : int
        How long a browser is to insist on HTTPS; 0 does not ask for it.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        on_fault: Callable[[Request], Response],
        tracing: Tracing | None = None,
        hsts_seconds: int = 0,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._on_fault = on_fault
        self._tracing = tracing
        self._secure = {"Strict-Transport-Security": f"max-age={hsts_seconds}"} if hsts_seconds else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("X-Request-ID", "")
        identifier = given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex
        state: dict[str, Any] = scope.setdefault("state", {})
        state[_KEY] = identifier
        watch, status = begin_request(), 0
        added = HEADERS | self._secure if scope["scheme"] == "https" else HEADERS

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._tracing is not None:
                    self._tracing.mark(identifier, watch)
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identifier
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except Exception:
            _log.exception("request %s: %s %s failed", identifier, scope["method"], scope["path"])
            if status:
                raise  # half an answer is out; only the closing of the connection can tell the client
            await self._on_fault(Request(scope))(scope, receive, framed)
        finally:
            route, seconds = _route(scope), perf_counter() - watch.begun
            self._metrics.request(scope["method"], route, status, seconds, watch, state.get(_PROBLEM))
            log_request(scope, identifier, route, status, seconds)
            if self._tracing is not None:
                self._tracing.phases(watch)


def request_id(scope: Scope) -> str:
    """Return the id of a request, as it was given or made."""
    return str(scope["state"][_KEY])


def note_problem(scope: Scope, name: str) -> None:
    """Note the type of the problem that a request is answered with."""
    scope["state"][_PROBLEM] = name


def _route(scope: Scope) -> str:
    """The route's pattern, never the path: a label for each id would grow without end."""
    return str(
        getattr(scope.get("route"), "path", None)
        or ("/static" if scope["path"].startswith("/static/") else "unmatched")
    )

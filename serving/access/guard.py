"""Lets nobody in without a key: ASGI middleware around every route, known or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.allowances import Allowances
from serving.access.asking import REALM, note_principal
from serving.access.principal import ANYONE, Principal
from serving.access.routes import is_open
from serving.api.errors import answer_to
from serving.api.problems import FORBIDDEN, UNAUTHENTICATED, ProblemError

COOKIE = "hazardlens_session"
PAGE_HEADER = "X-Hazardlens-Page"
"""Sent by our own pages with whatever changes something. Pages of other origins cannot send it unasked."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Identify = Callable[[str], Awaitable[Principal | None]]


class Guard:
    """ASGI middleware that finds out who asks, and how much is left of that one's allowance.

    It stands before routing and before any body is read: without a key not even the existence of a path is told. What a
    role may do is judged once the route is known, by `authorise`.

    Parameters
    ----------
    app : ASGIApp
    identify : callable or None
        Secret -> principal, None for an unknown one. Without it access control is off.
    allowances : Allowances
    open_metrics : bool
        Answer /metrics without a key.
    """

    def __init__(
        self,
        app: ASGIApp,
        identify: Identify | None,
        allowances: Allowances,
        open_metrics: bool,
    ) -> None:
        self._app = app
        self._identify = identify
        self._allowances = allowances
        self._open_metrics = open_metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or self._is_open(scope):
            await self._app(scope, receive, send)
            return
        allowance: Mapping[str, str] = {}

        async def with_allowance(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._allowances.headers(principal))
            await send(message)

        try:
            principal = await self._principal(scope)
            note_principal(scope, principal)
            allowance = self._allowances.headers(principal)
            self._allowances.take(principal, "requests", 1)
        except ProblemError as refusal:
            refusal.headers.update(allowance)
            await (await answer_to(Request(scope), refusal))(scope, receive, send)
            return
        await self._app(scope, receive, with_allowance if allowance else send)

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        return is_open(scope["method"], path) or (self._open_metrics and path == "/metrics")

    async def _principal(self, scope: Scope) -> Principal:
        if self._identify is None:
            return ANYONE
        headers = Headers(scope=scope)
        given = headers.get("authorization")
        if given is not None:
            return await self._by_key(given)
        token = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        principal = await self._identify(token) if token else None
        if principal is None or principal.how != "session":
            raise unauthenticated("Send a key: Authorization: Bearer hl_...")
        if scope["method"] not in _SAFE and PAGE_HEADER not in headers:
            detail = f"A session changes nothing without the header {PAGE_HEADER}; a program sends a key."
            raise ProblemError(FORBIDDEN, detail)
        return principal

    async def _by_key(self, header: str) -> Principal:
        assert self._identify is not None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthenticated("Authorization is of another kind; send Authorization: Bearer hl_...")
        principal = await self._identify(secret.strip())
        if principal is None or principal.how != "key":
            # Which of these it is would tell a thief whether the key was ever good.
            raise unauthenticated("The key is not known, has expired or was revoked.", 'error="invalid_token"')
        return principal


def unauthenticated(detail: str, error: str = "") -> ProblemError:
    """Return the 401 that asks for a key."""
    asks = ", ".join(filter(None, (REALM, error)))
    return ProblemError(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": asks})

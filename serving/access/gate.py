"""Lets nobody in without a key: ASGI middleware around every route, known or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.limits import Limits
from serving.access.principal import ANYONE, Principal
from serving.access.routes import is_open, roles_of
from serving.api.problems import FORBIDDEN, UNAUTHENTICATED, ProblemError
from serving.services import services_of

COOKIE = "hazardlens_session"
PAGE_HEADER = "X-Hazardlens-Page"
"""Sent by our own pages with whatever changes something. Pages of other origins cannot send it unasked."""
_REALM = 'Bearer realm="hazardlens"'
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_STATE = "principal"

Identify = Callable[[str], Awaitable[Principal | None]]


class Gate:
    """ASGI middleware that finds out who asks, and how much is left of that one's allowance.

    It stands before routing and before any body is read: without a key not even the existence of a path is told. What a
    role may do is judged once the route is known, by `authorise`.

    Parameters
    ----------
    app : ASGIApp
    identify : callable or None
        Secret -> principal, None for an unknown one. Without it access control is off.
    limits : Limits
    open_metrics : bool
        Answer /metrics without a key.
    on_refusal : callable
        Makes the answer to a request that is not let in.
    """

    def __init__(
        self,
        app: ASGIApp,
        identify: Identify | None,
        limits: Limits,
        open_metrics: bool,
        on_refusal: Callable[[Request, ProblemError], Response],
    ) -> None:
        self._app = app
        self._identify = identify
        self._limits = limits
        self._open_metrics = open_metrics
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or self._is_open(scope):
            await self._app(scope, receive, send)
            return
        allowance: Mapping[str, str] = {}

        async def with_allowance(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._limits.headers(principal))
            await send(message)

        try:
            principal = await self._principal(scope)
            scope["state"][_STATE] = principal
            allowance = self._limits.headers(principal)
            self._limits.take(principal, "requests", 1)
        except ProblemError as refusal:
            refusal.headers.update(allowance)
            await self._on_refusal(Request(scope), refusal)(scope, receive, send)
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
    asks = ", ".join(filter(None, (_REALM, error)))
    return ProblemError(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": asks})


async def authorise(request: Request) -> None:
    """Refuse who has no role for the route; a dependency of the whole app.

    Raises
    ------
    ProblemError
        403 naming the roles that may.
    """
    pattern = request.scope["route"].path
    roles = roles_of(request.method, pattern)
    principal = known_principal(request.scope)
    if principal is None:  # the gate has let it pass without a key
        return
    if roles is None:
        detail = f"No role may use {request.method} {pattern}: serving/access/routes.py does not name it."
        raise ProblemError(FORBIDDEN, detail)
    if roles and not principal.roles & roles:
        have, wanted = ", ".join(sorted(principal.roles)), ", ".join(sorted(roles))
        detail = f"{principal.name} has the role {have}; {request.method} {pattern} asks for one of: {wanted}."
        asks = f'{_REALM}, error="insufficient_scope"'
        raise ProblemError(FORBIDDEN, detail, headers={"WWW-Authenticate": asks})


def known_principal(scope: Scope) -> Principal | None:
    """Return who asks; None on routes that are open."""
    found = scope.get("state", {}).get(_STATE)
    assert found is None or isinstance(found, Principal)
    return found


def principal_of(request: Request) -> Principal:
    """Return who asks, on a route that is not open."""
    found = known_principal(request.scope)
    assert found is not None, "the route is open: nobody is known here"
    return found


def charge_listings(request: Request, listings: int) -> None:
    """Take some listings from the allowance of who asks.

    Raises
    ------
    ProblemError
        429 where it does not reach.
    """
    request.scope["state"]["listings"] = listings
    services_of(request).limits.take(principal_of(request), "listings", listings)

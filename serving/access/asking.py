"""What a route learns of who asks: whether the role allows it, the name, and what is left of the allowance."""

from __future__ import annotations

from fastapi import Request
from starlette.types import Scope

from serving.access.principal import Principal
from serving.access.routes import WITHOUT_OWN_PASSWORD, roles_of
from serving.api.problems import FORBIDDEN, PASSWORD_DUE, ProblemError
from serving.services import services_of

REALM = 'Bearer realm="hazardlens"'
_STATE = "principal"


def note_principal(scope: Scope, principal: Principal) -> None:
    """Note who asks, for the route."""
    scope["state"][_STATE] = principal


async def authorise(request: Request) -> None:
    """Refuse who has no role for the route; a dependency of the whole app.

    Raises
    ------
    ProblemError
        403 naming the roles that may; also while a password is due.
    """
    pattern = request.scope["route"].path
    roles = roles_of(request.method, pattern)
    principal = known_principal(request.scope)
    if principal is None:  # the gate has let it pass without a key
        return
    if principal.password_due and (request.method, pattern) not in WITHOUT_OWN_PASSWORD:
        detail = "Somebody else has chosen your password. Choose one of your own at /account, then go on."
        raise ProblemError(PASSWORD_DUE, detail)
    if roles is None:
        detail = f"No role may use {request.method} {pattern}: serving/access/routes.py does not name it."
        raise ProblemError(FORBIDDEN, detail)
    if roles and not principal.roles & roles:
        have, wanted = ", ".join(sorted(principal.roles)), ", ".join(sorted(roles))
        detail = f"{principal.shown} has the role {have}; {request.method} {pattern} asks for one of: {wanted}."
        asks = f'{REALM}, error="insufficient_scope"'
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
    services_of(request).allowances.take(principal_of(request), "listings", listings)

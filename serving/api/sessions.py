"""Signs a browser in with a key, and out. Pages only: programs send their key with each request."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.access.guard import COOKIE, unauthenticated
from serving.access.keyring import SESSION_LASTS
from serving.api.body import parse_json, read_body
from serving.api.problems import WRONG_SHAPE, FieldError, ProblemError
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_LONGEST_BODY = 1_000


@router.post("/session")
async def sign_in(request: Request) -> Response:
    """Give the browser a session for a key.

    The cookie is not the key: it ends by itself, and whoever sees it has not seen the key. Scripts cannot read it, and
    no other site can have it sent.
    """
    body = parse_json(await read_body(request, _LONGEST_BODY))
    key = body.get("key") if isinstance(body, Mapping) else None
    if not isinstance(key, str):
        error = FieldError(field="key", value=None, message="is no text", hint='write {"key": "hl_..."}')
        raise ProblemError(WRONG_SHAPE, 'key: is no text; write {"key": "hl_..."}.', [error])
    keyring = services_of(request).keyring
    principal = await keyring.principal(key.strip())
    if principal is None or principal.how != "key":
        raise unauthenticated("The key is not known, has expired or was revoked.", 'error="invalid_token"')
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE, await keyring.open_session(principal), max_age=int(SESSION_LASTS.total_seconds()), path="/",
        secure=request.url.scheme == "https", httponly=True, samesite="strict",
    )  # fmt: skip
    return answer


@router.delete("/session")
async def sign_out(request: Request) -> Response:
    """End the browser's session."""
    principal = principal_of(request)
    if principal.how == "session":
        await services_of(request).keyring.close_session(principal)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict")
    return answer

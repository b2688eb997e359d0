"""Signs a browser in, with a key or by name and password, and out. Pages only: programs send their key each time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.access.guard import COOKIE, unauthenticated
from serving.api.body import parse_json, read_body
from serving.api.problems import WRONG_SHAPE, FieldError, ProblemError
from serving.console.language import languages, remember_language
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_LONGEST_BODY = 2_000
_SHAPES = 'write {"key": "hl_..."}, or {"name": "...", "password": "..."}'


@router.post("/session")
async def sign_in(request: Request) -> Response:
    """Give the browser a session.

    The cookie is neither key nor password: it ends by itself, and whoever sees it has seen neither. Scripts cannot read
    it, and no other site can have it sent.
    """
    body = parse_json(await read_body(request, _LONGEST_BODY))
    if isinstance(body, Mapping) and "name" in body:
        name, password = _text(body, "name"), _text(body, "password")
        services = services_of(request)
        account = await services.sign_in.account(name, password, address_of(request))
        return await signed_in(request, Response(status_code=204), account.id)
    key = _text(body, "key")
    keyring = services_of(request).keyring
    principal = await keyring.principal(key.strip())
    if principal is None or principal.how != "key":
        raise unauthenticated("The key is not known, has expired or was revoked.", 'error="invalid_token"')
    answer = Response(status_code=204)
    _set_cookie(request, answer, await keyring.open_session(principal))
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


async def signed_in(request: Request, answer: Response, account_id: str) -> Response:
    """Open a session of an account, and let an answer take its cookie along, and the language that was chosen."""
    services = services_of(request)
    _set_cookie(request, answer, await services.keyring.open_session_of(account_id))
    language = await asyncio.to_thread(services.preferences.language, account_id)
    if language in languages():
        remember_language(request, answer, language)
    return answer


def address_of(request: Request) -> str:
    """Return where a request comes from; with HAZARDLENS_TRUSTED_PROXIES, what these say."""
    return request.client.host if request.client is not None else "unknown"


def _set_cookie(request: Request, answer: Response, token: str) -> None:
    lasts = services_of(request).keyring.session_lasts
    answer.set_cookie(
        COOKIE, token, max_age=int(lasts.total_seconds()), path="/", secure=request.url.scheme == "https",
        httponly=True, samesite="strict",
    )  # fmt: skip


def _text(body: object, field: str) -> str:
    value = body.get(field) if isinstance(body, Mapping) else None
    if not isinstance(value, str):
        error = FieldError(field=field, value=None, message="is no text", hint=_SHAPES)
        raise ProblemError(WRONG_SHAPE, f"{field}: is no text; {_SHAPES}.", [error])
    return value

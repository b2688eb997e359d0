"""Sends a browser to the OpenID provider, and takes it back with a session."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.access.oidc.failure import ProviderError, SignInError
from serving.access.oidc.flow import Begun, ProviderSignIn
from serving.api.problems import NOT_FOUND, PROVIDER_UNAVAILABLE, SIGN_IN_FAILED, ProblemError
from serving.api.sessions import signed_in
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_log = logging.getLogger("hazardlens.access")
COOKIE = "hazardlens_oidc"
_PATH = "/session/oidc"
_SECONDS = 600
_ARRIVED = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>hazardlens</title>'
    '<meta http-equiv="refresh" content="0;url=/review"></head><body><p><a href="/review">/review</a></p></body></html>'
)
"""The cookie of a session is sent by no other site, and a redirect here would still count as the provider's: the
browser must move on by itself."""


@router.get(_PATH)
async def begin(request: Request) -> Response:
    """Send the browser to the provider."""
    try:
        begun, where = await _provider(request).begin(_redirect_uri(request))
    except ProviderError as error:
        raise _unavailable(error) from error
    response = RedirectResponse(where, 303)
    # Lax, not strict: the provider, another site, sends the browser back to us.
    response.set_cookie(
        COOKIE, str(begun), max_age=_SECONDS, path=_PATH, secure=_redirect_uri(request).startswith("https"),
        httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get(_PATH + "/callback")
async def end(request: Request) -> Response:
    """Take the browser back from the provider, and give it a session."""
    begun = Begun.read(request.cookies.get(COOKIE, ""))
    provider = _provider(request)
    try:
        account = await provider.end(begun, dict(request.query_params), _redirect_uri(request))
    except SignInError as error:
        _log.warning("a sign-in by the OpenID provider has failed: %s", error)
        raise ProblemError(SIGN_IN_FAILED, str(error)) from error
    except ProviderError as error:
        raise _unavailable(error) from error
    response = await signed_in(request, HTMLResponse(_ARRIVED), account.id)
    response.delete_cookie(COOKIE, path=_PATH)
    return response


def _provider(request: Request) -> ProviderSignIn:
    provider = services_of(request).provider
    if provider is None:
        raise ProblemError(NOT_FOUND, "No OpenID provider is set (HAZARDLENS_OIDC_ISSUER).")
    return provider


def _redirect_uri(request: Request) -> str:
    """Where the provider sends the browser back to; it compares this with what was registered."""
    base = services_of(request).settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{base.rstrip('/')}{_PATH}/callback"


def _unavailable(error: ProviderError) -> ProblemError:
    _log.error("the OpenID provider: %s", error)
    detail = "The provider does not answer as it should; the log has the reason. Try again, or sign in otherwise."
    return ProblemError(PROVIDER_UNAVAILABLE, detail, headers={"Retry-After": "10"})

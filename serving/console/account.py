"""One's own account: what one is called, password, language, where one is signed in."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.access.guard import COOKIE
from serving.access.passwords import SHORTEST
from serving.access.principal import Principal
from serving.api.sessions import address_of
from serving.console.forms import read_form, refusing
from serving.console.language import NAMES, languages, remember_language
from serving.console.queue import go
from serving.console.rendering import render
from serving.review.items import ReviewRefusedError
from serving.services import services_of

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def account_page(request: Request, changed: str = "") -> Response:
    """Show what one can change about oneself."""
    principal = principal_of(request)
    store = services_of(request).sign_in.accounts
    account = await asyncio.to_thread(store.find, principal.name) if principal.account else None
    values = {
        "account": account,
        "principal": principal,
        "changed": changed if changed in ("name", "password") else "",
        "shortest": SHORTEST,
    }
    return render(request, "account.html", values)


@router.post("/account/name")
async def rename(request: Request) -> Response:
    """Change what others call one."""
    form, services = await read_form(request), services_of(request)
    account = _account(principal_of(request))
    with refusing():
        await asyncio.to_thread(services.sign_in.accounts.rename, account, form.text("display_name"))
    await services.keyring.refresh()
    return go(request, "/account?changed=name")


@router.post("/account/password")
async def choose_password(request: Request) -> Response:
    """Change one's password; other browsers are signed out."""
    form, services, principal = await read_form(request), services_of(request), principal_of(request)
    account, chosen = _account(principal), form.raw("new_password")
    if chosen != form.raw("again"):
        raise ReviewRefusedError("again", "it is not the new password", "type the same twice")
    await services.sign_in.confirm(account, form.raw("password"), address_of(request))
    if chosen == form.raw("password"):
        raise ReviewRefusedError("new_password", "it is the one that you have", "choose another")
    with refusing("new_password"):
        await asyncio.to_thread(services.sign_in.accounts.choose_password, account, chosen, principal.credential)
    await services.keyring.refresh()
    return go(request, "/account?changed=password")


@router.post("/account/language")
async def choose_language(request: Request) -> Response:
    """Change the language of the console, in this browser and for the next sign-in."""
    form = await read_form(request)
    language = form.text("language")
    if language not in languages():
        raise ReviewRefusedError("language", f"{language!r} is not known", f"choose {', '.join(NAMES)}")
    preferences = services_of(request).preferences
    await asyncio.to_thread(preferences.choose_language, principal_of(request).name, language)
    response = Response(status_code=204, headers={"HX-Refresh": "true"})
    if "hx-request" not in request.headers:
        response = go(request, "/account")
    remember_language(request, response, language)
    return response


@router.post("/account/sign-out")
async def sign_out_everywhere(request: Request) -> Response:
    """End every session of one's account, this one too; of a key only this one."""
    services, principal = services_of(request), principal_of(request)
    if principal.account is not None:
        await asyncio.to_thread(services.sign_in.accounts.sign_out, principal.account, principal.account)
        await services.keyring.refresh()
    elif principal.how == "session":
        await services.keyring.close_session(principal)
    response = go(request, "/account")
    response.delete_cookie(COOKIE, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict")
    return response


def _account(principal: Principal) -> str:
    if principal.account is None:
        raise ReviewRefusedError("account", "you are signed in with a key", "sign in by name and password")
    return principal.account

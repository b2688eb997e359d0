"""The accounts of everybody, for admins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.access.principal import Role
from serving.api.problems import NOT_FOUND, ProblemError, shortened
from serving.console.forms import Form, read_form, refusing
from serving.console.queue import go
from serving.console.rendering import render
from serving.review.items import ReviewRefusedError
from serving.services import services_of
from serving.store.accounts import AccountStore

router = APIRouter(include_in_schema=False)
_ONE = "/accounts/{account_id}"


@router.get("/accounts")
async def accounts_page(request: Request) -> Response:
    """List the accounts."""
    found = await asyncio.to_thread(services_of(request).sign_in.accounts.all)
    return render(request, "accounts.html", {"accounts": found, "roles": list(Role)})


@router.post("/accounts")
async def add(request: Request) -> Response:
    """Add an account, and show the password for its first sign-in."""
    form, by = await read_form(request), principal_of(request).name
    store, roles = services_of(request).sign_in.accounts, _roles(form)
    with refusing():
        made = await asyncio.to_thread(store.add, form.text("name"), roles, by, form.text("display_name"))
    await services_of(request).keyring.refresh()
    return render(request, "password_made.html", {"account": made[0], "password": made[1]})


@router.post(_ONE + "/reset")
async def reset(request: Request, account_id: str) -> Response:
    """Give an account a password for one sign-in, and show it."""
    store, by = services_of(request).sign_in.accounts, principal_of(request).name
    await _known(store, account_id)
    with refusing():
        account, password = await asyncio.to_thread(store.reset, account_id, by)
    await services_of(request).keyring.refresh()
    return render(request, "password_made.html", {"account": account, "password": password})


@router.post(_ONE + "/roles")
async def set_roles(request: Request, account_id: str) -> Response:
    """Give an account the roles that are ticked."""
    roles = _roles(await read_form(request))
    return await _act(request, account_id, lambda store, by: store.set_roles(account_id, roles, by))


@router.post(_ONE + "/disable")
async def disable(request: Request, account_id: str) -> Response:
    """Let nobody sign in to an account."""
    if account_id == principal_of(request).name:
        raise ReviewRefusedError("account", "it is your own", "let another admin do it")
    return await _act(request, account_id, lambda store, by: store.disable(account_id, by))


@router.post(_ONE + "/enable")
async def enable(request: Request, account_id: str) -> Response:
    """Let the person of an account sign in again."""
    return await _act(request, account_id, lambda store, by: store.enable(account_id, by))


@router.post(_ONE + "/sign-out")
async def sign_out(request: Request, account_id: str) -> Response:
    """End every session of an account."""
    return await _act(request, account_id, lambda store, by: store.sign_out(account_id, by))


async def _act(request: Request, account_id: str, act: Callable[[AccountStore, str], Any]) -> Response:
    services = services_of(request)
    store, by = services.sign_in.accounts, principal_of(request).name
    await _known(store, account_id)
    with refusing():
        await asyncio.to_thread(act, store, by)
    await services.keyring.refresh()
    return go(request, "/accounts")


async def _known(store: AccountStore, account_id: str) -> None:
    if "\x00" in account_id or await asyncio.to_thread(store.find, account_id) is None:
        raise ProblemError(NOT_FOUND, f"No account has the id {shortened(account_id)}.")


def _roles(form: Form) -> list[Role]:
    given = form.all("roles")
    if wrong := next((word for word in given if word not in set(Role)), None):
        raise ReviewRefusedError("roles", f"{wrong!r} is no role", f"choose {', '.join(Role)}")
    return [Role(word) for word in given]

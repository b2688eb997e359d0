"""Pages of webhooks, for admins: who is told of events, and what became of each delivery."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from models.domain.errors import InputError
from serving.access.asking import principal_of
from serving.api.problems import NOT_FOUND, ProblemError
from serving.console.forms import read_form
from serving.console.queue import go
from serving.console.rendering import render
from serving.hooks.delivery_log import NoDeliveryError, State
from serving.hooks.endpoints import Endpoint, NoEndpointError
from serving.hooks.kinds import KINDS
from serving.hooks.webhooks import Webhooks
from serving.review.items import ReviewRefusedError
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_HOME = "/review/webhooks"
_PAGE = 50
_OVERLAP = dt.timedelta(hours=24)
_T = TypeVar("_T")


@router.get(_HOME)
async def webhooks_page(request: Request, endpoint: str = "", state: str = "", before: int | None = None) -> Response:
    """Show endpoints, and the newest deliveries."""
    hooks = services_of(request).hooks
    chosen = state if state in list(State) else ""
    only = endpoint if endpoint.isascii() and endpoint.isalnum() else ""

    def read() -> dict[str, Any]:
        found = hooks.log.page(_PAGE + 1, before, only, chosen)
        more = found[_PAGE - 1].id if len(found) > _PAGE else None
        known = hooks.endpoints.known()
        return {"endpoints": known, "counts": hooks.log.counts(), "deliveries": found[:_PAGE], "more": more}

    choices = {"endpoint": only, "state": chosen, "states": list(State), "kinds": list(KINDS.values())}
    return render(request, "webhooks.html", {**await asyncio.to_thread(read), **choices})


@router.post(_HOME)
async def add(request: Request) -> Response:
    """Register an endpoint, and show its secret this once."""
    hooks, form, person = services_of(request).hooks, await read_form(request), principal_of(request).name
    values = (form.text("url"), form.all("kinds"), form.text("description"), person)
    return _secret(request, await _done(lambda: hooks.endpoints.add(*values)))


@router.post(_HOME + "/deliveries/{delivery_id}/resend")
async def resend(request: Request, delivery_id: int) -> Response:
    """Send a delivery again."""
    hooks = services_of(request).hooks
    await _done(lambda: hooks.log.resend(delivery_id))
    hooks.sender.wake()
    return go(request, f"{_HOME}/deliveries/{delivery_id}")


@router.get(_HOME + "/deliveries/{delivery_id}")
async def delivery_page(request: Request, delivery_id: int) -> Response:
    """Show what was sent, and every try."""
    hooks = services_of(request).hooks
    return render(request, "webhook_delivery.html", {"found": await _done(lambda: hooks.log.get(delivery_id))})


@router.post(_HOME + "/{endpoint_id}/{act}")
async def change(request: Request, endpoint_id: str, act: str) -> Response:
    """Test, rotate, enable, disable or remove an endpoint, or send its dead letters again."""
    hooks, person = services_of(request).hooks, principal_of(request).name
    if act not in _ACTS or not (endpoint_id.isascii() and endpoint_id.isalnum()):
        raise ProblemError(NOT_FOUND, f"Nothing is done with an endpoint at {_HOME}.")
    endpoint = await _done(lambda: hooks.endpoints.get(endpoint_id))
    changed = await _done(lambda: _ACTS[act](hooks, endpoint, person))
    if act == "rotate":
        assert isinstance(changed, Endpoint)
        return _secret(request, changed)
    hooks.sender.wake()
    return go(request, _HOME)


_ACTS: dict[str, Callable[[Webhooks, Endpoint, str], object]] = {
    "ping": lambda hooks, endpoint, person: hooks.ping(endpoint, person),
    "rotate": lambda hooks, endpoint, _: hooks.endpoints.rotate(endpoint.id, _OVERLAP),
    "enable": lambda hooks, endpoint, _: hooks.endpoints.change(endpoint.id, enabled=True),
    "disable": lambda hooks, endpoint, _: hooks.endpoints.change(endpoint.id, enabled=False),
    "remove": lambda hooks, endpoint, _: hooks.endpoints.remove(endpoint.id),
    "resend-dead": lambda hooks, endpoint, _: hooks.log.resend_dead(endpoint.id),
}


def _secret(request: Request, endpoint: Endpoint) -> Response:
    return render(request, "webhook_secret.html", {"endpoint": endpoint, "secret": endpoint.secrets[0].text})


async def _done(act: Callable[[], _T]) -> _T:
    """Do something on a thread, and tell a person what it refuses."""
    try:
        return await asyncio.to_thread(act)
    except InputError as error:
        raise ReviewRefusedError(error.place, error.message, error.hint) from error
    except (NoEndpointError, NoDeliveryError) as error:
        raise ProblemError(NOT_FOUND, str(error)) from error

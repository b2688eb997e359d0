"""Views of the queue that people save, share and begin with."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from serving.access.asking import principal_of
from serving.console.forms import Form, read_form, refusing
from serving.console.queue import filter_of_query, go
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_VIEWS = "/review/views"
ViewId = Annotated[int, Path(ge=0, lt=2**31)]


@router.post(_VIEWS)
async def save(request: Request) -> Response:
    """Keep the filter that is shown under a name, and show it."""
    form, person = await read_form(request), principal_of(request).name
    query = filter_of_query(form.text("query")).query()
    preferences = services_of(request).preferences
    with refusing():
        await asyncio.to_thread(preferences.save_view, person, form.text("name"), query, bool(form.text("shared")))
    return go(request, f"/review?{query}")


@router.post(_VIEWS + "/{view_id}")
async def change(request: Request, view_id: ViewId) -> Response:
    """Rename a view, share it or not."""
    form, person = await read_form(request), principal_of(request).name
    preferences = services_of(request).preferences
    with refusing():
        await asyncio.to_thread(preferences.change_view, person, view_id, form.text("name"), bool(form.text("shared")))
    return _back(request, form)


@router.post(_VIEWS + "/{view_id}/delete")
async def delete(request: Request, view_id: ViewId) -> Response:
    """Remove a view."""
    form = await read_form(request)
    with refusing():
        await asyncio.to_thread(services_of(request).preferences.delete_view, principal_of(request).name, view_id)
    return _back(request, form)


@router.post(_VIEWS + "/{view_id}/default")
async def default(request: Request, view_id: ViewId) -> Response:
    """Let the queue begin with a view; with the one that it begins with already, let it begin with everything."""
    form, person = await read_form(request), principal_of(request).name
    preferences = services_of(request).preferences
    chosen = None if form.text("default") == "off" else view_id
    with refusing():
        await asyncio.to_thread(preferences.choose_default, person, chosen)
    return _back(request, form)


def _back(request: Request, form: Form) -> Response:
    query = filter_of_query(form.text("query")).query()
    return go(request, f"/review?{query}")

"""Known answers: which there are, made of a decided item, and retired. Reviewers never see this page."""

from __future__ import annotations

import asyncio
import datetime as dt

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.console.queue import go
from serving.console.rendering import render
from serving.services import services_of

router = APIRouter(include_in_schema=False)


@router.get("/review/golden")
async def golden_page(request: Request) -> Response:
    """Show every known answer and how often it was asked for."""
    services = services_of(request)
    answers = await asyncio.to_thread(services.desk.golden.all)
    return render(request, "golden.html", {"answers": answers, "share": services.desk.rules.golden_share})


@router.post("/review/golden/{golden_id}/retire")
async def retire(request: Request, golden_id: int) -> Response:
    """Hand an answer out no more."""
    golden, person = services_of(request).desk.golden, principal_of(request).name
    await asyncio.to_thread(golden.retire, golden_id, person, dt.datetime.now(dt.UTC))
    return go(request, "/review/golden")


@router.post("/review/items/{item_id}/golden")
async def add(request: Request, item_id: int) -> Response:
    """Make the final decision on an item a known answer."""
    golden, person = services_of(request).desk.golden, principal_of(request).name
    await asyncio.to_thread(golden.add_item, item_id, person, dt.datetime.now(dt.UTC))
    return go(request, "/review/golden")

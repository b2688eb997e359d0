"""Pages on the Product Safety Pledge: its key figures by period, and how far its areas are met here."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from fastapi import APIRouter, Request, Response

from models.notices.commitments import Status, load_commitments
from serving.api.figures import pledge_of
from serving.api.problems import ProblemError
from serving.console.rendering import render
from serving.figures.telling import DEFINITIONS, NOTES
from serving.services import services_of

router = APIRouter(include_in_schema=False)


@router.get("/review/figures")
async def figures_page(request: Request) -> Response:
    """Show the key figures of a period; what is no day in the address counts as not given."""
    services = services_of(request)
    first, last = (_day(request.query_params.get(name, "")) for name in ("from", "to"))
    try:
        found = await asyncio.to_thread(pledge_of, services, first, last)
    except ProblemError:  # it ends before it begins: the half-year in which it begins is shown
        found = await asyncio.to_thread(pledge_of, services, first, None)
    values: dict[str, Any] = {"found": found, "definitions": DEFINITIONS, "notes": NOTES}
    return render(request, "figures.html", values)


@router.get("/review/commitments")
async def commitments_page(request: Request) -> Response:
    """Show the register of commitments."""
    areas = load_commitments(services_of(request).settings.commitments)
    counts = {status: sum(each.status is status for each in areas) for status in Status}
    return render(request, "commitments.html", {"areas": areas, "counts": counts})


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None

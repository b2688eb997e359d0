"""Pages of who watches over the reviews: complaints, quality, the log."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.console.forms import read_form
from serving.console.queue import go
from serving.console.rendering import render
from serving.review.events import breaks, events, head
from serving.review.items import ReviewRefusedError
from serving.review.log_files import LogFormat, log_lines
from serving.review.quality import quality
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_PERIODS = (1, 7, 30, 90)
_LOG_SHOWN = 200


@router.get("/review/complaints")
async def complaints_page(request: Request) -> Response:
    """Show sellers' complaints that wait."""
    desk = services_of(request).desk

    def read() -> list[dict[str, Any]]:
        return [
            {
                "appeal": appeal,
                "item": desk.browsing.item(appeal.item_id),
                "made": desk.browsing.decisions(appeal.item_id),
            }
            for appeal in desk.appeals.waiting()
        ]

    return render(request, "complaints.html", {"waiting": await asyncio.to_thread(read)})


@router.post("/review/complaints/{appeal_id}")
async def rule(request: Request, appeal_id: int) -> Response:
    """Uphold a decision, or overturn it."""
    desk, form = services_of(request).desk, await read_form(request)
    ruling = form.text("ruling")
    if ruling not in ("upheld", "overturned"):
        raise ReviewRefusedError("ruling", "nothing is chosen", "uphold the decision, or overturn it")
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    await asyncio.to_thread(desk.appeals.rule, appeal_id, person, ruling, form.text("reason"), now)  # type: ignore[arg-type]
    return go(request, "/review/complaints")


@router.get("/review/quality")
async def quality_page(request: Request, days: int = 7) -> Response:
    """Show how well reviewers agree, and how long they take."""
    desk, now = services_of(request).desk, dt.datetime.now(dt.UTC)
    chosen = days if days in _PERIODS else 7
    found = await asyncio.to_thread(quality, desk.engine, now - dt.timedelta(days=chosen), now)
    return render(request, "quality.html", {"found": found, "days": chosen, "periods": _PERIODS})


@router.get("/review/log")
async def log_page(request: Request, item: int | None = None) -> Response:
    """Show the newest acts, and whether the log is whole."""
    engine = services_of(request).desk.engine

    def read() -> dict[str, Any]:
        with engine.connect() as connection:
            newest = head(connection)
            after = 0 if item is not None else max(0, newest.number - _LOG_SHOWN)
            shown = list(events(connection, item, after))
        return {"acts": shown[::-1], "head": newest}

    return render(request, "log.html", {**await asyncio.to_thread(read), "item_id": item})


@router.post("/review/log/verify")
async def verify(request: Request) -> Response:
    """Check every entry of the log."""
    engine = services_of(request).desk.engine

    def read() -> dict[str, Any]:
        with engine.connect() as connection:
            return {"breaks": list(breaks(connection))[:20], "head": head(connection)}

    return render(request, "log_checked.html", await asyncio.to_thread(read))


@router.get("/review/log/export")
async def export(request: Request, format: str = "csv") -> Response:
    """Give the whole log as CSV or as JSON lines."""
    engine = services_of(request).desk.engine
    chosen: LogFormat = "jsonl" if format == "jsonl" else "csv"

    def read() -> bytes:
        with engine.connect() as connection:
            return b"".join(log_lines(events(connection), chosen))

    kind, name = (
        ("application/jsonl", "reviews.jsonl") if chosen == "jsonl" else ("text/csv; charset=utf-8", "reviews.csv")
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(await asyncio.to_thread(read), media_type=kind, headers=headers)

"""Pages of who watches over the reviews: complaints, quality, the log."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from fastapi import APIRouter, Request, Response

from serving.access.asking import principal_of
from serving.audit import LOGS
from serving.console.forms import read_form
from serving.console.queue import go
from serving.console.rendering import render
from serving.review.items import ReviewRefusedError
from serving.review.quality import quality
from serving.services import services_of
from serving.store.log_files import LogFormat, log_lines
from serving.store.sealed_log import SealedLog

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
async def log_page(request: Request, item: int | None = None, log: str = "reviews") -> Response:
    """Show the newest acts on reviews or on cases, and whether the log is whole."""
    engine, (name, chosen) = services_of(request).desk.engine, _log_of(log)

    def read() -> dict[str, Any]:
        with engine.connect() as connection:
            newest = chosen.head(connection)
            after = 0 if item is not None else max(0, newest.number - _LOG_SHOWN)
            shown = list(chosen.events(connection, item, after))
        return {"acts": shown[::-1], "head": newest}

    return render(request, "log.html", {**await asyncio.to_thread(read), "log": name, "logs": list(LOGS)})


@router.post("/review/log/verify")
async def verify(request: Request, log: str = "reviews") -> Response:
    """Check every entry of a log."""
    engine, (_, chosen) = services_of(request).desk.engine, _log_of(log)

    def read() -> dict[str, Any]:
        with engine.connect() as connection:
            return {"breaks": list(chosen.breaks(connection))[:20], "head": chosen.head(connection)}

    return render(request, "log_checked.html", await asyncio.to_thread(read))


@router.get("/review/log/export")
async def export(request: Request, format: str = "csv", log: str = "reviews") -> Response:
    """Give a whole log as CSV or as JSON lines."""
    engine, (name, chosen) = services_of(request).desk.engine, _log_of(log)
    written: LogFormat = "jsonl" if format == "jsonl" else "csv"

    def read() -> bytes:
        with engine.connect() as connection:
            return b"".join(log_lines(chosen, connection, written))

    kind = "application/jsonl" if written == "jsonl" else "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{written}"', "Cache-Control": "no-store"}
    return Response(await asyncio.to_thread(read), media_type=kind, headers=headers)


def _log_of(name: str) -> tuple[str, SealedLog[Any]]:
    known = name if name in LOGS else "reviews"
    return known, LOGS[known]

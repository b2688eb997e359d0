"""The queue: what waits, filtered and in order; the next item; many at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from models.domain.action import Action
from models.domain.risk import RiskLevel
from serving.access.asking import principal_of
from serving.console.forms import Form, read_form, verdict_of
from serving.console.rendering import render
from serving.review.browsing import Browsing, Filter
from serving.review.items import ReviewRefusedError
from serving.review.words import Outcome
from serving.services import Services, services_of

router = APIRouter(include_in_schema=False)
_PAGE = 50
_BULK = 500
_COUNTED = 1_000
"""Further items are told as "more than" this many: nobody reads the difference, and counting it takes longer."""


@router.get("/review")
async def queue_page(request: Request) -> Response:
    """Show what waits."""
    services = services_of(request)
    chosen, now, person = filter_of(request), _now(), principal_of(request).name
    browsing = services.desk.browsing
    if not request.url.query and (default := await asyncio.to_thread(services.preferences.default_query, person)):
        return RedirectResponse(f"/review?{default}", 303)

    only_rows = request.headers.get("hx-target") == "rows"

    def read() -> dict[str, Any]:
        first = browsing.beginning(chosen, now, person, _PAGE + 1, _COUNTED + 1)
        after = _after(request.query_params.get("after", ""))
        items = first.items if after is None else browsing.page(chosen, now, person, _PAGE + 1, after)
        beside = {} if only_rows else {**_counts(browsing, now, person), "views": services.preferences.views(person)}
        return {
            "items": items[:_PAGE],
            "more": f"{items[_PAGE - 1].rank!r}:{items[_PAGE - 1].id}" if len(items) > _PAGE else "",
            "total": first.total,
            **beside,
        }

    values = {
        **await asyncio.to_thread(read),
        "chosen": chosen,
        "query": chosen.query(),
        "levels": list(RiskLevel),
        "hazards": services.engine.model.taxonomy.names,
        "choices": choices_of(services),
        "counted": _COUNTED,
        "only_rows": only_rows,
    }
    return render(request, "rows.html" if only_rows else "queue.html", values)


@router.get("/review/counts")
async def counts(request: Request, known: str = "") -> Response:
    """Show how much waits where; nothing where that is what the page shows already."""
    services, now, person = services_of(request), _now(), principal_of(request).name
    found = await asyncio.to_thread(_counts, services.desk.browsing, now, person)
    if found["counts_mark"] == known:
        return Response(status_code=204)
    chosen = filter_of(request)
    return render(request, "counts.html", {**found, "chosen": chosen, "query": chosen.query()})


@router.post("/review/next")
async def next_item(request: Request) -> Response:
    """Claim the next item of the filter and go to it."""
    services, form = services_of(request), await read_form(request)
    return await to_next(request, services, filter_in(form))


async def to_next(request: Request, services: Services, chosen: Filter) -> Response:
    """Claim the next item that a filter finds, and lead there; back to the queue where none waits."""
    now, person = _now(), principal_of(request).name
    item = await asyncio.to_thread(services.desk.claims.next, person, now, chosen.conditions(now, person))
    where = f"/review/items/{item.id}" if item is not None else "/review"
    return go(request, f"{where}?{chosen.query()}")


@router.post("/review/bulk/preview")
async def preview(request: Request) -> Response:
    """Show what a verdict on a selection would do."""
    services, form = services_of(request), await read_form(request)
    ids = _selection(form)
    verdict = verdict_of(form)
    services.decisions.check(verdict)

    def read() -> dict[str, Any]:
        items = services.desk.browsing.items(ids)
        return {"items": items, "levels": {level: sum(i.level == level for i in items) for level in RiskLevel}}

    values = await asyncio.to_thread(read)
    return render(request, "bulk_preview.html", {**values, "verdict": verdict, "ids": ids})


@router.post("/review/bulk")
async def bulk(request: Request) -> Response:
    """Give a selection one verdict."""
    services, form = services_of(request), await read_form(request)
    ids, verdict = _selection(form), verdict_of(form)
    if not verdict.note:
        raise ReviewRefusedError("note", "there is none", "say why all of these are alike")
    done = await asyncio.to_thread(services.decisions.decide_all, ids, principal_of(request).name, verdict, _now())
    return render(request, "bulk_done.html", {"done": done, "grace": services.desk.rules.grace})


@router.post("/review/batches/{batch}/undo")
async def undo_bulk(request: Request, batch: str) -> Response:
    """Take the verdicts of a selection back."""
    services = services_of(request)
    done = await asyncio.to_thread(services.decisions.undo_all, batch[:32], principal_of(request).name, _now())
    return render(request, "bulk_undone.html", {"done": done})


def filter_of(request: Request) -> Filter:
    """Return the filter that an address holds; what it does not know is left out."""
    return filter_in(Form(list(request.query_params.multi_items())))


def filter_of_query(query: str) -> Filter:
    """Return the filter that the query of an address holds, as a form has sent it."""
    try:
        return filter_in(Form(parse_qsl(query.removeprefix("?"), max_num_fields=100)))
    except ValueError:  # more fields than any filter has
        return Filter()


def go(request: Request, where: str) -> Response:
    """Lead the browser to another page, whether htmx or a plain form asked."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def filter_in(form: Form) -> Filter:
    """Return the filter that fields hold; what it does not know is left out."""
    values: dict[str, Any] = {f.name: form.text(f.name)[:200].replace("\x00", "") for f in fields(Filter)}
    values["disagreement"] = bool(values["disagreement"])
    if values["state"] not in ("waiting", "mine", "held", "decided", "all"):
        values["state"] = "waiting"
    return Filter(**values)


def choices_of(services: Services) -> dict[str, Any]:
    """Return what a verdict can consist of."""
    actions = [action for action in Action if action is not Action.HOLD_FOR_REVIEW]
    return {
        "outcomes": list(Outcome),
        "actions": actions,
        "levels": list(RiskLevel),
        "reason_codes": services.decisions.reason_codes,
    }


def _counts(browsing: Browsing, now: dt.datetime, person: str) -> dict[str, Any]:
    queues = browsing.queues(now, person)
    return {"queues": queues, "counts_mark": hashlib.sha256(repr(queues).encode()).hexdigest()[:16]}


def _selection(form: Form) -> list[int]:
    ids = form.numbers("items")
    if not 1 <= len(ids) <= _BULK:
        raise ReviewRefusedError("items", f"{len(ids)} are chosen", f"choose 1 to {_BULK}")
    return ids


def _after(text: str) -> tuple[float, int] | None:
    rank, _, key = text.partition(":")
    try:
        return float(rank), int(key)
    except ValueError:
        return None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

"""Pages of the recall desk: cases by their clocks, the alert beside its matches, the form for notices."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from models.deadlines.clocks import NoticeKind
from models.domain.alert import Alert
from models.domain.countries import eea_codes
from models.domain.errors import InputError
from serving.access.asking import principal_of
from serving.api.intake import field_errors
from serving.api.recall_matches import named
from serving.api.recall_notices import sources_told
from serving.console.forms import Form, read_form
from serving.console.queue import go
from serving.console.rendering import render
from serving.recalls import alerts as kept
from serving.recalls.cases import CaseFilter
from serving.recalls.errors import RecallConflictError, RecallRefusedError
from serving.recalls.matches import CaseMatch
from serving.recalls.notices import NoticeRequest, take_notice
from serving.recalls.telling import completeness_of
from serving.recalls.words import FoundBy, Informed, MatchState
from serving.services import Services, services_of

router = APIRouter(include_in_schema=False)
_PAGE = 50
_SHOWN = 200
_CASE = "/recalls/cases/{case_id}"
_LISTS = ("models", "barcodes", "batches", "listing_ids", "risk_types")
_T = TypeVar("_T")


@router.get("/recalls")
async def list_page(request: Request) -> Response:
    """Show cases, those whose time ends first first."""
    services, chosen, now = services_of(request), _filter(request), _now()
    cases = services.recalls.cases
    after = _number(request.query_params.get("after", ""))

    def read() -> dict[str, Any]:
        found = cases.page(chosen, now, _PAGE + 1, after)
        views = (CaseFilter(), CaseFilter(due="overdue"), CaseFilter(work="match"), CaseFilter(work="receipt"),
                 CaseFilter(work="answer"), CaseFilter(state="closed"))  # fmt: skip
        return {
            "lines": found[:_PAGE],
            "more": after + _PAGE if len(found) > _PAGE else 0,
            "views": [(view, cases.count(view, now)) for view in views],
            "sources": [each for each in sources_told(services) if each["enabled"]],
        }

    values = await asyncio.to_thread(read)
    facts = {"chosen": chosen, "kinds": list(NoticeKind), "polled": services.settings.recall_poll}
    return render(request, "recalls.html", {**values, **facts, "query": chosen.query()})


@router.get("/recalls/notices/new")
async def notice_page(request: Request) -> Response:
    """Show the form for an order or a notice."""
    home = services_of(request).recalls.rules.home
    values = {
        "countries": [*eea_codes(), "EU"],
        "risk_types": services_of(request).engine.model.taxonomy.names,
        "kinds": [kind for kind in NoticeKind if kind is not NoticeKind.MONITORING],
        "zone": home.zone,
        "received": _now().astimezone(ZoneInfo(home.zone)).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "notice.html", values)


@router.post("/recalls/notices")
async def hand_in(request: Request) -> Response:
    """Take an order or a notice in, and lead to its case."""
    services, form = services_of(request), await read_form(request)
    given: dict[str, Any] = {
        name: form.text(name) for name in NoticeRequest.model_fields if form.text(name) and name not in _LISTS
    }
    given |= {name: found for name in _LISTS if (found := _listed(form, name))}
    given["received_at"] = _moment(form.text("received_at"), services.recalls.rules.home.zone)
    raw = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
    try:
        notice = NoticeRequest.model_validate(given)
    except ValidationError as failure:
        error = field_errors(failure, NoticeRequest)[0]
        raise RecallRefusedError(error.field, error.message, error.hint, error.value) from failure
    person, taxonomy = principal_of(request).name, services.engine.model.taxonomy
    taken = await _done(lambda: take_notice(services.recalls, notice, raw, "form", taxonomy, person, _now()))
    services.recall_runner.wake()
    case_id = next(iter(taken.cases.values()), None)
    return go(request, "/recalls" if case_id is None else f"/recalls/cases/{case_id}")


@router.get(_CASE)
async def case_page(request: Request, case_id: int) -> Response:
    """Show a case: the alert beside its matches."""
    services, now = services_of(request), _now()
    values = await asyncio.to_thread(_case_values, services, case_id, now)
    return render(request, "case.html", values)


@router.post(_CASE + "/preview")
async def preview(request: Request, case_id: int) -> Response:
    """Show what a judgement of the chosen matches would do."""
    desk, form = services_of(request).recalls, await read_form(request)
    state, ids = form.choice("state", MatchState), _chosen(form)
    found = await asyncio.to_thread(desk.matches.get, case_id, ids)
    values = {"matches": found, "state": state, "note": form.text("note"), "case_id": case_id}
    return render(request, "judge_preview.html", values)


@router.post(_CASE + "/judge")
async def judge(request: Request, case_id: int) -> Response:
    """Confirm or refuse matches, one or many."""
    desk, form, person = services_of(request).recalls, await read_form(request), principal_of(request).name
    # A button of one match lies within the form of all, whose choices come along.
    alone = form.text("one")
    state = form.choice("one_state" if alone else "state", MatchState)
    ids, note = _numbers([alone] if alone else form.all("match")), form.text("note")
    judged = await asyncio.to_thread(
        lambda: desk.matches.judge(desk.cases.get(case_id), ids, state, person, note, _now())
    )
    if judged.left and not judged.done:
        raise RecallConflictError(next(iter(judged.left.values())))
    return go(request, f"/recalls/cases/{case_id}")


@router.post(_CASE + "/take-back")
async def take_back(request: Request, case_id: int) -> Response:
    """Take a judgement back."""
    desk, form, person = services_of(request).recalls, await read_form(request), principal_of(request).name
    (match,) = _chosen(form)[:1]
    reason = form.text("reason")
    await asyncio.to_thread(lambda: desk.matches.take_back(desk.cases.get(case_id), match, person, reason, _now()))
    return go(request, f"/recalls/cases/{case_id}")


@router.post(_CASE + "/answer")
async def answer(request: Request, case_id: int) -> Response:
    """Keep the draft of an answer, or note that it was sent."""
    desk, form, person = services_of(request).recalls, await read_form(request), principal_of(request).name
    text, now = form.text("text"), _now()
    if form.text("act") == "sent":
        await asyncio.to_thread(desk.answered, case_id, text, person, now, now)
    else:
        await asyncio.to_thread(desk.draft, case_id, text, person, now)
    return go(request, f"/recalls/cases/{case_id}")


@router.post(_CASE + "/act")
async def act(request: Request, case_id: int) -> Response:
    """Close a case, open it again, have the store searched, add a listing, note who was informed."""
    services, form, person, now = services_of(request), await read_form(request), principal_of(request).name, _now()
    desk, reason, wanted = services.recalls, form.text("reason"), form.text("act")
    acts: Mapping[str, Callable[[], object]] = {
        "close": lambda: desk.cases.close(case_id, person, reason, now),
        "reopen": lambda: desk.cases.reopen(case_id, person, reason or "looked at again", now),
        "search": lambda: desk.cases.want_search(case_id, person, now),
        "sellers": lambda: desk.informed(case_id, Informed.SELLERS, person, now, now),
        "buyers": lambda: desk.informed(case_id, Informed.BUYERS, person, now, now),
        "add": lambda: desk.matches.add(case_id, [named(services, form.text("listing"))], FoundBy.PERSON, person, now),
    }
    if wanted not in acts:
        raise RecallRefusedError("act", f"{wanted!r} is none", f"choose {', '.join(acts)}", wanted)
    await asyncio.to_thread(acts[wanted])
    services.recall_runner.wake()
    return go(request, f"/recalls/cases/{case_id}")


@router.post("/recalls/clocks/{clock_id}")
async def change_clock(request: Request, clock_id: int) -> Response:
    """Pause, resume or extend a clock."""
    desk, form, person, now = services_of(request).recalls, await read_form(request), principal_of(request).name, _now()
    clocks, reason, wanted = desk.clocks, form.text("reason"), form.text("act")
    if wanted == "pause":
        clock = await asyncio.to_thread(clocks.pause, clock_id, person, reason, now)
    elif wanted == "resume":
        clock = await asyncio.to_thread(clocks.resume, clock_id, person, now)
    else:
        until = _moment(form.text("until"), desk.rules.home.zone)
        if until is None:
            raise RecallRefusedError("until", "is missing", "give the later end, as it was granted")
        clock = await asyncio.to_thread(clocks.extend, clock_id, dt.datetime.fromisoformat(until), person, reason, now)
    return go(request, f"/recalls/cases/{clock.case_id}")


def _case_values(services: Services, case_id: int, now: dt.datetime) -> dict[str, Any]:
    desk = services.recalls
    line = desk.cases.get(case_id)
    alert = line.alert.alert
    matches = desk.matches.of_case(case_id, limit=_SHOWN)
    with desk.engine.connect() as connection:
        sources = kept.sightings(connection, line.alert.id)
    return {
        "line": line,
        "case": line.case,
        "alert": alert,
        "withdrawn_at": line.alert.withdrawn_at,
        "sources": sources,
        "notices": desk.cases.notices(case_id),
        "clocks": [(clock, clock.state(now)) for clock in desk.cases.clocks(case_id)],
        "matches": [(match, _differences(alert, match)) for match in matches],
        "orders": {order.match_id: order for order in reversed(desk.orders.of_case(case_id))},
        "completeness": completeness_of(line),
        "draft": line.case.answer or desk.telling.answer(line, now),
        "history": [(event, orjson.loads(event.after)) for event in desk.cases.history(case_id)],
    }


def _differences(alert: Alert, match: CaseMatch) -> list[tuple[str, str, str, str]]:
    """Return field, value of the alert, value of the listing, and whether they agree: ``same``, ``other`` or empty."""
    listing = match.listing
    pairs = (
        ("title", alert.title, str(listing.get("title", ""))),
        ("brand", alert.brand, str(listing.get("brand", ""))),
        ("model", ", ".join(alert.models), str(listing.get("model", ""))),
        ("barcode", ", ".join(alert.barcodes), str(listing.get("gtin", ""))),
        ("category", alert.category, str(listing.get("category", ""))),
    )
    found = [(name, ours, theirs, _agreement(ours, theirs)) for name, ours, theirs in pairs if ours or theirs]
    # Titles and categories are worded otherwise nearly always: that says nothing, and is not marked.
    return [(*each[:3], "" if each[0] in ("title", "category") and each[3] == "other" else each[3]) for each in found]


def _agreement(ours: str, theirs: str) -> str:
    """Tell whether one of several values of an alert is a listing's, however these are spaced, hyphenated or padded."""
    if not ours or not theirs:
        return ""
    parts = {_bare(part) for part in (*ours.split(","), ours)}
    return "same" if _bare(theirs) in parts else "other"


def _bare(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum()).lstrip("0")


def _filter(request: Request) -> CaseFilter:
    form = Form(list(request.query_params.multi_items()))
    values = {each.name: form.text(each.name)[:200].replace("\x00", "") for each in fields(CaseFilter)}
    if values["state"] not in ("open", "closed", "all"):
        values["state"] = "open"
    return CaseFilter(**values)


def _chosen(form: Form) -> list[int]:
    return _numbers(form.all("match"))


def _numbers(given: list[str]) -> list[int]:
    if not given or any(not each.isascii() or not each.isdigit() or len(each) > 15 for each in given):
        raise RecallRefusedError("match", "nothing is chosen", "choose matches from the list")
    return [int(each) for each in given]


def _listed(form: Form, name: str) -> list[str]:
    """Values that were chosen, or written one a line or by commas."""
    parts = (part.strip() for text in form.all(name) for part in text.replace("\n", ",").split(","))
    return [part for part in parts if part]


def _moment(text: str, zone: str) -> str | None:
    """Return a moment as a form gives it, in the marketplace's zone."""
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise RecallRefusedError("moment", f"{text!r} is none", "write 2030-01-04T09:30", text) from error
    return (found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))).isoformat()


async def _done(work: Callable[[], _T]) -> _T:
    try:
        return await asyncio.to_thread(work)
    except InputError as error:
        raise RecallRefusedError(error.place or "notice", error.message, error.hint) from error


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

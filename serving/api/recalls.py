"""The recall desk: notices in, cases with their clocks, matches and answers, takedown orders and their receipts."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.access.asking import principal_of
from serving.api.body import parse_json, read_body
from serving.api.given import given, typed
from serving.api.idempotency import once
from serving.api.openapi import json_body, problems
from serving.api.problems import NOT_FOUND, RECALL_CONFLICT, WRONG_SHAPE, FieldError, ProblemError, shortened
from serving.api.recall_schemas import (
    AnswerRequest,
    CaseActRequest,
    CaseDetail,
    CaseList,
    ClockActRequest,
    ClockRecord,
    CompletenessAnswer,
    JudgedAnswer,
    JudgementRequest,
    MatchList,
    NamedListings,
    NoticeTaken,
    OrderList,
    OrderRecord,
    ReceiptRequest,
    SourceList,
    TakeBackRequest,
)
from serving.api.responses import JsonResponse
from serving.recalls import alerts as kept
from serving.recalls.cases import CaseFilter, CaseLine
from serving.recalls.clocks import Clock
from serving.recalls.documents import read
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.recalls.matches import CaseMatch, Proposal
from serving.recalls.notices import NoticeRequest, take_notice
from serving.recalls.orders import TakedownOrder
from serving.recalls.source_states import SourceStates
from serving.recalls.sources import load_sources
from serving.recalls.telling import completeness_of
from serving.recalls.words import FoundBy, MatchState
from serving.services import Services, services_of

router = APIRouter(tags=["recalls"])
_RECALLS = "/v1/recalls"
_CASE = _RECALLS + "/cases/{case_id}"
_ORDER = _RECALLS + "/orders/{order_id}"
_T = TypeVar("_T")
_BODY = (400, 409, 413, 415, 422, 500, 503)
CaseId = Annotated[int, Path(description="`id` of a case", ge=1, lt=2**31)]
OrderId = Annotated[str, Path(description="`id` of a takedown order", examples=["0f" * 16])]


@router.post(
    _RECALLS + "/notices",
    summary="Hand in an order or a notice",
    description="It becomes an alert with a case, or joins the case of the alert that it cites; its clocks begin with"
    " `received_at`. Sent again, the same body changes nothing. The body is kept as it came, with its hash.",
    status_code=201,
    response_model=NoticeTaken,
    openapi_extra=json_body("NoticeRequest"),
    responses=problems(404, *_BODY),
)
async def hand_in(request: Request) -> Response:
    """Hand in an order or a notice."""
    services = services_of(request)
    raw = await read_body(request, services.settings.max_body_bytes, "send the listings apart")
    notice = typed(parse_json(raw), NoticeRequest)
    person, taxonomy = principal_of(request).name, services.engine.model.taxonomy

    def take() -> dict[str, Any]:
        taken = take_notice(services.recalls, notice, raw, "api", taxonomy, person, _now())
        case_id = next(iter(taken.cases.values()), None)
        line = None if case_id is None else services.recalls.cases.get(case_id)
        clocks = [] if case_id is None else services.recalls.cases.clocks(case_id)
        return {
            "case_id": case_id,
            "alert_id": next(iter(taken.cases), None),
            "new": bool(taken.new),
            "document_id": taken.document_id,
            "due_at": None if line is None else line.case.due_at,
            "clocks": [_clock(clock) for clock in clocks],
        }

    async def answer(_: object) -> Response:
        taken = await _done(take)
        services.recall_runner.wake()
        return JsonResponse(taken, 201)

    return await once(request, lambda: sha256(raw).hexdigest(), answer)


@router.get(
    _RECALLS + "/cases",
    summary="List cases",
    description="Open ones by the end of their time; others newest first.",
    response_model=CaseList,
    responses=problems(422, 500, 503),
)
async def list_cases(
    request: Request,
    state: Literal["open", "closed", "all"] = "open",
    kind: Annotated[str, Query(max_length=32)] = "",
    due: Literal["", "overdue", "soon"] = "",
    work: Literal["", "match", "receipt", "answer"] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> JsonResponse:
    """List cases."""
    chosen = CaseFilter(state=state, kind=kind.replace("\x00", ""), due=due, work=work)
    cases = services_of(request).recalls.cases
    found = await asyncio.to_thread(cases.page, chosen, _now(), limit, offset)
    return JsonResponse({"cases": [_summary(line) for line in found]})


@router.get(
    _CASE,
    summary="Read one case",
    description="With its alert, sources, notices, clocks and every act.",
    response_model=CaseDetail,
    responses=problems(404, 422, 500, 503),
)
async def get_case(request: Request, case_id: CaseId) -> JsonResponse:
    """Read one case."""
    return JsonResponse(await _done(lambda: _detail(services_of(request), case_id)))


@router.get(
    _CASE + "/matches",
    summary="List the matches of a case",
    description="Listings that may be what the alert is about, those to judge first, most probable first.",
    response_model=MatchList,
    responses=problems(404, 422, 500, 503),
)
async def list_matches(
    request: Request,
    case_id: CaseId,
    state: Literal["", "proposed", "confirmed", "refused"] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> JsonResponse:
    """List the matches of a case."""
    desk = services_of(request).recalls

    def find() -> list[CaseMatch]:
        desk.cases.get(case_id)
        return desk.matches.of_case(case_id, MatchState(state) if state else None, limit, offset)

    return JsonResponse({"matches": [_match(each) for each in await _done(find)]})


@router.post(
    _CASE + "/matches",
    summary="Add listings to a case",
    description="Listings that were assessed, which a person or a notice names; they wait to be judged.",
    response_model=MatchList,
    openapi_extra=json_body("NamedListings"),
    responses=problems(404, *_BODY),
)
async def add_matches(request: Request, case_id: CaseId) -> JsonResponse:
    """Add listings to a case."""
    services, body = services_of(request), await given(request, NamedListings)
    person = principal_of(request).name

    def add() -> list[CaseMatch]:
        proposals = [named(services, key) for key in dict.fromkeys(body.listing_ids)]
        asked = services.recalls.matches.add(case_id, proposals, FoundBy.PERSON, person, _now())
        return services.recalls.matches.get(case_id, asked)

    return JsonResponse({"matches": [_match(each) for each in await _done(add)]})


@router.post(
    _CASE + "/judgements",
    summary="Confirm or refuse matches",
    description="What is confirmed is ordered down at once: the event `case.takedown_ordered` tells the marketplace.",
    response_model=JudgedAnswer,
    openapi_extra=json_body("JudgementRequest"),
    responses=problems(404, *_BODY),
)
async def judge(request: Request, case_id: CaseId) -> JsonResponse:
    """Confirm or refuse matches."""
    desk, body, person = (
        services_of(request).recalls,
        await given(request, JudgementRequest),
        principal_of(request).name,
    )
    judged = await _done(
        lambda: desk.matches.judge(
            desk.cases.get(case_id), body.matches, MatchState(body.state), person, body.note, _now()
        )
    )
    return JsonResponse(
        {"done": judged.done, "left": {str(k): v for k, v in judged.left.items()}, "orders": judged.orders}
    )


@router.post(
    _CASE + "/judgements/take-back",
    summary="Take a judgement back",
    description="The match waits to be judged again; its takedown order is withdrawn, unless the listing was removed.",
    response_model=CaseDetail,
    openapi_extra=json_body("TakeBackRequest"),
    responses=problems(404, *_BODY),
)
async def take_back(request: Request, case_id: CaseId) -> JsonResponse:
    """Take a judgement back."""
    services, body, person = services_of(request), await given(request, TakeBackRequest), principal_of(request).name
    desk = services.recalls
    await _done(lambda: desk.matches.take_back(desk.cases.get(case_id), body.match, person, body.reason, _now()))
    return JsonResponse(await _done(lambda: _detail(services, case_id)))


@router.post(
    _CASE + "/search",
    summary="Search the store once more",
    description="In the background; its end is an act of the case.",
    response_model=CaseDetail,
    responses=problems(404, 409, 422, 500, 503),
)
async def search(request: Request, case_id: CaseId) -> JsonResponse:
    """Search the store once more."""
    services, person = services_of(request), principal_of(request).name
    await _done(lambda: services.recalls.cases.want_search(case_id, person, _now()))
    services.recall_runner.wake()
    return JsonResponse(await _done(lambda: _detail(services, case_id)))


@router.get(
    _CASE + "/statement",
    summary="How completely it was done",
    description="Counted in the store: when the search finished, how many listings it looked at, how many matched and"
    " were removed; with the draft of an answer in English, German or French.",
    response_model=CompletenessAnswer,
    responses=problems(404, 422, 500, 503),
)
async def statement(request: Request, case_id: CaseId, language: Literal["", "en", "de", "fr"] = "") -> JsonResponse:
    """Tell how completely it was done."""
    desk = services_of(request).recalls
    line = await _done(lambda: desk.cases.get(case_id))
    return JsonResponse({**asdict(completeness_of(line)), "draft": desk.telling.answer(line, _now(), language)})


@router.post(
    _CASE + "/answer",
    summary="Keep or send the answer",
    description="Without `sent_at` a draft is kept. With it the answer counts as sent, which ends the clocks that"
    " ask for one; the text itself is sent by whatever channel the marketplace uses.",
    response_model=CaseDetail,
    openapi_extra=json_body("AnswerRequest"),
    responses=problems(404, *_BODY),
)
async def answer_case(request: Request, case_id: CaseId) -> JsonResponse:
    """Keep or send the answer."""
    services, body, person = services_of(request), await given(request, AnswerRequest), principal_of(request).name
    sent = body.sent_at
    if sent is None:
        await _done(lambda: services.recalls.draft(case_id, body.text, person, _now()))
    else:
        await _done(lambda: services.recalls.answered(case_id, body.text, person, sent, _now()))
    return JsonResponse(await _done(lambda: _detail(services, case_id)))


@router.post(
    _CASE + "/close",
    summary="Close a case",
    description="Once nothing is left to do.",
    response_model=CaseDetail,
    openapi_extra=json_body("CaseActRequest"),
    responses=problems(404, *_BODY),
)
async def close(request: Request, case_id: CaseId) -> JsonResponse:
    """Close a case."""
    services, body, person = services_of(request), await given(request, CaseActRequest), principal_of(request).name
    await _done(lambda: services.recalls.cases.close(case_id, person, body.reason, _now()))
    return JsonResponse(await _done(lambda: _detail(services, case_id)))


@router.post(
    _CASE + "/reopen",
    summary="Open a closed case again",
    description="Its clocks do not run anew; a further notice starts its own.",
    response_model=CaseDetail,
    openapi_extra=json_body("CaseActRequest"),
    responses=problems(404, *_BODY),
)
async def reopen(request: Request, case_id: CaseId) -> JsonResponse:
    """Open a closed case again."""
    services, body, person = services_of(request), await given(request, CaseActRequest), principal_of(request).name
    await _done(lambda: services.recalls.cases.reopen(case_id, person, body.reason, _now()))
    return JsonResponse(await _done(lambda: _detail(services, case_id)))


@router.post(
    _RECALLS + "/clocks/{clock_id}",
    summary="Pause, resume or extend a clock",
    description="Each with its reason, as an act of the case. A clock that stood still gets the working days back that"
    " began meanwhile.",
    response_model=ClockRecord,
    openapi_extra=json_body("ClockActRequest"),
    responses=problems(404, *_BODY),
)
async def change_clock(request: Request, clock_id: Annotated[int, Path(ge=1, lt=2**31)]) -> JsonResponse:
    """Pause, resume or extend a clock."""
    clocks, body, person = (
        services_of(request).recalls.clocks,
        await given(request, ClockActRequest),
        principal_of(request).name,
    )

    def act() -> Clock:
        if body.act == "pause":
            return clocks.pause(clock_id, person, body.reason, _now())
        if body.act == "resume":
            return clocks.resume(clock_id, person, _now())
        if body.until is None:
            raise RecallRefusedError("until", "is missing", "give the later end, as it was granted")
        return clocks.extend(clock_id, body.until, person, body.reason, _now())

    return JsonResponse(_clock(await _done(act)))


@router.get(
    _RECALLS + "/orders",
    summary="List takedown orders",
    description="Those without a receipt, or all; oldest first. `after` is the id of the last one of the page before.",
    response_model=OrderList,
    responses=problems(404, 422, 500, 503),
)
async def list_orders(
    request: Request,
    state: Literal["waiting", "all"] = "waiting",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[str, Query(max_length=32)] = "",
) -> JsonResponse:
    """List takedown orders."""
    orders = services_of(request).recalls.orders

    def find() -> list[TakedownOrder]:
        last = orders.get(after) if after else None
        return orders.page(state, limit, None if last is None else (last.ordered_at, last.id))

    return JsonResponse({"orders": [_order(each) for each in await _done(find)]})


@router.get(
    _ORDER,
    summary="Read one takedown order",
    description="With its receipt, if it has one.",
    response_model=OrderRecord,
    responses=problems(404, 500, 503),
)
async def get_order(request: Request, order_id: OrderId) -> JsonResponse:
    """Read one takedown order."""
    orders = services_of(request).recalls.orders
    return JsonResponse(_order(await _done(lambda: orders.get(order_id[:64].replace("\x00", "")))))


@router.post(
    _ORDER + "/receipt",
    summary="Acknowledge a takedown order",
    description="When the listing was removed, or why it was not. The same receipt again changes nothing; after a"
    " refusal a removal can still be told.",
    response_model=OrderRecord,
    openapi_extra=json_body("ReceiptRequest"),
    responses=problems(404, *_BODY),
)
async def receipt(request: Request, order_id: OrderId) -> JsonResponse:
    """Acknowledge a takedown order."""
    orders, body, person = (
        services_of(request).recalls.orders,
        await given(request, ReceiptRequest),
        principal_of(request).name,
    )
    key = order_id[:64].replace("\x00", "")
    return JsonResponse(_order(await _done(lambda: orders.receipt(key, person, _now(), body.removed_at, body.refused))))


@router.get(
    _RECALLS + "/sources",
    summary="List sources of alerts",
    description="Where alerts are looked for, how sure their addresses are, and how the last round went.",
    response_model=SourceList,
    responses=problems(500, 503),
)
async def list_sources(request: Request) -> JsonResponse:
    """List sources of alerts."""
    services = services_of(request)
    rows = await asyncio.to_thread(sources_told, services)
    return JsonResponse({"polled": services.settings.recall_poll, "sources": rows})


@router.get(
    _RECALLS + "/documents/{document_id}",
    summary="Read a document as it came",
    description="The bytes that a source or a sender gave, with their SHA-256 in `ETag`.",
    response_class=Response,
    responses={
        200: {"description": "The bytes.", "content": {"application/octet-stream": {}}},
        **problems(404, 422, 500, 503),
    },
)
async def get_document(request: Request, document_id: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
    """Read a document as it came."""
    engine = services_of(request).recalls.engine

    def find() -> Any:
        with engine.connect() as connection:
            return read(connection, document_id)

    found = await asyncio.to_thread(find)
    if found is None:
        raise ProblemError(NOT_FOUND, f"There is no document {document_id}.")
    headers = {
        "ETag": f'"{found[0].sha256}"',
        "Content-Disposition": f'attachment; filename="document-{document_id}"',
        "Cache-Control": "no-store",
    }
    return Response(found[1], media_type="application/octet-stream", headers=headers)


def named(services: Services, listing_id: str) -> Proposal:
    """Return a listing that a person names, as a case takes it.

    Raises
    ------
    RecallRefusedError
        If no listing of that id was assessed.
    """
    stored = [] if "\x00" in listing_id else services.store.of_listing(listing_id, 1)
    if not stored:
        hint = "send it to POST /v1/assessments first"
        raise RecallRefusedError("listing_ids", f"{shortened(listing_id)} was never assessed", hint, listing_id)
    return Proposal(Listing.model_validate(stored[0].listing), 1.0, assessment_id=stored[0].id)


def sources_told(services: Services) -> list[dict[str, Any]]:
    """Return the sources with where they stand; blocks."""
    states = SourceStates(services.recalls.engine).all()
    rows = []
    for source in load_sources(services.settings.recall_sources):
        state = states.get(source.id)
        facts = {name: getattr(source, name) for name in ("id", "kind", "what", "url", "sure", "enabled")}
        stands = ("polled_at", "succeeded_at", "next_at")
        rows.append(
            {
                **facts,
                **{name: None if state is None else getattr(state, name) for name in stands},
                "failures": 0 if state is None else state.failures,
                "failure": "" if state is None else state.failure,
            }
        )
    return rows


async def _done(act: Callable[[], _T]) -> _T:
    """Do something in a thread; what the desk refuses becomes a problem."""
    try:
        return await asyncio.to_thread(act)
    except NoRecallError as error:
        raise ProblemError(NOT_FOUND, str(error)) from error
    except RecallConflictError as error:
        raise ProblemError(RECALL_CONFLICT, str(error)) from error
    except RecallRefusedError as error:
        value = None if error.value is None else shortened(error.value)
        found = FieldError(field=error.field, value=value, message=error.message, hint=error.hint)
        raise ProblemError(WRONG_SHAPE, f"{error.field}: {error.message}; {error.hint}.", [found]) from error
    except InputError as error:
        found = FieldError(field=error.place, value=None, message=error.message, hint=error.hint)
        raise ProblemError(WRONG_SHAPE, str(error), [found]) from error


def _detail(services: Services, case_id: int) -> dict[str, Any]:
    desk = services.recalls
    line = desk.cases.get(case_id)
    with desk.engine.connect() as connection:
        sources = [asdict(each) for each in kept.sightings(connection, line.alert.id)]
    instants = (
        "search_finished_at", "looked_at", "identified_at", "ordered_at", "removed_at", "informed_at", "answered_at",
        "closed_at", "answer",
    )  # fmt: skip
    return {
        **_summary(line),
        "alert": line.alert.alert.as_json(),
        "withdrawn_at": line.alert.withdrawn_at,
        "sources": sources,
        "notices": [asdict(each) for each in desk.cases.notices(case_id)],
        "clocks": [_clock(clock) for clock in desk.cases.clocks(case_id)],
        **{name: getattr(line.case, name) for name in instants},
        "events": [
            {"number": event.number, "at": event.at, "actor": event.actor, "kind": event.kind,
             "new": orjson.loads(event.new), "old": orjson.loads(event.old)}
            for event in desk.cases.history(case_id)
        ],
    }  # fmt: skip


def _summary(line: CaseLine) -> dict[str, Any]:
    case, alert = line.case, line.alert.alert
    return {
        "id": case.id, "alert_id": case.alert_id, "reference": alert.reference, "title": alert.title,
        "brand": alert.brand, "kind": case.kind, "authority": case.authority, "country": case.country,
        "state": case.state, "received_at": case.received_at, "due_at": case.due_at, "counts": asdict(line.counts),
    }  # fmt: skip


def _clock(clock: Clock) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(clock).items() if name in ClockRecord.model_fields}
    return {**facts, "duty": clock.duty.value, "state": clock.state(_now())}


def _match(match: CaseMatch) -> dict[str, Any]:
    left_out = ("case_id", "assessment_id", "content_hash", "countries", "listing")
    facts = {name: value for name, value in asdict(match).items() if name not in left_out}
    return {**facts, "state": match.state.value}


def _order(order: TakedownOrder) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(order).items() if name in OrderRecord.model_fields}
    return {**facts, "state": order.state}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

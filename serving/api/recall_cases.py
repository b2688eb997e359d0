"""Cases over HTTP: listed, read, and brought further by acts."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from serving.access.asking import principal_of
from serving.api.openapi import json_body, problems
from serving.api.recall_acts import BODY, CASE, RECALLS, Asked, CaseId, asked, case_after, done
from serving.api.recall_records import clock_record, detail, summary_record
from serving.api.recall_schemas import (
    AnswerRequest,
    CaseActRequest,
    CaseDetail,
    CaseList,
    ClockActRequest,
    ClockRecord,
    CompletenessAnswer,
    InformedRequest,
)
from serving.api.responses import JsonResponse
from serving.recalls.cases import CaseFilter
from serving.recalls.clocks import Clock
from serving.recalls.errors import RecallRefusedError
from serving.recalls.telling import completeness_of
from serving.recalls.words import Informed
from serving.services import services_of

router = APIRouter(tags=["recalls"])


@router.get(
    RECALLS + "/cases",
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
    found = await asyncio.to_thread(cases.page, chosen, dt.datetime.now(dt.UTC), limit, offset)
    return JsonResponse({"cases": [summary_record(line) for line in found]})


@router.get(
    CASE,
    summary="Read one case",
    description="With its alert, sources, notices, clocks and every act.",
    response_model=CaseDetail,
    responses=problems(404, 422, 500, 503),
)
async def get_case(request: Request, case_id: CaseId) -> JsonResponse:
    """Read one case."""
    return JsonResponse(await done(lambda: detail(services_of(request).recalls, case_id)))


@router.post(
    CASE + "/search",
    summary="Search the store once more",
    description="In the background; its end is an act of the case.",
    response_model=CaseDetail,
    responses=problems(404, 409, 422, 500, 503),
)
async def search(request: Request, case_id: CaseId) -> JsonResponse:
    """Search the store once more."""
    services, person = services_of(request), principal_of(request).name
    await done(lambda: services.recalls.cases.want_search(case_id, person, dt.datetime.now(dt.UTC)))
    services.recall_runner.wake()
    return JsonResponse(await done(lambda: detail(services.recalls, case_id)))


@router.get(
    CASE + "/statement",
    summary="How completely it was done",
    description="Counted in the store: when the search finished, how many listings it looked at, how many matched and"
    " were removed; with the draft of an answer in English, German or French.",
    response_model=CompletenessAnswer,
    responses=problems(404, 422, 500, 503),
)
async def statement(request: Request, case_id: CaseId, language: Literal["", "en", "de", "fr"] = "") -> JsonResponse:
    """Tell how completely it was done."""
    desk = services_of(request).recalls
    line = await done(lambda: desk.cases.get(case_id))
    draft = desk.telling.answer(line, dt.datetime.now(dt.UTC), language)
    return JsonResponse({**asdict(completeness_of(line)), "draft": draft})


@router.post(
    CASE + "/answer",
    summary="Keep or send the answer",
    description="Without `sent_at` a draft is kept. With it the answer counts as sent, which ends the clocks that"
    " ask for one; the text itself is sent by whatever channel the marketplace uses.",
    response_model=CaseDetail,
    openapi_extra=json_body("AnswerRequest"),
    responses=problems(404, *BODY),
)
async def answer_case(request: Request, case_id: CaseId) -> JsonResponse:
    """Keep or send the answer."""

    def act(wanted: Asked[AnswerRequest]) -> None:
        desk, body = wanted.desk, wanted.body
        if body.sent_at is None:
            desk.draft(case_id, body.text, wanted.person, wanted.now)
        else:
            desk.answered(case_id, body.text, wanted.person, body.sent_at, wanted.now)

    return await case_after(request, case_id, AnswerRequest, act)


@router.post(
    CASE + "/informed",
    summary="Note that sellers or buyers were informed",
    description="Of what the recall is about, by whatever channel the marketplace uses. Where order lines were handed"
    " over, their receipts say when the buyers were informed; that the authority was, its answer says.",
    response_model=CaseDetail,
    openapi_extra=json_body("InformedRequest"),
    responses=problems(404, *BODY),
)
async def inform(request: Request, case_id: CaseId) -> JsonResponse:
    """Note that sellers or buyers were informed."""

    def act(wanted: Asked[InformedRequest]) -> None:
        body = wanted.body
        wanted.desk.informed(case_id, Informed(body.who), wanted.person, body.at or wanted.now, wanted.now, body.note)

    return await case_after(request, case_id, InformedRequest, act)


@router.post(
    CASE + "/close",
    summary="Close a case",
    description="Once nothing is left to do.",
    response_model=CaseDetail,
    openapi_extra=json_body("CaseActRequest"),
    responses=problems(404, *BODY),
)
async def close(request: Request, case_id: CaseId) -> JsonResponse:
    """Close a case."""

    def act(wanted: Asked[CaseActRequest]) -> None:
        wanted.desk.cases.close(case_id, wanted.person, wanted.body.reason, wanted.now)

    return await case_after(request, case_id, CaseActRequest, act)


@router.post(
    CASE + "/reopen",
    summary="Open a closed case again",
    description="Its clocks do not run anew; a further notice starts its own.",
    response_model=CaseDetail,
    openapi_extra=json_body("CaseActRequest"),
    responses=problems(404, *BODY),
)
async def reopen(request: Request, case_id: CaseId) -> JsonResponse:
    """Open a closed case again."""

    def act(wanted: Asked[CaseActRequest]) -> None:
        wanted.desk.cases.reopen(case_id, wanted.person, wanted.body.reason, wanted.now)

    return await case_after(request, case_id, CaseActRequest, act)


@router.post(
    RECALLS + "/clocks/{clock_id}",
    summary="Pause, resume or extend a clock",
    description="Each with its reason, as an act of the case. A clock that stood still gets the working days back that"
    " began meanwhile.",
    response_model=ClockRecord,
    openapi_extra=json_body("ClockActRequest"),
    responses=problems(404, *BODY),
)
async def change_clock(request: Request, clock_id: Annotated[int, Path(ge=1, lt=2**31)]) -> JsonResponse:
    """Pause, resume or extend a clock."""
    wanted = await asked(request, ClockActRequest)
    clocks, body, person, now = wanted.desk.clocks, wanted.body, wanted.person, wanted.now

    def act() -> Clock:
        if body.act == "pause":
            return clocks.pause(clock_id, person, body.reason, now)
        if body.act == "resume":
            return clocks.resume(clock_id, person, now)
        if body.until is None:
            raise RecallRefusedError("until", "is missing", "give the later end, as it was granted")
        return clocks.extend(clock_id, body.until, person, body.reason, now)

    return JsonResponse(clock_record(await done(act)))

"""Matches of cases over HTTP: listed, added, judged, taken back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from models.domain.listing import Listing
from serving.api.openapi import json_body, problems
from serving.api.problems import shortened
from serving.api.recall_acts import BODY, CASE, Asked, CaseId, asked, case_after, done
from serving.api.recall_records import match_record
from serving.api.recall_schemas import (
    CaseDetail,
    JudgedAnswer,
    JudgementRequest,
    MatchList,
    NamedListings,
    TakeBackRequest,
)
from serving.api.responses import JsonResponse
from serving.recalls.errors import RecallRefusedError
from serving.recalls.matches import CaseMatch, Judged, Proposal
from serving.recalls.words import FoundBy, MatchState
from serving.services import Services, services_of

router = APIRouter(tags=["recalls"])


@router.get(
    CASE + "/matches",
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

    return JsonResponse({"matches": [match_record(each) for each in await done(find)]})


@router.post(
    CASE + "/matches",
    summary="Add listings to a case",
    description="Listings that were assessed, which a person or a notice names; they wait to be judged.",
    response_model=MatchList,
    openapi_extra=json_body("NamedListings"),
    responses=problems(404, *BODY),
)
async def add_matches(request: Request, case_id: CaseId) -> JsonResponse:
    """Add listings to a case."""
    wanted = await asked(request, NamedListings)

    def add() -> list[CaseMatch]:
        proposals = [named(wanted.services, key) for key in dict.fromkeys(wanted.body.listing_ids)]
        added = wanted.desk.matches.add(case_id, proposals, FoundBy.PERSON, wanted.person, wanted.now)
        return wanted.desk.matches.get(case_id, added)

    return JsonResponse({"matches": [match_record(each) for each in await done(add)]})


@router.post(
    CASE + "/judgements",
    summary="Confirm or refuse matches",
    description="What is confirmed is ordered down at once: the event `case.takedown_ordered` tells the marketplace.",
    response_model=JudgedAnswer,
    openapi_extra=json_body("JudgementRequest"),
    responses=problems(404, *BODY),
)
async def judge(request: Request, case_id: CaseId) -> JsonResponse:
    """Confirm or refuse matches."""
    wanted = await asked(request, JudgementRequest)
    desk, body = wanted.desk, wanted.body

    def act() -> Judged:
        line, state = desk.cases.get(case_id), MatchState(body.state)
        return desk.matches.judge(line, body.matches, state, wanted.person, body.note, wanted.now)

    judged = await done(act)
    left = {str(match): why for match, why in judged.left.items()}
    return JsonResponse({"done": judged.done, "left": left, "orders": judged.orders})


@router.post(
    CASE + "/judgements/take-back",
    summary="Take a judgement back",
    description="The match waits to be judged again; its takedown order is withdrawn, unless the listing was removed.",
    response_model=CaseDetail,
    openapi_extra=json_body("TakeBackRequest"),
    responses=problems(404, *BODY),
)
async def take_back(request: Request, case_id: CaseId) -> JsonResponse:
    """Take a judgement back."""

    def act(wanted: Asked[TakeBackRequest]) -> None:
        line, body = wanted.desk.cases.get(case_id), wanted.body
        wanted.desk.matches.take_back(line, body.match, wanted.person, body.reason, wanted.now)

    return await case_after(request, case_id, TakeBackRequest, act)


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

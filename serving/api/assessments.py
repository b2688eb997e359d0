"""Assess listings; read what was assessed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, TypeVar

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from models.classifier.classifier import Detail
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from serving.access.asking import charge_listings
from serving.api.frame import request_id
from serving.api.gate import arrived, seconds_left
from serving.api.idempotency import once
from serving.api.intake import Refusal
from serving.api.openapi import ASSESS_BODY, ASSESS_DESCRIPTION, problems
from serving.api.pictured import Body, Given, read_given, read_request
from serving.api.problems import NOT_FOUND, TOO_MANY_LISTINGS, ProblemError, shortened
from serving.api.responses import JsonResponse
from serving.api.results import results
from serving.api.schemas import AssessmentAnswer, StoredAnswer, SummaryList
from serving.engine import InForce, Outcome
from serving.pictures.entries import Entry
from serving.pictures.room import PictureRoom
from serving.services import services_of
from serving.store.assessments import Answered, Order, is_assessment_id
from serving.watching import request_watch

router = APIRouter(tags=["assessments"])
_PATH = "/v1/assessments"
_LOGGED = 20
_SHORT = 20_000
"""Bytes of JSON that are read in less than a millisecond."""
_FEW = 8
"""Answers that are written in less than a millisecond."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Answers:
    """What one request came to; `pictures` by the place of their listing."""

    listings: list[Listing | Refusal]
    outcomes: list[Outcome]
    request_id: str
    pictures: Mapping[int, tuple[Entry, ...]]

    def body(self, versions: dict[str, str]) -> bytes:
        """Return the answer's JSON."""
        rows = list(results(self.listings, self.outcomes, _PATH, f"request {self.request_id}"))
        for index, entries in self.pictures.items():
            rows[index]["pictures"] = [entry.shown() for entry in entries]
        return orjson.dumps({"results": rows, "versions": versions})

    def kept(self, explain: Detail) -> list[Answered]:
        """Return what is to be stored."""
        accepted = ((i, listing) for i, listing in enumerate(self.listings) if isinstance(listing, Listing))
        return [
            Answered(listing, outcome, explain, self.pictures.get(i, ()))
            for (i, listing), outcome in zip(accepted, self.outcomes, strict=True)
            if isinstance(outcome, Assessment)
        ]


@router.post(
    _PATH,
    summary="Assess listings",
    description=ASSESS_DESCRIPTION,
    response_model=AssessmentAnswer,
    openapi_extra=ASSESS_BODY,
    responses=problems(400, 409, 413, 415, 422, 429, 500, 503, 504),
)
async def assess(
    request: Request,
    explain: Annotated[
        Detail,
        Query(description="`tokens`: twelve strongest words of the main hazards; `full`: every word, every risk type"),
    ] = "none",
) -> Response:
    """Assess listings."""
    services = services_of(request)
    in_force = services.engine.in_force
    body = await read_request(request, services.settings.max_body_bytes)
    return await once(request, lambda: body.digest, lambda _: _assessed(request, body, explain, in_force))


async def _assessed(request: Request, body: Body, explain: Detail, in_force: InForce) -> JsonResponse:
    services, watch = services_of(request), request_watch()
    settings = services.settings
    rules = services.pictures.rules
    given = await _aside(len(body.listings) > _SHORT, read_given, body, settings.max_listings, rules, _PATH)
    listings = [each.listing for each in given]
    services.metrics.asked(len(listings))
    watch.facts.update(in_force.versions.model_dump(), listings=len(listings), explain=explain)
    watch.lap("read")
    if explain == "full" and len(listings) > settings.max_full:
        detail = f"{len(listings):,} listings with explain=full; at most {settings.max_full:,} in one request."
        raise ProblemError(TOO_MANY_LISTINGS, detail)
    charge_listings(request, len(listings))
    pictures = await _received(services.pictures, given, listings)
    accepted = [listing for listing in listings if isinstance(listing, Listing)]
    if settings.log_listings:
        request.scope["state"]["titles"] = [shortened(listing.title) for listing in accepted[:_LOGGED]]
    arrived(request.scope)
    outcomes = await services.engine.assess(accepted, explain, in_force, seconds_left(request.scope))
    answers = _Answers(listings, outcomes, request_id(request.scope), pictures)
    watch.lap("assess")
    kept = answers.kept(explain)
    await services.saving.save(kept)
    if pictures:
        services.pictures.reader.wake()
    watch.lap("store")
    services.shadow.offer(kept)
    services.count(outcomes, len(listings) - len(accepted))
    long = len(outcomes) > _FEW or explain == "full"
    answer = JsonResponse(orjson.Fragment(await _aside(long, answers.body, in_force.versions.model_dump())))
    watch.lap("write")
    return answer


@router.get(
    _PATH,
    summary="List kept assessments",
    description="Most risky first, or newest first; without listing texts and explanations.",
    response_model=SummaryList,
    responses=problems(422, 500, 503),
)
async def list_assessments(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500, description="most rows")] = 20,
    order: Annotated[Order, Query(description="`risk`: most risky first; `recent`: newest first")] = "risk",
) -> JsonResponse:
    """List kept assessments."""
    store = services_of(request).store
    rows, total = await asyncio.gather(asyncio.to_thread(store.summaries, limit, order), asyncio.to_thread(store.count))
    return JsonResponse({"assessments": [asdict(row) for row in rows], "total": total})


@router.get(
    f"{_PATH}/{{assessment_id}}",
    summary="Read one assessment",
    description="As it was kept, with the most detailed explanation that was ever asked for.",
    response_model=StoredAnswer,
    responses=problems(404, 500, 503),
)
async def get_assessment(
    request: Request, assessment_id: Annotated[str, Path(description="`id` of an assessment", examples=["0f" * 16])]
) -> JsonResponse:
    """Read one assessment."""
    stored = (
        await asyncio.to_thread(services_of(request).store.get, assessment_id)
        if is_assessment_id(assessment_id)
        else None
    )
    if stored is None:
        raise ProblemError(NOT_FOUND, f"No assessment has the id {shortened(assessment_id)}.")
    return JsonResponse(asdict(stored))


async def _aside(long: bool, do: Callable[..., _T], *arguments: object) -> _T:
    """Do something on a thread where it takes longer than the event loop may stand still, else at once."""
    return await asyncio.to_thread(do, *arguments) if long else do(*arguments)


async def _received(
    room: PictureRoom, given: Sequence[Given], listings: list[Listing | Refusal]
) -> dict[int, tuple[Entry, ...]]:
    """Take the pictures in, and put in place of their listings those that hold words of theirs already."""
    found: dict[int, tuple[Entry, ...]] = {}
    for index, each in enumerate(given):
        if each.pictures and isinstance(each.listing, Listing):
            listings[index], found[index] = await asyncio.to_thread(room.received, each.listing, each.pictures)
    return found

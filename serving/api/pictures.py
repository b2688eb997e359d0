"""Pictures of listings: what was read of them, a clean copy for reviewers, and those that are to be known again."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from models.domain.errors import InputError
from models.pictures.identity import fingerprint
from serving.access.asking import principal_of
from serving.api.body import parse_json, read_body
from serving.api.intake import field_errors
from serving.api.openapi import json_body, problems
from serving.api.picture_schemas import Known, KnownList, KnownRequest, PicturesAnswer
from serving.api.problems import NOT_FOUND, UNREADABLE_FILE, WRONG_SHAPE, FieldError, ProblemError, shortened
from serving.api.responses import JsonResponse
from serving.pictures.known import KnownPicture
from serving.pictures.offered import Offered, read_images
from serving.services import Services, services_of
from serving.store.assessments import is_assessment_id

router = APIRouter(tags=["pictures"])
_ID = re.compile(r"[0-9a-f]{32}")
_LOCKED = "default-src 'none'; sandbox"
PictureId = Annotated[str, Path(description="`id` of a picture", examples=["0f" * 16])]


@router.get(
    "/v1/assessments/{assessment_id}/pictures",
    summary="What was read of the pictures of an assessment",
    description="Of the assessment that the pictures came with, or of the one that was made with their words.",
    response_model=PicturesAnswer,
    responses=problems(404, 500, 503),
)
async def get_pictures(
    request: Request, assessment_id: Annotated[str, Path(description="`id` of an assessment", examples=["0f" * 16])]
) -> JsonResponse:
    """Tell what was read of the pictures of an assessment."""
    services = services_of(request)
    store = services.pictures.store
    stored = await asyncio.to_thread(services.store.get, assessment_id) if is_assessment_id(assessment_id) else None
    if stored is None:
        raise ProblemError(NOT_FOUND, f"No assessment has the id {shortened(assessment_id)}.")
    reading = await asyncio.to_thread(store.of_assessment, assessment_id)
    entries = [] if reading is None else await asyncio.to_thread(store.entries, reading.id)
    return JsonResponse(
        {
            "assessment_id": assessment_id,
            "state": "none" if reading is None else reading.state,
            "outcome_id": None if reading is None else reading.outcome_id,
            "change": None if reading is None else reading.change,
            "pictures": [entry.shown() for entry in entries],
        }
    )


@router.get(
    "/v1/pictures/{picture_id}",
    summary="A clean copy of a picture",
    description="A JPEG made from its pixels, without anything else of the file; as long as it is kept.",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The copy."}, **problems(404, 500, 503)},
)
async def get_picture(request: Request, picture_id: PictureId) -> Response:
    """Show a picture."""
    room = services_of(request).pictures
    entry = await asyncio.to_thread(room.store.entry, picture_id) if _ID.fullmatch(picture_id) else None
    data = await asyncio.to_thread(room.files.copy, entry.sha256) if entry is not None and entry.sha256 else None
    if data is None:
        why = "has the id" if entry is None else "is kept any more under"
        raise ProblemError(NOT_FOUND, f"No picture {why} {shortened(picture_id)}.")
    headers = {
        "Content-Security-Policy": _LOCKED,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Content-Disposition": "inline; filename=picture.jpg",
    }
    return Response(data, media_type="image/jpeg", headers=headers)


@router.get(
    "/v1/known-pictures",
    summary="List known pictures",
    description="Pictures of alerts and of removed listings that new pictures are compared with, newest first.",
    response_model=KnownList,
    responses=problems(422, 500, 503),
)
async def list_known(
    request: Request, limit: Annotated[int, Query(ge=1, le=500, description="most pictures")] = 100
) -> JsonResponse:
    """List known pictures."""
    known = await asyncio.to_thread(services_of(request).pictures.known.newest, limit)
    return JsonResponse({"pictures": [asdict(one) for one in known]})


@router.post(
    "/v1/known-pictures",
    summary="Know a picture again",
    description="Its hashes are kept, not the picture. The pictures of listings that reviewers block are added by"
    " themselves, and go where a complaint brings the listing back.",
    status_code=201,
    response_model=Known,
    openapi_extra=json_body("KnownRequest"),
    responses=problems(400, 413, 415, 422, 500, 503),
)
async def add_known(request: Request) -> JsonResponse:
    """Know a picture again."""
    services = services_of(request)
    raw = parse_json(await read_body(request, services.settings.max_body_bytes, "send a smaller picture"))
    try:
        asked = KnownRequest.model_validate(raw)
    except ValidationError as failure:
        errors = field_errors(failure, KnownRequest)
        raise ProblemError(WRONG_SHAPE, f"{errors[0].field}: {errors[0].message}.", errors) from failure
    pictures, wrong = read_images([{"data": asked.data}], services.pictures.rules)
    if wrong:
        error = wrong[0].model_copy(update={"field": "data"})
        raise ProblemError(UNREADABLE_FILE, f"data: {error.message}; {error.hint}.", [error])
    known = await asyncio.to_thread(_added, services, asked, pictures[0], principal_of(request).name)
    return JsonResponse(asdict(known), 201)


@router.delete(
    "/v1/known-pictures/{known_id}",
    summary="Forget a known picture",
    status_code=204,
    response_class=Response,
    responses=problems(404, 500, 503),
)
async def forget_known(request: Request, known_id: PictureId) -> Response:
    """Forget a known picture."""
    known = services_of(request).pictures.known
    if not _ID.fullmatch(known_id) or not await asyncio.to_thread(known.remove, known_id):
        raise ProblemError(NOT_FOUND, f"No known picture has the id {shortened(known_id)}.")
    return Response(status_code=204)


def _added(services: Services, asked: KnownRequest, offered: Offered, person: str) -> KnownPicture:
    room = services.pictures
    try:
        picture = room.decoder.decode(offered.data)
    except InputError as error:
        found = FieldError(field="data", value=None, message=error.message, hint=error.hint)
        raise ProblemError(UNREADABLE_FILE, f"data: {error}.", [found]) from error
    hashes = fingerprint(picture.image).texts
    if not hashes:
        hint = "send one that shows the product"
        found = FieldError(field="data", value=None, message="shows too little to be known again", hint=hint)
        raise ProblemError(UNREADABLE_FILE, f"data: {found.message}; {hint}.", [found])
    return room.known.add(asked.kind, asked.subject, picture.sha256, hashes, asked.note, person)

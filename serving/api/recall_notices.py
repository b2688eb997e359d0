"""What comes in at the recall desk: orders and notices, sources of alerts, documents as they came."""

from __future__ import annotations

import asyncio
import datetime as dt
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from serving.access.asking import principal_of
from serving.api.body import parse_json, read_body
from serving.api.given import typed
from serving.api.idempotency import once
from serving.api.openapi import json_body, problems
from serving.api.problems import NOT_FOUND, ProblemError
from serving.api.recall_acts import BODY, RECALLS, done
from serving.api.recall_records import clock_record
from serving.api.recall_schemas import NoticeTaken, SourceList
from serving.api.responses import JsonResponse
from serving.recalls.documents import read
from serving.recalls.notices import NoticeRequest, take_notice
from serving.recalls.source_states import SourceStates
from serving.recalls.sources import load_sources
from serving.services import Services, services_of

router = APIRouter(tags=["recalls"])


@router.post(
    RECALLS + "/notices",
    summary="Hand in an order or a notice",
    description="It becomes an alert with a case, or joins the case of the alert that it cites; its clocks begin with"
    " `received_at`. Sent again, the same body changes nothing. The body is kept as it came, with its hash.",
    status_code=201,
    response_model=NoticeTaken,
    openapi_extra=json_body("NoticeRequest"),
    responses=problems(404, *BODY),
)
async def hand_in(request: Request) -> Response:
    """Hand in an order or a notice."""
    services = services_of(request)
    raw = await read_body(request, services.settings.max_body_bytes, "send the listings apart")
    notice = typed(parse_json(raw), NoticeRequest)
    person, taxonomy = principal_of(request).name, services.engine.model.taxonomy

    def take() -> dict[str, Any]:
        taken = take_notice(services.recalls, notice, raw, "api", taxonomy, person, dt.datetime.now(dt.UTC))
        case_id = next(iter(taken.cases.values()), None)
        line = None if case_id is None else services.recalls.cases.get(case_id)
        clocks = [] if case_id is None else services.recalls.cases.clocks(case_id)
        return {
            "case_id": case_id,
            "alert_id": next(iter(taken.cases), None),
            "new": bool(taken.new),
            "document_id": taken.document_id,
            "due_at": None if line is None else line.case.due_at,
            "clocks": [clock_record(clock) for clock in clocks],
        }

    async def answer(_: object) -> Response:
        taken = await done(take)
        services.recall_runner.wake()
        return JsonResponse(taken, 201)

    return await once(request, lambda: sha256(raw).hexdigest(), answer)


@router.get(
    RECALLS + "/sources",
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
    RECALLS + "/documents/{document_id}",
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

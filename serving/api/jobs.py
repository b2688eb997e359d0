"""Jobs: submit a long list, follow it, take its result."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from models.domain.assessment import Tiers
from serving.access.asking import principal_of
from serving.access.principal import Role
from serving.api.idempotency import once
from serving.api.job_schemas import RANKS, JobAnswer, JobList, Priority
from serving.api.openapi import JOB_BODY, JOB_DESCRIPTION, JOB_RESULT, problems
from serving.api.problems import (
    INVALID_PARAMETER,
    JOB_UNFINISHED,
    NO_SUCH_RANGE,
    NOT_FOUND,
    TOO_MANY_JOBS,
    ProblemError,
    shortened,
)
from serving.api.responses import JsonResponse
from serving.api.upload import Upload, uploaded
from serving.jobs.files import size_of
from serving.jobs.tables import table_pieces
from serving.services import Services, services_of
from serving.store.assessments import is_assessment_id
from serving.store.idempotency import Mine
from serving.store.jobs import Job

router = APIRouter(tags=["jobs"])
_PATH = "/v1/jobs"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_LOOK_AGAIN = "5"
_FULL = "60"
JobId = Annotated[str, Path(description="`id` of a job", examples=["0f" * 16])]
ResultFormat = Literal["jsonl", "arrow", "parquet"]
RESULT_KINDS: dict[ResultFormat, str] = {
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


@router.post(
    _PATH,
    summary="Submit a job",
    description=JOB_DESCRIPTION,
    status_code=202,
    response_model=JobAnswer,
    openapi_extra=JOB_BODY,
    responses=problems(400, 409, 413, 415, 422, 429, 500, 503),
)
async def submit_job(
    request: Request,
    explain: Annotated[
        Literal["none", "tokens"], Query(description="`tokens`: twelve strongest words of the main hazards")
    ] = "none",
    store: Annotated[bool, Query(description="keep the assessments, as those of `POST /v1/assessments`")] = True,
    priority: Annotated[Priority, Query(description="before which other jobs it goes")] = "normal",
    tiers: Annotated[Tiers | None, Query(description="by default as the server is set")] = None,
) -> Response:
    """Submit a job."""
    services = services_of(request)
    model = services.engine.model  # 503 until there is one: before that there may be no tables
    if tiers == "two" and not model.screens:
        why = f" that may answer: {model.screen.why_not}" if model.screen is not None else ""
        raise ProblemError(INVALID_PARAMETER, f"tiers: two: the model in force has no screen{why}; leave it out.")
    principal = principal_of(request).name
    async with uploaded(request, services.job_files, services.settings) as upload:
        request.scope["state"]["listings"] = upload.total  # for the log; allowances by the minute are for calls

        async def answer(mine: Mine | None) -> Response:
            asked = Job(
                job_id_of(mine),
                principal,
                upload.kind,
                upload.total,
                explain,
                store,
                RANKS[priority],
                tiers or services.settings.job_tiers,
            )
            job = await asyncio.to_thread(_accepted, services, asked, upload)
            services.jobs.wake()
            response = JsonResponse(_told(services, job), 202)
            response.headers["Location"] = f"{_PATH}/{job.id}"
            return response

        return await once(request, lambda: upload.digest, answer)


def job_id_of(mine: Mine | None) -> str:
    """Return the id of a new job: that of a key follows from it, so that no crash makes two jobs of one request."""
    if mine is None:
        return uuid.uuid4().hex
    parts = (mine.principal, mine.key, mine.since.isoformat())
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _accepted(services: Services, asked: Job, upload: Upload) -> Job:
    known = services.job_store.get(asked.id)
    if known is not None:
        return known
    most = services.settings.job_max_open
    if services.job_store.unfinished(asked.principal) >= most:
        detail = f"At most {most:,} jobs of one caller may be queued or running; wait for one, or cancel one."
        raise ProblemError(TOO_MANY_JOBS, detail, headers={"Retry-After": _FULL})
    services.job_files.accept(upload.path, asked.id)
    return services.job_store.add(asked)


@router.get(
    _PATH,
    summary="List jobs",
    description="The caller's jobs, for an admin those of all, newest first, until they are removed.",
    response_model=JobList,
    responses=problems(422, 500, 503),
)
async def list_jobs(
    request: Request, limit: Annotated[int, Query(ge=1, le=500, description="most jobs")] = 50
) -> JsonResponse:
    """List jobs."""
    services = services_of(request)
    jobs = await asyncio.to_thread(services.job_store.newest, _owner(request), limit)
    return JsonResponse({"jobs": [_told(services, job) for job in jobs]})


@router.get(
    f"{_PATH}/{{job_id}}",
    summary="Read one job",
    description="Its state, how far it has come, and the versions that its rows were assessed with.",
    response_model=JobAnswer,
    responses=problems(404, 500, 503),
)
async def get_job(request: Request, job_id: JobId) -> JsonResponse:
    """Read one job."""
    return JsonResponse(_told(services_of(request), await _found(request, job_id)))


@router.post(
    f"{_PATH}/{{job_id}}/cancel",
    summary="Cancel a job",
    description="It stops within a second or so; the rows it has are its result. A job that has ended stays as it is.",
    response_model=JobAnswer,
    responses=problems(404, 500, 503),
)
async def cancel_job(request: Request, job_id: JobId) -> JsonResponse:
    """Cancel a job."""
    services = services_of(request)
    job = await _found(request, job_id)
    if not job.finished:
        await asyncio.to_thread(services.job_store.cancel, job.id)
        await asyncio.to_thread(services.job_files.drop_input, job.id)
    return JsonResponse(_told(services, await _found(request, job_id)))


@router.delete(
    f"{_PATH}/{{job_id}}",
    summary="Remove a job",
    description="At once, with its upload and its result; one that is running is stopped. Assessments that it stored"
    " stay.",
    status_code=204,
    response_class=Response,
    responses=problems(404, 500, 503),
)
async def remove_job(request: Request, job_id: JobId) -> Response:
    """Remove a job."""
    services = services_of(request)
    job = await _found(request, job_id)
    # In this order, so that whatever ends the server between the steps, the sweep does the rest.
    await asyncio.to_thread(services.job_store.cancel, job.id)
    await asyncio.to_thread(services.job_files.remove, job.id)
    await asyncio.to_thread(services.job_store.remove, job.id)
    return Response(status_code=204)


@router.get(
    f"{_PATH}/{{job_id}}/result",
    summary="Take the result of a job",
    description="One row a listing, in the order of the upload. As JSON Lines a row is what `POST /v1/assessments`"
    " gives for a listing; as Arrow or Parquet it is flat, with its hazards and the figures of its level. The format"
    " is that of `format`, or else of `Accept`. JSON Lines can be taken up where a download broke off (`Range`).",
    response_class=Response,
    responses=JOB_RESULT | problems(404, 409, 416, 422, 500, 503),
)
async def get_result(
    request: Request,
    job_id: JobId,
    format: Annotated[ResultFormat | None, Query(description="goes before `Accept`")] = None,
    partial: Annotated[bool, Query(description="also of a job that has not ended: the rows there are")] = False,
) -> Response:
    """Take the result of a job."""
    services = services_of(request)
    job = await _found(request, job_id)
    if not (job.finished or partial):
        detail = f"The job is {job.state}, with {job.read:,} of {job.total:,} rows; partial=true gives these."
        raise ProblemError(JOB_UNFINISHED, detail, headers={"Retry-After": _LOOK_AGAIN})
    kind = format or _wanted(request.headers.get("accept", ""))
    ending = {"jsonl": "jsonl", "arrow": "arrows", "parquet": "parquet"}[kind]
    headers = {"Content-Disposition": f'attachment; filename="{job.id}.{ending}"', "Cache-Control": "no-store"}
    if kind == "jsonl":
        return _lines(request, services, job, headers)
    hazards = services.engine.model.taxonomy.names
    pieces: Iterator[bytes] = table_pieces(services.job_files.rows(job.id, job.segments), hazards, kind)
    return StreamingResponse(pieces, media_type=RESULT_KINDS[kind], headers=headers)


def _lines(request: Request, services: Services, job: Job, headers: dict[str, str]) -> Response:
    """Return the rows as they lie on the disk, or the range of bytes that is asked for."""
    size, status, start, end = size_of(job.segments), 200, 0, None
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked:
        status, start, end = 206, int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] else None
        if start >= size:
            detail = f"The result has {size:,} bytes."
            raise ProblemError(NO_SUCH_RANGE, detail, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {start}-{(end or size) - 1}/{size}"
    headers |= {"Accept-Ranges": "bytes", "Content-Length": str(max(0, (size if end is None else end) - start))}
    pieces = services.job_files.result(job.id, job.segments, start, end)
    return StreamingResponse(pieces, status, headers, RESULT_KINDS["jsonl"])


def _wanted(accept: str) -> ResultFormat:
    """Return the first format that an `Accept` header names; JSON Lines where it names none of them."""
    named = (part.split(";")[0].strip().lower() for part in accept.split(","))
    formats = {kind: name for name, kind in RESULT_KINDS.items()}
    return next((formats[kind] for kind in named if kind in formats), "jsonl")


async def _found(request: Request, job_id: str) -> Job:
    store = services_of(request).job_store
    job = await asyncio.to_thread(store.get, job_id) if is_assessment_id(job_id) else None
    if job is None or _owner(request) not in (None, job.principal):
        raise ProblemError(NOT_FOUND, f"No job has the id {shortened(job_id)}.")
    return job


def _owner(request: Request) -> str | None:
    """Return whose jobs the caller may see and end; None for those of all."""
    principal = principal_of(request)
    return None if Role.ADMIN in principal.roles else principal.name


def _told(services: Services, job: Job) -> dict[str, object]:
    return JobAnswer.of(job, timedelta(hours=services.settings.job_keep_hours)).model_dump(mode="json")

"""Recall notices of cases, the buyers who get them, and what came of it."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from models.domain.errors import InputError
from models.notices.authorities import load_authorities
from models.notices.notice import Notice, Purchase, load_wordings, notice_of
from models.notices.recall import Recall
from models.notices.rendering import notice_document, notice_text
from serving.access.asking import principal_of
from serving.api.body import parse_json, read_body
from serving.api.intake import field_errors
from serving.api.openapi import json_body, problems
from serving.api.problems import (
    INVALID_NOTICE,
    NOT_FOUND,
    NOTICE_UNRELEASED,
    UNREADABLE_FILE,
    UNSUPPORTED_MEDIA_TYPE,
    WRONG_SHAPE,
    FieldError,
    ProblemError,
    shortened,
)
from serving.api.responses import JsonResponse
from serving.api.upload import JSON, stream_to
from serving.buyers.lines import LineStatus, OrderLine, Receipt, Refused, read_file, read_json
from serving.buyers.notices import CaseNotice, NoticeRefusedError, NotReleasedError
from serving.buyers.sending import NoSuchCaseError, Taken
from serving.services import services_of

router = APIRouter(tags=["recalls"])
_MOST = 10_000
_FILES = {"text/csv": ".csv", "application/x-ndjson": ".jsonl", "application/jsonl": ".jsonl"}
CaseId = Annotated[int, Path(description="number of the case", ge=1, le=2_147_483_647)]
_LISTED = (
    "order_id", "listing_id", "buyer", "channel", "address", "language", "country", "bought_on", "quantity", "status",
)  # fmt: skip


class NoticeProblem(BaseModel):
    """Something that keeps a recall notice from being released."""

    field: str
    message: str
    hint: str


class NoticeAnswer(BaseModel):
    """The recall notice of a case."""

    case_id: int
    version: int = Field(description="0 where it was only begun from the alert")
    recall: Recall
    written_by: str
    written_at: dt.datetime | None
    released_version: int | None = Field(description="the version that may be sent")
    released_by: str | None
    released_at: dt.datetime | None
    problems: list[NoticeProblem] = Field(
        description="what is missing, and words that soften the risk, in any language"
    )


class RefusedRow(BaseModel):
    """A row that was not taken."""

    place: str = Field(description="`lines[3]`, `line 4` of a file, or `order A-1`")
    errors: list[FieldError]


class TakenAnswer(BaseModel):
    """What became of the rows of a request."""

    taken: int
    changed: int = Field(description="known, with other contact data: queued again")
    known: int
    refusals: int
    refused: list[RefusedRow] = Field(description="the first hundred")


class BuyersAnswer(BaseModel):
    """How many order lines a case has, deleted ones included."""

    lines: int
    kept: int = Field(description="lines whose personal data is still kept")
    by_status: dict[str, int]
    by_language: dict[str, int]
    by_country: dict[str, int]


@router.get(
    "/v1/cases/{case_id}/notice",
    summary="The recall notice of a case, and what it lacks",
    response_model=NoticeAnswer,
    responses=problems(404, 422, 500, 503),
)
async def get_notice(request: Request, case_id: CaseId) -> JsonResponse:
    """Return the notice as it stands."""
    with_case = services_of(request).notices.get
    return JsonResponse(await asyncio.to_thread(_notice, case_id, lambda: with_case(case_id)))


@router.put(
    "/v1/cases/{case_id}/notice",
    summary="Write the recall notice of a case",
    description="What is missing, or softens the risk, is told and keeps it from being released, not from being kept.",
    response_model=NoticeAnswer,
    responses=problems(400, 404, 413, 415, 422, 500, 503),
    openapi_extra=json_body("Recall"),
)
async def put_notice(request: Request, case_id: CaseId) -> JsonResponse:
    """Keep a new version."""
    services = services_of(request)
    raw = parse_json(await read_body(request, services.settings.max_body_bytes, "send less"))
    try:
        recall = Recall.model_validate(raw)
    except ValidationError as failure:
        errors = field_errors(failure, Recall)[:20]
        detail = "; ".join(f"{each.field or 'the body'}: {each.message}" for each in errors[:3])
        raise ProblemError(WRONG_SHAPE, detail, errors) from failure
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    write = services.notices.write
    return JsonResponse(await asyncio.to_thread(_notice, case_id, lambda: write(case_id, recall, person, now)))


@router.post(
    "/v1/cases/{case_id}/notice/release",
    summary="Let the recall notice be sent",
    description=(
        "422 with every problem while a part that GPSR Article 36(2) asks for is missing, or a word softens the risk,"
        " in any of the languages. Where buyers wait, the webhook `recall.notice_ready` is sent."
    ),
    response_model=NoticeAnswer,
    responses=problems(404, 409, 422, 500, 503),
)
async def release_notice(request: Request, case_id: CaseId) -> JsonResponse:
    """Release the newest version."""
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    release = services_of(request).notices.release
    return JsonResponse(await asyncio.to_thread(_notice, case_id, lambda: release(case_id, person, now)))


@router.get(
    "/v1/cases/{case_id}/notices/{language}",
    summary="The released recall notice in one language",
    description="Plain text, or HTML that stands alone, by `format`.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}, "text/html": {}}}, **problems(404, 409, 422, 500, 503)},
)
async def get_notice_in(
    request: Request,
    case_id: CaseId,
    language: Annotated[str, Path(description="ISO 639-1", examples=["de"])],
    format: Literal["text", "html"] = "text",
) -> Response:
    """Return the notice for everybody, without an order."""
    if language not in load_wordings():
        known = ", ".join(sorted(load_wordings()))
        raise ProblemError(NOT_FOUND, f"No notice is written in {shortened(language)}; languages: {known}.")
    released = services_of(request).notices.released
    recall = await asyncio.to_thread(_known, case_id, lambda: released(case_id))
    notice = notice_of(recall, language)
    if format == "text":
        return Response(notice_text(notice), media_type="text/plain; charset=utf-8")
    headers = {"Content-Disposition": f'attachment; filename="recall-{case_id}-{language}.html"'}
    return Response(notice_document(notice), media_type="text/html; charset=utf-8", headers=headers)


@router.post(
    "/v1/cases/{case_id}/buyers",
    summary="Hand over order lines of confirmed listings",
    description=(
        'JSON `{"lines": [...]}` of at most 10,000, or a file of any length within the limit of jobs: CSV or JSON Lines'
        " with the same fields. Each line is judged on its own. A line that is there already is not added twice; with"
        " other contact data it is queued again, unless its notice was sent. Lines are deleted after their time, and"
        " only their number is kept."
    ),
    response_model=TakenAnswer,
    responses=problems(400, 404, 413, 415, 422, 500, 503),
    openapi_extra=json_body("LinesRequest"),
)
async def post_buyers(request: Request, case_id: CaseId) -> JsonResponse:
    """Take order lines."""
    take = services_of(request).buyers.take
    return await _take(request, case_id, "lines", OrderLine, take)


@router.post(
    "/v1/cases/{case_id}/buyers/receipts",
    summary="Say what became of notices to buyers",
    description=(
        '`sent`, `bounced` or `remedied`, as JSON `{"receipts": [...]}`, CSV or JSON Lines. The same receipt twice'
        " changes nothing, and the order in which they come does not matter."
    ),
    response_model=TakenAnswer,
    responses=problems(400, 404, 413, 415, 422, 500, 503),
    openapi_extra=json_body("ReceiptsRequest"),
)
async def post_receipts(request: Request, case_id: CaseId) -> JsonResponse:
    """Take receipts."""
    take = services_of(request).buyers.receipts
    return await _take(request, case_id, "receipts", Receipt, take)


@router.get(
    "/v1/cases/{case_id}/buyers",
    summary="How many buyers were told",
    description="Counts only, without a person.",
    response_model=BuyersAnswer,
    responses=problems(404, 422, 500, 503),
)
async def get_buyers(request: Request, case_id: CaseId) -> JsonResponse:
    """Count the lines of a case."""
    counts = services_of(request).buyers.counts
    return JsonResponse(asdict(await asyncio.to_thread(_known, case_id, lambda: counts(case_id))))


@router.get(
    "/v1/cases/{case_id}/buyers/list",
    summary="The send list, with the notice of each buyer",
    description=(
        "For the marketplace's mailer: each line with subject, text and HTML of its notice in the buyer's language."
        " 409 until the notice is released. `csv` leaves the HTML away."
    ),
    response_class=Response,
    responses={200: {"content": {"application/x-ndjson": {}, "text/csv": {}}}, **problems(404, 409, 422, 500, 503)},
)
async def get_list(
    request: Request,
    case_id: CaseId,
    status: Annotated[LineStatus | None, Query(description="only lines of this status")] = LineStatus.QUEUED,
    format: Literal["jsonl", "csv"] = "jsonl",
) -> Response:
    """Give the send list."""
    services = services_of(request)
    recall = await asyncio.to_thread(_known, case_id, lambda: services.notices.released(case_id))
    rows = services.buyers.lines(case_id, status)
    pieces = _json_pieces(rows, recall) if format == "jsonl" else _csv_pieces(rows, recall)
    kind = "application/x-ndjson" if format == "jsonl" else "text/csv; charset=utf-8"
    return StreamingResponse(pieces, media_type=kind)


async def _take(
    request: Request, case_id: int, name: str, kind: Any, take: Callable[[int, Iterable[Any], dt.datetime], Taken]
) -> JsonResponse:
    services, now = services_of(request), dt.datetime.now(dt.UTC)
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given not in (JSON, *_FILES):
        known = ", ".join((JSON, *_FILES))
        detail = f"The request has Content-Type {given!r}; send one of {known}."
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, detail, headers={"Accept-Post": known})
    if given == JSON:
        body = parse_json(await read_body(request, services.settings.max_body_bytes, "send a file, or less"))
        rows = read_json(_listed(body, name), name, kind)
        taken = await asyncio.to_thread(_known, case_id, lambda: take(case_id, rows, now))
    else:
        async with _uploaded(request, _FILES[given]) as path:

            def from_file() -> Taken:
                return take(case_id, read_file(path, kind), now)

            try:
                taken = await asyncio.to_thread(_known, case_id, from_file)
            except InputError as error:
                found = FieldError(field="", value=None, message=error.message, hint=error.hint)
                raise ProblemError(UNREADABLE_FILE, f"{error.message}; {error.hint}.", [found]) from error
    return JsonResponse({**asdict(taken), "refused": [_refused(each) for each in taken.refused]})


@asynccontextmanager
async def _uploaded(request: Request, suffix: str) -> AsyncIterator[FilePath]:
    """Take a file to the disk; it is removed at the end, for it holds personal data."""
    services = services_of(request)
    path = (await asyncio.to_thread(services.job_files.incoming)).with_suffix(suffix)
    try:
        await stream_to(request, path, services.settings.job_max_bytes, "send several files")
        yield path
    finally:
        await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))


def _listed(body: object, name: str) -> list[Any]:
    hint = f'write {{"{name}": [ ... ]}}'
    values = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(values, list) or set(body) != {name}:  # type: ignore[call-overload]
        error = FieldError(field=name, value=None, message="is no array, or stands beside something else", hint=hint)
        raise ProblemError(WRONG_SHAPE, f"{name}: {error.message}; {hint}.", [error])
    if len(values) > _MOST:
        error = FieldError(field=name, value=f"{len(values)} rows", message=f"more than {_MOST:,}", hint="send a file")
        raise ProblemError(WRONG_SHAPE, f"{name}: {error.message}; {error.hint}.", [error])
    return values


def _notice(case_id: int, act: Callable[[], CaseNotice]) -> dict[str, Any]:
    found = _known(case_id, act)
    return {
        **{name: getattr(found, name) for name in NoticeAnswer.model_fields if name not in ("recall", "problems")},
        "recall": found.recall.model_dump(mode="json"),
        "problems": [{"field": each.place, "message": each.message, "hint": each.hint} for each in found.problems()],
    }


def _known(case_id: int, act: Callable[[], Any]) -> Any:
    """Do something about a case; what it refuses becomes a problem."""
    try:
        return act()
    except NoSuchCaseError as error:
        raise ProblemError(NOT_FOUND, f"There is no case {case_id}.") from error
    except NotReleasedError as error:
        raise ProblemError(NOTICE_UNRELEASED, str(error)) from error
    except NoticeRefusedError as error:
        errors = [
            FieldError(field=each.place, value=None, message=each.message, hint=each.hint) for each in error.problems
        ]
        detail = "; ".join(f"{each.field}: {each.message}" for each in errors[:3])
        raise ProblemError(INVALID_NOTICE, detail, errors[:100]) from error


def _refused(refused: Refused) -> dict[str, Any]:
    return {"place": refused.place, "errors": [each.model_dump() for each in refused.errors]}


def _notice_for(line: Mapping[str, Any], recall: Recall) -> Notice:
    authority = load_authorities().of(line["country"])
    # An entry that nobody has checked is not printed: a buyer would rely on it.
    named = f"{authority.called}, {authority.website}" if authority is not None and authority.verified else ""
    return notice_of(recall, line["notice_language"], Purchase(line["order_id"], line["bought_on"], named))


def _json_pieces(rows: Iterator[Mapping[str, Any]], recall: Recall) -> Iterator[bytes]:
    for line in rows:
        notice = _notice_for(line, recall)
        told = {
            **{name: line[name] for name in _LISTED},
            "notice": {
                "language": notice.language,
                "subject": f"{notice.headline}: {recall.product}",
                "text": notice_text(notice),
                "html": notice_document(notice),
            },
        }
        yield orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _csv_pieces(rows: Iterator[Mapping[str, Any]], recall: Recall) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_LISTED, "notice_language", "subject", "text"])
    for line in rows:
        notice = _notice_for(line, recall)
        subject = f"{notice.headline}: {recall.product}"
        writer.writerow([*(line[name] for name in _LISTED), notice.language, subject, notice_text(notice)])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()

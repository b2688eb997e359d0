"""The page of a case's recall notice: written as a form, judged at once, shown as buyers get it, released."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from models.notices.notice import load_wordings, notice_of, problems_of
from models.notices.recall import Recall, Remedy
from models.notices.rendering import notice_fragment
from serving.access.asking import principal_of
from serving.api.intake import field_errors
from serving.api.problems import NOT_FOUND, ProblemError
from serving.buyers.notices import CaseNotice, NoticeRefusedError, NotReleasedError
from serving.buyers.sending import NoSuchCaseError
from serving.console.forms import Form, read_form
from serving.console.queue import go
from serving.console.rendering import render
from serving.review.items import ReviewConflictError, ReviewRefusedError
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_LISTS = ("gtins", "models", "batches", "serials", "hazards")
_LINES = ("product", "brand", "picture", "sold_where", "sold_by", "only_remedy_because", "phone", "website", "email")
_DAYS = ("sold_from", "sold_until")
_PROSE = ("hazard_details", "instructions", "number_place")
_LARGEST_CASE = 2_147_483_647


@router.get("/review/cases/{case_id}/notice")
async def notice_page(request: Request, case_id: int) -> Response:
    """Show the notice, what it lacks, and how it reads in one language."""
    services = services_of(request)
    _check(case_id)

    def read() -> dict[str, Any]:
        try:
            return {"found": services.notices.get(case_id), "counts": services.buyers.counts(case_id)}
        except NoSuchCaseError as error:
            raise ProblemError(NOT_FOUND, f"There is no case {case_id}.") from error

    values = await asyncio.to_thread(read)
    found: CaseNotice = values["found"]
    written = {code for name in _PROSE for code in getattr(found.recall, name)}
    languages = sorted({"en", *values["counts"].by_language, *written} & set(load_wordings()))
    preview = request.query_params.get("preview", "")
    preview = preview if preview in load_wordings() else "en"
    whole = not problems_of(found.recall, preview)
    shown = notice_of(found.recall, preview) if whole else None
    return render(
        request,
        "recall_notice.html",
        {
            **values,
            "problems": found.problems(),
            "languages": languages,
            "wordings": sorted(load_wordings()),
            "preview": preview,
            "remarks": () if shown is None else shown.remarks,
            "fragment": "" if shown is None else notice_fragment(shown, pictures=False),
            "remedies": list(Remedy),
            "lists": _LISTS,
        },
    )


@router.post("/review/cases/{case_id}/notice")
async def write_notice(request: Request, case_id: int) -> Response:
    """Keep what the form says."""
    services, form = services_of(request), await read_form(request)
    _check(case_id)
    recall = _recall(form)
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    try:
        await asyncio.to_thread(services.notices.write, case_id, recall, person, now)
    except NoSuchCaseError as error:
        raise ProblemError(NOT_FOUND, f"There is no case {case_id}.") from error
    return go(request, f"/review/cases/{case_id}/notice")


@router.post("/review/cases/{case_id}/notice/release")
async def release(request: Request, case_id: int) -> Response:
    """Let the notice be sent."""
    services = services_of(request)
    _check(case_id)
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    try:
        await asyncio.to_thread(services.notices.release, case_id, person, now)
    except NoSuchCaseError as error:
        raise ProblemError(NOT_FOUND, f"There is no case {case_id}.") from error
    except NotReleasedError as error:
        raise ReviewConflictError(str(error)) from error
    except NoticeRefusedError as error:
        first = error.problems[0]
        raise ReviewRefusedError(first.place, first.message, first.hint) from error
    return go(request, f"/review/cases/{case_id}/notice")


def _recall(form: Form) -> Recall:
    values: dict[str, Any] = {name: form.text(name) for name in _LINES}
    values |= {name: _listed(form.text(name)) for name in _LISTS}
    values |= {name: form.text(name) or None for name in _DAYS}
    values["remedies"] = form.all("remedies")
    for name in _PROSE:
        texts = {code: form.text(f"{name}.{code}") for code in load_wordings()}
        values[name] = {code: text for code, text in texts.items() if text}
    try:
        return Recall.model_validate(values)
    except ValidationError as failure:
        error = field_errors(failure, Recall)[0]
        raise ReviewRefusedError(error.field, error.message, error.hint) from failure


def _listed(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]


def _check(case_id: int) -> None:
    if not 1 <= case_id <= _LARGEST_CASE:
        raise ProblemError(NOT_FOUND, "There is no such case.")

"""Statements of reasons for the DSA Transparency Database: made from kept assessments, and checked."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request

from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.reasons.checking import batches, check_statement
from models.reasons.marketplace import Marketplace, load_marketplace
from models.reasons.statement import Handling, StatementOfReasons, restriction_of, statement_of
from serving.api.body import parse_json, read_body
from serving.api.openapi import problems
from serving.api.problems import (
    NOT_FOUND,
    NOTHING_RESTRICTED,
    TOO_MANY_LISTINGS,
    WRONG_SHAPE,
    FieldError,
    ProblemError,
    shortened,
)
from serving.api.responses import JsonResponse
from serving.api.schemas import CheckAnswer, SubmissionAnswer
from serving.services import services_of
from serving.store.assessments import AssessmentStore, StoredAssessment

router = APIRouter(tags=["statements"])
_MOST = 1_000

Source = Literal["SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"]
Automated = Literal["AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"]


@router.get(
    "/v1/assessments/{assessment_id}/statement",
    summary="Statement of reasons of a restriction",
    description=(
        "Ready for the DSA Transparency Database (schema v2): made from the kept assessment and the facts of the"
        " marketplace, checked field by field, without a word that the seller wrote. 409 where nothing is restricted."
    ),
    response_model=StatementOfReasons,
    responses=problems(404, 409, 422, 500, 503),
)
async def get_statement(
    request: Request,
    assessment_id: Annotated[str, Path(description="`id` of an assessment", examples=["0f" * 16])],
    applied: Annotated[dt.date | None, Query(description="day it holds from; by default the assessment's")] = None,
    uploaded: Annotated[dt.date | None, Query(description="day of the upload; by default `applied`")] = None,
    source_type: Annotated[Source, Query(description="who pointed at the offer")] = "SOURCE_VOLUNTARY",
    source_identity: Annotated[str, Query(max_length=500, description="only an organisation's name")] = "",
    automated_decision: Annotated[
        Automated, Query(description="`PARTIALLY` once a reviewer confirmed it")
    ] = "AUTOMATED_DECISION_FULLY",
) -> JsonResponse:
    """Return the statement of one restriction."""
    services = services_of(request)
    stored = await asyncio.to_thread(_stored, services.store, assessment_id)
    handling = Handling(applied or stored.created_at.date(), uploaded, source_type, source_identity, automated_decision)
    statement = _statement(stored, load_marketplace(services.settings.marketplace), handling)
    if statement is None:
        action = stored.assessment["decision"]["action"]
        raise ProblemError(NOTHING_RESTRICTED, f"The action {action} restricts no offer within the EEA.")
    try:
        return JsonResponse(check_statement(statement).required())
    except InputError as error:
        raise ProblemError(WRONG_SHAPE, str(error), [_field_error(error)]) from error


@router.post(
    "/v1/statements",
    summary="Statements of several restrictions, as submissions of 100",
    description='The body is `{"assessments": ["id", ...]}`; what has no statement is told under `without`.',
    response_model=SubmissionAnswer,
    responses=problems(400, 413, 415, 422, 500, 503),
)
async def post_statements(request: Request) -> JsonResponse:
    """Return bodies for the database's route of several statements."""
    services = services_of(request)
    body = parse_json(await read_body(request, services.settings.max_body_bytes))
    ids = _listed(body, "assessments", 'write {"assessments": ["id", ...]}')
    marketplace = load_marketplace(services.settings.marketplace)
    return JsonResponse(await asyncio.to_thread(_submissions, services.store, list(dict.fromkeys(ids)), marketplace))


@router.post(
    "/v1/statements/check",
    summary="Check statements field by field",
    description='The body is what the database would get: `{"statements": [...]}`. Each is judged on its own.',
    response_model=CheckAnswer,
    responses=problems(400, 413, 415, 422, 500, 503),
)
async def post_check(request: Request) -> JsonResponse:
    """Return what the database would refuse, and why."""
    body = parse_json(await read_body(request, services_of(request).settings.max_body_bytes))
    statements = _listed(body, "statements", 'write {"statements": [ ... ]}')
    return JsonResponse({"results": [_checked(statement, i) for i, statement in enumerate(statements)]})


def _checked(statement: Any, index: int) -> dict[str, Any]:
    checked = check_statement(statement)
    errors = [_field_error(error).model_dump() for error in checked.errors]
    return {"index": index, "valid": not errors, "errors": errors, "dropped": list(checked.dropped)}


def _submissions(store: AssessmentStore, ids: list[Any], marketplace: Marketplace) -> dict[str, Any]:
    statements, without = [], []
    for given in ids:
        try:
            stored = _stored(store, given)
            statement = _statement(stored, marketplace, Handling(stored.created_at.date()))
            if statement is None:
                why = f"the action {stored.assessment['decision']['action']} restricts no offer within the EEA"
            else:
                statements.append(check_statement(statement).required())
                continue
        except (ProblemError, InputError) as error:
            why = str(error)
        without.append({"id": shortened(given), "why": why})
    return {"submissions": list(batches(statements)), "without": without}


def _statement(stored: StoredAssessment, marketplace: Marketplace, handling: Handling) -> StatementOfReasons | None:
    listing, assessment = Listing.model_validate(stored.listing), Assessment.model_validate(stored.assessment)
    return statement_of(listing, assessment, restriction_of(assessment.decision), marketplace, handling)


def _stored(store: AssessmentStore, given: Any) -> StoredAssessment:
    is_id = isinstance(given, str) and len(given) == 32 and set(given) <= set("0123456789abcdef")
    stored = store.get(given) if is_id else None
    if stored is None:
        raise ProblemError(NOT_FOUND, f"No assessment has the id {shortened(given)}.")
    return stored


def _listed(body: object, name: str, hint: str) -> list[Any]:
    values = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(values, list):
        error = FieldError(field=name, value=shortened(values), message="is no array", hint=hint)
        raise ProblemError(WRONG_SHAPE, f"{name}: is no array; {hint}.", [error])
    if len(values) > _MOST:
        detail = f"{len(values):,} {name}; at most {_MOST:,} in one request."
        raise ProblemError(TOO_MANY_LISTINGS, detail)
    return values


def _field_error(error: InputError) -> FieldError:
    return FieldError(field=error.place, value=None, message=error.message, hint=error.hint)

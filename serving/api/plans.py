"""Plans: what is stored, what is live and since when; and the acts that change it, recorded under whose key it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request

from models.plan.problems import Problem as Finding
from models.plan.reading import parse_plan
from models.plan.vocabulary import vocabulary_of
from serving.access.asking import principal_of
from serving.api.given import given
from serving.api.openapi import json_body, problems
from serving.api.plan_schemas import ActRequest, PlanActAnswer, PlanList, PlanRequest, PlanStored, StoredPlanAnswer
from serving.api.problems import (
    INVALID_PLAN,
    NOT_FOUND,
    PLAN_CONFLICT,
    FieldError,
    ProblemError,
    shortened,
)
from serving.api.responses import JsonResponse
from serving.services import Services, services_of
from serving.store.plans import PlanConflictError, StoredAct, StoredPlan

router = APIRouter(tags=["plans"])
_PATH = "/v1/plans"
_ACTS_SHOWN = 100
PlanName = Annotated[str, Path(description="`id` or `digest` of a plan", examples=["default@2+0a1b2c3d"])]


@router.get(
    _PATH,
    summary="List stored plans",
    description="Newest first, with which one is live and the acts that made it so.",
    response_model=PlanList,
    responses=problems(422, 500, 503),
)
async def list_plans(
    request: Request, limit: Annotated[int, Query(ge=1, le=500, description="most plans")] = 50
) -> JsonResponse:
    """List stored plans."""
    services = services_of(request)
    in_force = services.engine.versions.plan
    stored, acts, live = await asyncio.gather(
        asyncio.to_thread(services.plans.plans, limit),
        asyncio.to_thread(services.plans.acts, _ACTS_SHOWN),
        asyncio.to_thread(services.plans.live),
    )
    rows = [_facts(plan, live) for plan in stored]
    return JsonResponse({"in_force": in_force, "plans": rows, "acts": [_act(act) for act in acts]})


@router.get(
    f"{_PATH}/{{name}}",
    summary="Read one plan",
    description="As it was stored: its text, and the same as JSON.",
    response_model=StoredPlanAnswer,
    responses=problems(404, 500, 503),
)
async def get_plan(request: Request, name: PlanName) -> JsonResponse:
    """Read one plan."""
    if name == "rollback":  # an act, and no plan
        raise HTTPException(405, headers={"Allow": "POST"})
    services = services_of(request)
    plan = await _found(services, name)
    live = await asyncio.to_thread(services.plans.live)
    document = parse_plan(plan.content).plan
    content = document.document.model_dump(mode="json") if document is not None else None
    return JsonResponse({**_facts(plan, live), "content": plan.content, "document": content})


@router.post(
    _PATH,
    summary="Store a plan",
    description="Checked first, also against the words that the model in force knows; it decides nothing until it is"
    " put in force. Equal content is stored once. A name and version that are taken by other content are refused.",
    response_model=PlanStored,
    openapi_extra=json_body("PlanRequest"),
    responses=problems(400, 409, 413, 415, 422, 500, 503),
)
async def store_plan(request: Request) -> JsonResponse:
    """Store a plan."""
    services = services_of(request)
    model, person = services.engine.model, principal_of(request).name
    body = await given(request, PlanRequest)
    vocabulary = vocabulary_of(model.taxonomy, model.knowledge)
    reading = await asyncio.to_thread(parse_plan, body.content, "plan", vocabulary)
    if reading.plan is None:
        errors = [_field_error(finding, body.content) for finding in reading.errors[:20]]
        detail = "; ".join(f"{error.field}: {error.message}" for error in errors[:3])
        raise ProblemError(INVALID_PLAN, detail, errors)
    try:
        stored = await asyncio.to_thread(services.plans.keep, reading.plan, person, body.reason)
    except PlanConflictError as conflict:
        raise ProblemError(PLAN_CONFLICT, str(conflict)) from conflict
    live = await asyncio.to_thread(services.plans.live)
    return JsonResponse({"plan": _facts(stored, live), "warnings": [asdict(found) for found in reading.problems]})


@router.post(
    f"{_PATH}/rollback",
    summary="Go back to the plan before",
    description="The plan that was live before the last one was put in force is live again. Four eyes are not asked"
    " for: it is for emergencies.",
    response_model=PlanActAnswer,
    openapi_extra=json_body("ActRequest"),
    responses=problems(400, 409, 413, 415, 422, 500, 503),
)
async def roll_back(request: Request) -> JsonResponse:
    """Go back to the plan before."""
    services, person = services_of(request), principal_of(request).name
    body = await given(request, ActRequest)
    return await _acted(services, lambda: services.plans.roll_back(person, body.reason))


@router.post(
    f"{_PATH}/{{name}}/activate",
    summary="Put a plan in force",
    description="It decides from the next request on; other servers on the same store follow within seconds. With"
    " `HAZARDLENS_PLAN_FOUR_EYES`, by another key's name than its author's.",
    response_model=PlanActAnswer,
    openapi_extra=json_body("ActRequest"),
    responses=problems(400, 404, 409, 413, 415, 422, 500, 503),
)
async def activate(request: Request, name: PlanName) -> JsonResponse:
    """Put a plan in force."""
    services, person = services_of(request), principal_of(request).name
    body = await given(request, ActRequest)
    plan = await _found(services, name)
    four_eyes = services.settings.plan_four_eyes
    return await _acted(
        services, lambda: services.plans.activate(plan.digest, person, body.reason, four_eyes=four_eyes)
    )


async def _acted(services: Services, act: Callable[[], StoredPlan]) -> JsonResponse:
    before = services.engine.versions.plan
    try:
        live = await asyncio.to_thread(act)
    except PlanConflictError as conflict:
        raise ProblemError(PLAN_CONFLICT, str(conflict)) from conflict
    await asyncio.to_thread(services.live_plan.refresh)
    return JsonResponse({"before": before, "in_force": services.engine.versions.plan, "plan": _facts(live, live)})


async def _found(services: Services, name: str) -> StoredPlan:
    plan = None if "\x00" in name else await asyncio.to_thread(services.plans.get, name)
    if plan is None:
        raise ProblemError(NOT_FOUND, f"No plan has the id {shortened(name)}.")
    return plan


def _field_error(finding: Finding, content: str) -> FieldError:
    lines = content.splitlines()
    line = lines[finding.line - 1].strip() if finding.line <= len(lines) else ""
    place = f"content, line {finding.line}, column {finding.column}"
    return FieldError(field=place, value=shortened(line), message=finding.message, hint=finding.hint)


def _facts(plan: StoredPlan, live: StoredPlan | None) -> dict[str, Any]:
    facts = asdict(plan)
    del facts["content"]
    return {"id": facts.pop("plan_id"), **facts, "live": live is not None and live.digest == plan.digest}


def _act(act: StoredAct) -> dict[str, Any]:
    facts = asdict(act)
    return {"number": facts["number"], "act": facts["act"], "plan": facts["plan_id"], "person": facts["person"],
            "reason": facts["reason"], "created_at": facts["created_at"]}  # fmt: skip

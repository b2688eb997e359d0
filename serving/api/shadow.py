"""How plan and model on trial compare with the live ones."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request

from serving.api.openapi import problems
from serving.api.responses import JsonResponse
from serving.api.schemas import DifferenceList, ShadowAnswer
from serving.services import services_of

router = APIRouter(tags=["shadow"])


@router.get(
    "/v1/shadow",
    summary="Compare the trial with what is live",
    description=(
        "State of the plan and the model on trial, and counts over everything that they were tried on. They see live"
        " traffic after its answer was given and have no effect."
    ),
    response_model=ShadowAnswer,
    responses=problems(422, 500, 503),
)
async def compare(
    request: Request,
    model: Annotated[str | None, Query(description="only trials of this model")] = None,
    plan: Annotated[str | None, Query(description="only trials of this plan")] = None,
) -> JsonResponse:
    """Compare the trial with what is live."""
    services = services_of(request)
    shadow = services.shadow
    comparison = await asyncio.to_thread(services.shadow_store.comparison, model, plan)
    versions = await asyncio.to_thread(services.shadow_store.versions)
    trial = services.settings
    return JsonResponse(
        {
            **asdict(shadow.state),
            "waiting": shadow.waiting,
            "rate": trial.shadow_rate,
            "plan": shadow.plan.id if shadow.plan else None,
            "model": shadow.model.version if shadow.model else None,
            "comparison": comparison,
            "tried": [{"model": model, "plan": plan, "n": n} for model, plan, n in versions],
        }
    )


@router.get(
    "/v1/shadow/differences",
    summary="Listings on which trial and live decision differ",
    description="Newest first.",
    response_model=DifferenceList,
    responses=problems(422, 500, 503),
)
async def differences(
    request: Request, limit: Annotated[int, Query(ge=1, le=500, description="most rows")] = 50
) -> JsonResponse:
    """List what differs."""
    found = await asyncio.to_thread(services_of(request).shadow_store.differences, limit)
    return JsonResponse({"differences": [asdict(row) for row in found]})

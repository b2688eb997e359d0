"""What answers are made with."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from models.domain.listing import LIMITS
from models.domain.risk import RiskLevel
from models.plan.plan import Plan
from serving.api.openapi import problems
from serving.api.responses import JsonResponse
from serving.api.schemas import ModelAnswer, ModelReloaded
from serving.services import Services, services_of

router = APIRouter(tags=["model"])


@router.get(
    "/v1/model",
    summary="Describe the model and the plan",
    description="Versions, labels, metrics on held-out data, fingerprint of the training data, rules, limits.",
    response_model=ModelAnswer,
    responses=problems(500, 503),
)
async def describe(request: Request) -> JsonResponse:
    """Describe the model and the plan."""
    services = services_of(request)
    in_force, settings = services.engine.in_force, services.settings
    facts: dict[str, Any] = dict(in_force.model.manifest.facts) if in_force.model.manifest else {}
    taxonomy = in_force.model.taxonomy
    for known in ("taxonomy", "labels"):
        facts.pop(known, None)
    return JsonResponse(
        {
            "version": in_force.versions.model,
            "taxonomy": taxonomy.id,
            "labels": list(taxonomy.names),
            "levels": [level.value for level in RiskLevel],
            "metrics": facts.pop("metrics", {}),
            "data": facts.pop("data", []),
            "facts": facts,
            "plan": _plan(in_force.plan),
            "loading": _loading(services),
            "limits": LIMITS,
            "request_limits": {
                "listings": settings.max_listings,
                "listings with explain=full": settings.max_full,
                "body bytes": settings.max_body_bytes,
                "listings in flight": settings.max_in_flight,
            },
        }
    )


@router.post(
    "/v1/model/reload",
    summary="Look for another model now",
    description="Takes what the model's place holds, if that is another model and passes its self-test; otherwise the"
    " one in force stays and `loading.failed` says why. Without it the server looks every `HAZARDLENS_MODEL_WATCH`"
    " seconds; other workers and servers look for themselves. For the role `admin`.",
    response_model=ModelReloaded,
    responses=problems(500, 503),
)
async def reload(request: Request) -> JsonResponse:
    """Look for another model now."""
    services = services_of(request)
    before = services.engine.versions.model
    changed = await asyncio.to_thread(lambda: services.model_watch.refresh(now=True))
    now = services.engine.versions.model
    return JsonResponse({"before": before, "in_force": now, "changed": changed, "loading": _loading(services)})


def _loading(services: Services) -> dict[str, Any]:
    state = services.model_watch.state
    failed = state.failed
    return {
        "since": state.since,
        "previous": state.previous or None,
        "swaps": state.swaps,
        "failures": state.failures,
        "failed": asdict(failed) if failed is not None else None,
    }


def _plan(plan: Plan) -> dict[str, Any]:
    rules = [
        {
            "id": rule.id,
            "status": rule.status,
            "when": rule.spec.when,
            "action": rule.spec.action.value,
            "legal_basis": rule.spec.legal_basis,
            "reason": rule.spec.reason,
        }
        for rule in plan.rules
    ]
    return {
        "id": plan.id,
        "name": plan.name,
        "version": plan.version,
        "digest": plan.digest,
        "rules": rules,
        "thresholds": plan.thresholds,
    }

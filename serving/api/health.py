"""For whoever runs the server: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.api.openapi import problems
from serving.api.responses import JsonResponse
from serving.api.schemas import Health, Ready
from serving.services import services_of

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="Is the process alive?", response_model=Health, responses=problems(500))
async def alive() -> JsonResponse:
    """Answer whatever the state of model and database."""
    return JsonResponse({"status": "alive"})


@router.get(
    "/readyz",
    summary="Can it assess?",
    description="503 until the model is loaded, while the database does not answer, and once the server is to end."
    " `note` says that another model should answer and could not be put in force: the one before still does.",
    response_model=Ready,
    responses=problems(500, 503),
)
async def ready(request: Request) -> JsonResponse:
    """Answer 200 when a request for an assessment would be served."""
    services = services_of(request)
    services.require_ready()
    versions = services.engine.versions
    await asyncio.to_thread(services.store.ping)
    failed = services.model_watch.state.failed
    note = f"{failed.named} could not be put in force; /v1/model says why" if failed is not None else None
    return JsonResponse({"status": "ready", "model": versions.model, "note": note})


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format"},
        **problems(500),
    },
)
async def metrics(request: Request) -> Response:
    """Return the metrics of this process, or of all workers where there are several."""
    text = await asyncio.to_thread(services_of(request).metrics.exposition)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", include_in_schema=False)
async def describe(request: Request) -> JsonResponse:
    """Return the description of the interface."""
    return JsonResponse(request.app.openapi())

"""Webhooks: endpoints, their secrets and tests, and what became of each delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from models.domain.errors import InputError
from serving.access.asking import principal_of
from serving.api.given import given, refusal
from serving.api.openapi import json_body, problems
from serving.api.problems import NOT_FOUND, ProblemError, shortened
from serving.api.responses import JsonResponse
from serving.api.webhook_schemas import (
    DeliveryDetail,
    DeliveryPage,
    DeliveryRecord,
    EndpointChange,
    EndpointList,
    EndpointRecord,
    EndpointRequest,
    EndpointWithSecret,
    Resent,
    RotationRequest,
    Sent,
)
from serving.hooks.delivery_log import NoDeliveryError, State
from serving.hooks.endpoints import Endpoint, NoEndpointError
from serving.hooks.webhooks import Webhooks
from serving.services import services_of

router = APIRouter(tags=["webhooks"])
_ENDPOINTS = "/v1/webhooks"
_ONE = _ENDPOINTS + "/{endpoint_id}"
_DELIVERIES = "/v1/webhook-deliveries"
_T = TypeVar("_T")
EndpointId = Annotated[str, Path(description="`id` of an endpoint", examples=["0f" * 16])]
DeliveryId = Annotated[int, Path(description="`id` of a delivery", ge=1, lt=2**31)]


@router.get(
    _ENDPOINTS,
    summary="List endpoints",
    description="Who is told of events, and how that goes.",
    response_model=EndpointList,
    responses=problems(500, 503),
)
async def list_endpoints(request: Request) -> JsonResponse:
    """List endpoints."""
    hooks = _hooks(request)
    endpoints = await asyncio.to_thread(hooks.endpoints.known)
    return JsonResponse({"endpoints": await _told(hooks, *endpoints)})


@router.post(
    _ENDPOINTS,
    summary="Register an endpoint",
    description="It is told of what happens from now on. The secret is shown this once: the receiver checks"
    " signatures with it.",
    status_code=201,
    response_model=EndpointWithSecret,
    openapi_extra=json_body("EndpointRequest"),
    responses=problems(400, 413, 415, 422, 500, 503),
)
async def add_endpoint(request: Request) -> JsonResponse:
    """Register an endpoint."""
    hooks, body = _hooks(request), await given(request, EndpointRequest)
    person = principal_of(request).name
    endpoint = await _done(lambda: hooks.endpoints.add(body.url, body.kinds, body.description, person))
    return JsonResponse(await _with_secret(hooks, endpoint), 201)


@router.get(
    _ONE,
    summary="Read one endpoint",
    description="Without its secret.",
    response_model=EndpointRecord,
    responses=problems(404, 500, 503),
)
async def get_endpoint(request: Request, endpoint_id: EndpointId) -> JsonResponse:
    """Read one endpoint."""
    hooks = _hooks(request)
    return JsonResponse((await _told(hooks, await _found(hooks, endpoint_id)))[0])


@router.patch(
    _ONE,
    summary="Change an endpoint",
    description="Its address, kinds, description, or whether it is enabled; while it is not, events are collected.",
    response_model=EndpointRecord,
    openapi_extra=json_body("EndpointChange"),
    responses=problems(400, 404, 413, 415, 422, 500, 503),
)
async def change_endpoint(request: Request, endpoint_id: EndpointId) -> JsonResponse:
    """Change an endpoint."""
    hooks, body = _hooks(request), await given(request, EndpointChange)
    await _found(hooks, endpoint_id)
    changed = await _done(lambda: hooks.endpoints.change(endpoint_id, **body.values()))
    hooks.sender.wake()
    return JsonResponse((await _told(hooks, changed))[0])


@router.delete(
    _ONE,
    summary="Remove an endpoint",
    description="With its secrets; what waits for it is dropped. The log of its deliveries stays for its time.",
    status_code=204,
    response_class=Response,
    responses=problems(404, 500, 503),
)
async def remove_endpoint(request: Request, endpoint_id: EndpointId) -> Response:
    """Remove an endpoint."""
    hooks = _hooks(request)
    await _found(hooks, endpoint_id)
    await _done(lambda: hooks.endpoints.remove(endpoint_id))
    return Response(status_code=204)


@router.post(
    f"{_ONE}/rotate",
    summary="Replace the secret of an endpoint",
    description="The new one is shown this once. Until the overlap ends, webhooks carry a signature by each.",
    response_model=EndpointWithSecret,
    openapi_extra=json_body("RotationRequest"),
    responses=problems(400, 404, 413, 415, 422, 500, 503),
)
async def rotate(request: Request, endpoint_id: EndpointId) -> JsonResponse:
    """Replace the secret of an endpoint."""
    hooks, body = _hooks(request), await given(request, RotationRequest)
    await _found(hooks, endpoint_id)
    overlap = timedelta(hours=body.overlap_hours)
    return JsonResponse(await _with_secret(hooks, await _done(lambda: hooks.endpoints.rotate(endpoint_id, overlap))))


@router.post(
    f"{_ONE}/ping",
    summary="Test an endpoint",
    description="Sends it an event of kind `hook.ping`, whatever it hears of; its deliveries tell what came of it.",
    status_code=202,
    response_model=Sent,
    responses=problems(404, 500, 503),
)
async def ping(request: Request, endpoint_id: EndpointId) -> JsonResponse:
    """Test an endpoint."""
    hooks, person = _hooks(request), principal_of(request).name
    endpoint = await _found(hooks, endpoint_id)
    event_id = await asyncio.to_thread(hooks.ping, endpoint, person)
    hooks.sender.wake()
    return JsonResponse({"event_id": event_id}, 202)


@router.post(
    f"{_ONE}/resend-dead",
    summary="Send the dead letters of an endpoint again",
    description="Each with all its tries, and under the id that it had.",
    status_code=202,
    response_model=Resent,
    responses=problems(404, 500, 503),
)
async def resend_dead(request: Request, endpoint_id: EndpointId) -> JsonResponse:
    """Send the dead letters of an endpoint again."""
    hooks = _hooks(request)
    await _found(hooks, endpoint_id)
    count = await asyncio.to_thread(hooks.log.resend_dead, endpoint_id)
    hooks.sender.wake()
    return JsonResponse({"resent": count}, 202)


@router.get(
    _DELIVERIES,
    summary="List deliveries",
    description="Newest first, as long as the log is kept.",
    response_model=DeliveryPage,
    responses=problems(422, 500, 503),
)
async def list_deliveries(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500, description="most deliveries")] = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**31, description="only those below this number")] = None,
    endpoint: Annotated[str, Query(max_length=32, description="`id` of an endpoint")] = "",
    state: Annotated[State | None, Query(description="where they stand")] = None,
    kind: Annotated[str, Query(max_length=64, description="kind of event")] = "",
) -> JsonResponse:
    """List deliveries."""
    hooks = _hooks(request)
    asked = (_plain(endpoint), "" if state is None else state.value, _plain(kind))
    found = await asyncio.to_thread(hooks.log.page, limit + 1, before, *asked)
    rows = [DeliveryRecord.of(each).model_dump(mode="json") for each in found[:limit]]
    more = found[limit - 1].id if len(found) > limit else None
    return JsonResponse({"deliveries": rows, "next_before": more})


@router.get(
    _DELIVERIES + "/{delivery_id}",
    summary="Read one delivery",
    description="What was sent, and every try with its answer.",
    response_model=DeliveryDetail,
    responses=problems(404, 422, 500, 503),
)
async def get_delivery(request: Request, delivery_id: DeliveryId) -> JsonResponse:
    """Read one delivery."""
    hooks = _hooks(request)
    found = await _done(lambda: hooks.log.get(delivery_id))
    return JsonResponse(DeliveryDetail.of(found).model_dump(mode="json"))


@router.post(
    _DELIVERIES + "/{delivery_id}/resend",
    summary="Send a delivery again",
    description="Whatever became of it, with all its tries, and under the id that it had.",
    status_code=202,
    response_model=DeliveryRecord,
    responses=problems(404, 422, 500, 503),
)
async def resend(request: Request, delivery_id: DeliveryId) -> JsonResponse:
    """Send a delivery again."""
    hooks = _hooks(request)
    delivery = await _done(lambda: hooks.log.resend(delivery_id))
    hooks.sender.wake()
    return JsonResponse(DeliveryRecord.of(delivery).model_dump(mode="json"), 202)


def _hooks(request: Request) -> Webhooks:
    services = services_of(request)
    _ = services.engine  # 503 until there is one: before that there may be no tables
    return services.hooks


async def _done(act: Callable[[], _T]) -> _T:
    """Do something on a thread, and tell what it refuses as a problem."""
    try:
        return await asyncio.to_thread(act)
    except InputError as error:
        raise refusal(error) from error
    except (NoEndpointError, NoDeliveryError) as error:
        raise ProblemError(NOT_FOUND, str(error)) from error


async def _found(hooks: Webhooks, endpoint_id: str) -> Endpoint:
    if not endpoint_id.isascii() or not endpoint_id.isalnum():
        raise ProblemError(NOT_FOUND, f"No endpoint has the id {shortened(endpoint_id)}.")
    return await _done(lambda: hooks.endpoints.get(endpoint_id))


async def _told(hooks: Webhooks, *endpoints: Endpoint) -> list[dict[str, object]]:
    counts, now = await asyncio.to_thread(hooks.log.counts), datetime.now(UTC)
    return [EndpointRecord.of(each, counts.get(each.id, {}), now).model_dump(mode="json") for each in endpoints]


async def _with_secret(hooks: Webhooks, endpoint: Endpoint) -> dict[str, object]:
    return {"endpoint": (await _told(hooks, endpoint))[0], "secret": endpoint.secrets[0].text}


def _plain(text: str) -> str:
    return text.replace("\x00", "")

"""Takedown orders over HTTP, and the marketplace's receipts for them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from serving.api.openapi import json_body, problems
from serving.api.recall_acts import BODY, RECALLS, asked, done
from serving.api.recall_records import order_record
from serving.api.recall_schemas import OrderList, OrderRecord, ReceiptRequest
from serving.api.responses import JsonResponse
from serving.recalls.orders import TakedownOrder
from serving.services import services_of

router = APIRouter(tags=["recalls"])
_ORDER = RECALLS + "/orders/{order_id}"
OrderId = Annotated[str, Path(description="`id` of a takedown order", examples=["0f" * 16])]


@router.get(
    RECALLS + "/orders",
    summary="List takedown orders",
    description="Those without a receipt, or all; oldest first. `after` is the id of the last one of the page before.",
    response_model=OrderList,
    responses=problems(404, 422, 500, 503),
)
async def list_orders(
    request: Request,
    state: Literal["waiting", "all"] = "waiting",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[str, Query(max_length=32)] = "",
) -> JsonResponse:
    """List takedown orders."""
    orders = services_of(request).recalls.orders

    def find() -> list[TakedownOrder]:
        last = orders.get(after) if after else None
        return orders.page(state, limit, None if last is None else (last.ordered_at, last.id))

    return JsonResponse({"orders": [order_record(each) for each in await done(find)]})


@router.get(
    _ORDER,
    summary="Read one takedown order",
    description="With its receipt, if it has one.",
    response_model=OrderRecord,
    responses=problems(404, 500, 503),
)
async def get_order(request: Request, order_id: OrderId) -> JsonResponse:
    """Read one takedown order."""
    orders = services_of(request).recalls.orders
    return JsonResponse(order_record(await done(lambda: orders.get(order_id[:64].replace("\x00", "")))))


@router.post(
    _ORDER + "/receipt",
    summary="Acknowledge a takedown order",
    description="When the listing was removed, or why it was not. The same receipt again changes nothing; after a"
    " refusal a removal can still be told.",
    response_model=OrderRecord,
    openapi_extra=json_body("ReceiptRequest"),
    responses=problems(404, *BODY),
)
async def receipt(request: Request, order_id: OrderId) -> JsonResponse:
    """Acknowledge a takedown order."""
    wanted = await asked(request, ReceiptRequest)
    key, body = order_id[:64].replace("\x00", ""), wanted.body
    orders = wanted.desk.orders
    order = await done(lambda: orders.receipt(key, wanted.person, wanted.now, body.removed_at, body.refused))
    return JsonResponse(order_record(order))

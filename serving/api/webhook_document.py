"""The kinds of events as OpenAPI's webhooks: what is sent, to whoever registers an endpoint."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from serving.hooks.kinds import KINDS, Kind
from serving.hooks.outbox import event_id_of
from serving.hooks.signing import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER

_HEADERS = {
    ID_HEADER: "`id` of the event: the same at every delivery, so that it can be handled once.",
    TIME_HEADER: "When this was sent, in seconds since 1970.",
    SIGNATURE_HEADER: "`t=...,v1=...`: HMAC-SHA256 in hexadecimal digits by the secret of the endpoint, over `t`, a"
    " full stop and the body as it is sent; one `v1` for each secret that is valid.",
}


def describe_webhooks(document: dict[str, Any], template: str) -> None:
    """Add the kinds of events to an OpenAPI document, and the types of their bodies.

    Parameters
    ----------
    document : dict
        Is changed.
    template : str
        Of references to types, with ``{model}``.
    """
    bodies = {kind.body for kind in KINDS.values() if kind.body is not None}
    _, made = models_json_schema([(body, "serialization") for body in bodies], ref_template=template)
    schemas = document["components"]["schemas"]
    for name, definition in made["$defs"].items():
        schemas.setdefault(name, definition)
    document["webhooks"] = {kind.name: {"post": _operation(kind, template, schemas)} for kind in KINDS.values()}


def _operation(kind: Kind, template: str, schemas: dict[str, Any]) -> dict[str, Any]:
    reference = {"type": "object"} if kind.body is None else {"$ref": template.format(model=kind.body.__name__)}
    body_example = {} if kind.body is None else schemas[kind.body.__name__].get("example", {})
    event = {
        "type": "object",
        "required": ["id", "kind", "subject", "created_at", "body"],
        "properties": {
            "id": {"type": "string"},
            "kind": {"const": kind.name},
            "subject": {"type": "string", "description": "what it is about; events of one subject come in order"},
            "created_at": {"type": "string", "format": "date-time"},
            "body": reference,
        },
    }
    example = {
        "id": event_id_of(kind.name, "example"),
        "kind": kind.name,
        "subject": f"listing:{body_example['listing_id']}" if "listing_id" in body_example else "",
        "created_at": "2026-11-26T09:30:00Z",
        "body": body_example,
    }
    return {
        "tags": ["webhooks"],
        "summary": kind.what[0].upper() + kind.what[1:],
        "description": "Sent until it is answered with a status from 200 to 299.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": what}
            for name, what in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": event, "example": example}}},
        "responses": {"2XX": {"description": "Taken; the event is not sent again."}},
    }

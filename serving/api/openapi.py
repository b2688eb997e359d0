"""Words, examples and error answers of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from models.notices.recall import Recall
from serving.access.guard import COOKIE, PAGE_HEADER
from serving.access.routes import OPEN, Roles, roles_of
from serving.api.picture_schemas import KnownRequest, PicturedRequest
from serving.api.plan_schemas import ActRequest, PlanRequest
from serving.api.problems import PROBLEM_TYPES, Problem
from serving.api.recall_schemas import (
    AnswerRequest,
    CaseActRequest,
    ClockActRequest,
    InformedRequest,
    JudgementRequest,
    NamedListings,
    ReceiptRequest,
    TakeBackRequest,
)
from serving.api.schemas import AssessmentRequest
from serving.api.webhook_document import describe_webhooks
from serving.api.webhook_schemas import EndpointChange, EndpointRequest, RotationRequest
from serving.buyers.lines import LinesRequest, ReceiptsRequest
from serving.recalls.notices import NoticeRequest

TITLE = "hazardlens"
SUMMARY = "Product-safety risk of marketplace listings: hazards, EU risk level, explanation, action."
TAGS = [
    {"name": "assessments", "description": "Assess listings and read what was assessed."},
    {"name": "jobs", "description": "Long lists, assessed in the background."},
    {"name": "recalls", "description": "The recall desk: notices, cases, clocks, matches, takedown orders."},
    {"name": "pictures", "description": "Pictures of listings, and those that are to be known again."},
    {"name": "plans", "description": "Plans that are stored, and which one is live."},
    {"name": "shadow", "description": "A plan and a model on trial, beside the live ones and without effect."},
    {"name": "statements", "description": "Statements of reasons for the DSA Transparency Database."},
    {"name": "webhooks", "description": "Who is told of events, and what became of it."},
    {"name": "recalls", "description": "Recalls: notices, buyers, authorities, figures."},
    {"name": "model", "description": "What answers are made with."},
    {"name": "operation", "description": "For whoever runs the server."},
]
_WAYS_IN = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer hl_...`, with a key of `hazardlens keys create`. `x-roles` of each"
        " operation names the roles that may use it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"What the sign-in page gives a browser. What changes something also needs the header"
        f" `{PAGE_HEADER}`.",
    },
}
_REF = "#/components/schemas/{model}"
_LISTINGS: list[dict[str, Any]] = [
    {
        "id": "li-001",
        "title": "Mini Space Heater 1500W Plug In NO CORD",
        "description": "Plugs directly in socket! Use all night in bedroom. No thermostat needed.",
        "category": "Home > Heating",
        "captions": ["heater in a socket next to a bed"],
        "language": "en",
    },
    {"id": "li-002", "title": "Cotton tote bag with long handles", "brand": "Hearthlane"},
]

ASSESS_DESCRIPTION = """\
List in, list out, in the same order. Each listing is judged on its own: one that is not valid gets a problem in its
`error` and the others their assessment, all under status 200.

- The body is `{"listings": [...]}` or the bare array.
- Equal content, id and versions give an equal assessment, `id` included: asking again is safe and adds no row.
- Sent again under the same `Idempotency-Key` (1 to 255 printable ASCII characters, a UUID say), the answer is that of
  the first time, also where model or plan changed meanwhile, with `Idempotency-Replayed: true`. The key with another
  request is 422; while the first request is under way it is 409 with `Retry-After`. Only answers that went well are
  kept, for a day unless the operator set it otherwise.
- Several listings of one request may carry the same id; each is answered.
- `images` of a listing are its pictures: bytes in base64 as `data`, a part of a multipart request as `part`, or a `url`
  at a host that the operator allows. The listing is assessed at once on its text; its pictures are read afterwards, and
  it is then assessed again with the words that were found: `GET /v1/assessments/{id}/pictures` tells what came of it,
  and the event `listing.reassessed` what changed. Pictures that were read before count at once.
- Offsets count Unicode code points of the field as it was sent, end exclusive.
- The header `X-Request-Timeout` gives the seconds that the request may take. What cannot be answered by then is refused
  at once, what is overdue is dropped; both are 504 for the request as a whole.
- 429 comes before the body is read, with the expected wait as the reason and `Retry-After`.
- At most 1,000 listings (100 with `explain=full`) and 20 MB in one request, unless the operator set it otherwise;
  `GET /v1/model` tells the limits in force.
"""


def _json_of(request: str, listing: str) -> dict[str, Any]:
    """Return the description of listings in JSON, by the names of two schemas."""
    return {
        "schema": {
            "anyOf": [
                {"$ref": _REF.format(model=request)},
                {"type": "array", "items": {"$ref": _REF.format(model=listing)}},
            ]
        },
        "examples": {
            "two listings": {"value": {"listings": _LISTINGS}},
            "bare array": {"value": _LISTINGS[1:]},
        },
    }


ASSESS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _json_of("PicturedRequest", "PicturedListing"),
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["listings"],
                    "properties": {
                        "listings": {"type": "string", "description": "the JSON; `part` of an image names another part"}
                    },
                    "additionalProperties": {"type": "string", "format": "binary"},
                }
            },
        },
    }
}

JOB_DESCRIPTION = """\
For more listings than one request takes: they are assessed in the background, behind the calls that somebody waits for.

- The body is JSON as for `POST /v1/assessments`, or JSON Lines with one listing a line, or an Arrow stream or file, or
  Parquet, with the fields of a listing as columns (a null is a field that is left out). All but JSON may be long: 1 GB,
  also when it is unpacked, and 5,000,000 listings, unless the operator set it otherwise.
- `images` of a row are its pictures, as `data` in base64 or `url`, in a job that stores: the row answers to the text,
  the pictures are read behind the job, and `GET /v1/assessments/{id}/pictures` tells what they changed.
- Its listings are not charged to the allowance by the minute, which is for calls.
- With `tiers=two` the screen of the model, where it has one, answers for everyday goods: `tier` of such an answer is
  `screen`, and its figures are rough. Whatever it would not let pass, and all with explanations, the whole model reads.
- A row that is not valid gets an error of its own in the result and loses no other. A file that breaks off is refused.
- A job goes on after a crash or a restart from where it was. It is assessed by the model and the plan in force as it
  goes; `versions` tells from which row on which ones, and each row names its own.
- Sent again under the same `Idempotency-Key`, the answer is that of the first time and no second job is made.
"""

_BINARY = {"schema": {"type": "string", "format": "binary"}}
JOB_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _json_of("AssessmentRequest", "Listing"),
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"id": "li-001", "title": "Mini space heater"}\n{"id": "li-002", "title": "Cotton bag"}\n',
            },
            "application/vnd.apache.arrow.stream": _BINARY,
            "application/vnd.apache.arrow.file": _BINARY,
            "application/vnd.apache.parquet": _BINARY,
        },
    }
}
JOB_RESULT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One row a listing.",
        "content": {
            "application/x-ndjson": {"schema": {"$ref": _REF.format(model="ListingResult")}},
            "application/vnd.apache.arrow.stream": _BINARY,
            "application/vnd.apache.parquet": _BINARY,
        },
    },
    206: {"description": "Some bytes of the JSON Lines.", "content": {"application/x-ndjson": {}}},
}

_VERSIONS = {"model": "5d1c0f3a9b7e", "plan": "default@1+0a1b2c3d", "taxonomy": "safety-gate@2026.1"}
_ANSWER: dict[str, Any] = {
    "results": [
        {
            "index": 0,
            "listing_id": "li-001",
            "error": None,
            "assessment": {
                "id": "6f0d2c9e4b8a4f1e9c3d7a5b1e2f3a4b",
                "listing_id": "li-001",
                "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "versions": _VERSIONS,
                "language": {"code": "en", "confidence": 0.99, "covered": True},
                "risk_level": "serious",
                "level_probabilities": {
                    "none": 0.02,
                    "low": 0.03,
                    "medium": 0.05,
                    "high": 0.2,
                    "serious": 0.7,
                },
                "risk_score": 0.9,
                "p_unsafe": 0.62,
                "hazards": [{"risk_type": "fire", "probability": 0.81, "given_unsafe": 0.83, "flagged": True}],
                "scenario": {
                    "risk_type": "fire",
                    "kind": "plug-in-heater",
                    "consumers": "other",
                    "sentence": "The heater overheats in the socket at night and sets the bed on fire.",
                    "severity": 4,
                    "p_unsafe": 0.62,
                    "p_hazard": 0.7,
                    "p_injury": 0.001,
                    "probability": 0.00043,
                    "band": "> 1/10 000",
                    "level": "serious",
                    "sensitivity": {
                        "severity_up": "serious",
                        "severity_down": "high",
                        "probability_up": "serious",
                        "probability_down": "high",
                    },
                },
                "kinds": [
                    {
                        "kind": "plug-in-heater",
                        "name": "Plug-in heater",
                        "category": "Electrical appliances and equipment",
                        "probability": 0.93,
                    }
                ],
                "cues": [],
                "abstains": [],
                "notes": [],
                "decision": {
                    "action": "hold_for_review",
                    "rules": ["level-serious"],
                    "reasons": ["Serious risk: a reviewer decides before sale, first in the queue."],
                    "level": "serious",
                    "fired": [
                        {
                            "id": "level-serious",
                            "action": "hold_for_review",
                            "reason": "Serious risk: a reviewer decides before sale, first in the queue.",
                            "reason_code": "level-serious",
                            "legal_basis": ["GPSR Article 3", "GPSR Article 22(3)", "DSA Article 35"],
                            "owner": "",
                        }
                    ],
                    "classified_by": [],
                    "background": [],
                    "errors": [],
                    "obligations": [],
                    "queue": "urgent",
                    "due": {"amount": 24, "unit": "hours"},
                },
                "explanation": [],
            },
        },
        {
            "index": 1,
            "listing_id": "li-002",
            "assessment": None,
            "error": {
                "type": "urn:hazardlens:problem:invalid-listing",
                "title": "The listing is not valid",
                "status": 422,
                "detail": "title: is missing",
                "instance": "/v1/assessments#/listings/1",
                "errors": [
                    {
                        "field": "title",
                        "value": None,
                        "message": "is missing",
                        "hint": "add it; it may be empty",
                    }
                ],
            },
        },
    ],
    "versions": _VERSIONS,
}


def json_body(model: str) -> dict[str, Any]:
    """Return the documented body of a route that reads its JSON by hand."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=model)}}},
        }
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documented error answers of a route."""
    result: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        kinds = [kind for kind in PROBLEM_TYPES if kind.status == status and kind.name != "invalid-listing"]
        result[status] = {
            "description": "; ".join(f"{kind.title} (`{kind.uri}`)" for kind in kinds),
            "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
    return result


def complete_openapi(app: FastAPI) -> None:
    """Add the schemas that no route's signature names: the body is read by hand, errors by handlers."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            _, extra = models_json_schema(
                [
                    (AssessmentRequest, "validation"),
                    (PicturedRequest, "validation"),
                    (KnownRequest, "validation"),
                    (PlanRequest, "validation"),
                    (ActRequest, "validation"),
                    (NoticeRequest, "validation"),
                    (JudgementRequest, "validation"),
                    (TakeBackRequest, "validation"),
                    (NamedListings, "validation"),
                    (AnswerRequest, "validation"),
                    (InformedRequest, "validation"),
                    (CaseActRequest, "validation"),
                    (ClockActRequest, "validation"),
                    (ReceiptRequest, "validation"),
                    (EndpointRequest, "validation"),
                    (EndpointChange, "validation"),
                    (RotationRequest, "validation"),
                    (Recall, "validation"),
                    (LinesRequest, "validation"),
                    (ReceiptsRequest, "validation"),
                    (Problem, "serialization"),
                ],
                ref_template=_REF,
            )
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            for name, definition in extra["$defs"].items():
                schemas.setdefault(name, definition)
            # FastAPI drops every null of an example that is given with the route.
            answer = schema["paths"]["/v1/assessments"]["post"]["responses"]["200"]
            answer["description"] = "One result a listing, in the order of the request."
            answer["content"]["application/json"]["example"] = _ANSWER
            schema["components"]["securitySchemes"] = _WAYS_IN
            for path, operations in schema["paths"].items():
                for method, operation in operations.items():
                    _mend(operation)
                    _secure(operation, roles_of(method.upper(), path))
            schemas["Problem"]["example"] = Problem.model_json_schema()["example"]
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            describe_webhooks(schema, _REF)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _secure(operation: dict[str, Any], roles: Roles | None) -> None:
    """Say who may use a route, and what it answers to others."""
    if roles == OPEN:
        operation["security"] = []
        return
    operation["security"] = [{name: []} for name in _WAYS_IN]
    known = ", ".join(sorted(roles or ()))
    operation["x-roles"] = sorted(roles or ())
    operation["description"] = f"{operation.get('description', '').rstrip()}\n\nRoles: {known}.".lstrip()
    operation["responses"] |= {
        str(status): answer
        for status, answer in problems(401, 403, 429).items()
        if str(status) not in operation["responses"]
    }
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _mend(operation: dict[str, Any]) -> None:
    """FastAPI documents its own 422 in another shape; ours is a problem, as every error."""
    answer = operation.get("responses", {}).get("422", {})
    answer.get("content", {}).pop("application/json", None)
    if "responses" in operation and answer.get("content") == {}:
        del operation["responses"]["422"]

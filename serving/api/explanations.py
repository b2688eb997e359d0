"""Why a kept assessment says what it says."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from models.domain.explanation import Detail, Explanation
from models.domain.listing import Listing
from serving.api.gate import arrived
from serving.api.openapi import problems
from serving.api.problems import INVALID_PARAMETER, MODEL_CHANGED, NOT_FOUND, FieldError, ProblemError, shortened
from serving.api.responses import JsonResponse
from serving.engine import InForce
from serving.fragments import LEVEL, explanation_fragment
from serving.services import services_of
from serving.store.assessments import StoredAssessment, is_assessment_id

router = APIRouter(tags=["assessments"])


@router.get(
    "/v1/assessments/{assessment_id}/explanation",
    summary="Explain one assessment",
    description="""\
Computed anew from the kept listing, by the model that assessed it; where another model is in force the answer is 409.

- `detail=tokens`: what the level and the main hazards rest on: exact shares of words, phrases and fields, with places
  in the seller's text. `detail=full`: every hazard, what the answer would be without the phrases that matter, the
  smallest change found that lowers the action, and known items near the listing, for and against.
- `format=html`, or `Accept: text/html`: the same as a fragment of HTML without script or style.
""",
    response_model=Explanation,
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}}}},
        **problems(404, 409, 422, 429, 500, 503, 504),
    },
)
async def get_explanation(
    request: Request,
    assessment_id: Annotated[str, Path(description="`id` of an assessment", examples=["0f" * 16])],
    detail: Annotated[Detail, Query(description="how much of it")] = "full",
    about: Annotated[
        str | None, Query(max_length=100, description="a risk type to explain too, or `level`; HTML marks its words")
    ] = None,
    format: Annotated[Literal["json", "html"] | None, Query(description="wins over `Accept`")] = None,
) -> Response:
    """Explain one assessment."""
    services = services_of(request)
    engine = services.engine
    in_force = engine.in_force
    known = is_assessment_id(assessment_id)
    stored = await asyncio.to_thread(services.store.get, assessment_id) if known else None
    if stored is None:
        raise ProblemError(NOT_FOUND, f"No assessment has the id {shortened(assessment_id)}.")
    _require_known(about, in_force)
    _require_same_model(stored, in_force)
    listing = Listing.model_validate(stored.listing)
    types = () if about in (None, LEVEL) else (str(about),)
    arrived(request.scope)
    found = await engine.explain(listing, detail, types, in_force, stored.looked)
    explanation = found.model_copy(
        update={"assessment_id": stored.id, "notes": [*found.notes, *_notes(stored, in_force)]}
    )
    if format == "html" or (format is None and "text/html" in request.headers.get("accept", "")):
        return HTMLResponse(explanation_fragment(explanation, stored.listing, about), headers={"Vary": "Accept"})
    return JsonResponse(orjson.Fragment(explanation.model_dump_json()), headers={"Vary": "Accept"})


def _require_known(about: str | None, in_force: InForce) -> None:
    names = in_force.model.taxonomy.names
    if about is not None and about != LEVEL and about not in names:
        raise ProblemError(
            INVALID_PARAMETER,
            f"about: no risk type is called {shortened(about)}.",
            [FieldError(field="about", value=shortened(about), message="not known", hint=f"level, {', '.join(names)}")],
        )


def _require_same_model(stored: StoredAssessment, in_force: InForce) -> None:
    """Another model's reasons would not be those of the answer."""
    made, answering = stored.assessment["versions"]["model"], in_force.versions.model
    if made != answering:
        raise ProblemError(
            MODEL_CHANGED,
            f"Model {made} made this assessment, model {answering} is in force. Assess the listing again.",
        )


def _notes(stored: StoredAssessment, in_force: InForce) -> list[str]:
    plan, deciding = stored.assessment["versions"]["plan"], in_force.versions.plan
    if plan == deciding:
        return []
    return [f"the plan has changed since, from {plan} to {deciding}: actions here follow the plan in force"]

"""The page for people: a form, an assessment, the list of kept ones. Rendered here, filled in by a small script."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from models.domain.listing import LIMITS
from models.domain.risk import BANDS
from serving.access.asking import known_principal
from serving.api.problems import NOT_FOUND, Problem, ProblemError, shortened
from serving.console.rendering import render_sign_in
from serving.services import services_of
from serving.templating import template_environment

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_EXAMPLES_SHOWN = 100
_FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)
_templates = template_environment()


def static_version() -> str:
    """Return a short digest of all static files: a changed file changes every address, so caches never mix versions."""
    digest = hashlib.sha256()
    for path in sorted(_STATIC.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


class _VersionedFiles(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = _FOREVER
        return response


def mount_static(app: FastAPI) -> None:
    """Serve the static files below an address that holds their version."""
    app.state.static = f"/static/{static_version()}"
    app.mount(app.state.static, _VersionedFiles(directory=_STATIC), name="static")


@router.get("/")
async def front(request: Request) -> Response:
    """Show the form and the most risky assessments."""
    rows = await asyncio.to_thread(services_of(request).store.summaries, _EXAMPLES_SHOWN)
    return _page(request, "index.html", {"rows": rows, "assessment_id": "", "limits": LIMITS})


@router.get("/assessments/{assessment_id}")
async def permalink(request: Request, assessment_id: str) -> Response:
    """Show one kept assessment."""
    store = services_of(request).store
    known = assessment_id.isascii() and assessment_id.isalnum()
    stored = await asyncio.to_thread(store.get, assessment_id) if known else None
    if stored is None:
        raise ProblemError(NOT_FOUND, f"No assessment has the id {shortened(assessment_id)}.")
    return _page(
        request, "assessment.html", {"assessment_id": stored.id, "title": str(stored.listing.get("title", ""))}
    )


def wants_page(request: Request) -> bool:
    """Whether an error is for a person at a browser rather than for a program."""
    return not request.url.path.startswith("/v1") and "text/html" in request.headers.get("accept", "")


def error_page(request: Request, problem: Problem, headers: Mapping[str, str]) -> Response:
    """Return a problem as a page; the one that asks who one is takes the answer."""
    if problem.status == 401:
        settings = services_of(request).settings
        values = {"problem": problem, "provider": settings.oidc_name if settings.oidc_issuer else ""}
        return render_sign_in(request, values, problem.status, headers)
    return _page(request, "error.html", {"problem": problem}, problem.status, headers)


def _page(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    principal = known_principal(request.scope)
    signed_in = principal.shown if principal is not None and principal.how == "session" else ""
    text = _templates.get_template(template).render(
        static=request.app.state.static, bands=BANDS, signed_in=signed_in, **values
    )
    return HTMLResponse(text, status, {"Cache-Control": "no-cache", **(headers or {})})

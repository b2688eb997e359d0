"""Renders the console's templates, in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.console.language import chosen_language, translations_for
from serving.people import person_of

UNDO_COOKIE = "hazardlens_undo"
_TEMPLATES = Path(__file__).parents[1] / "templates"


def _environment(language: str) -> Environment:
    translations = translations_for(language)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.filters["percent"] = percent
    environment.filters["plain"] = lambda word: translations.gettext(str(word).replace("_", " "))
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    return environment


_environments: dict[str, Environment] = {}


def render(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page or a fragment; what a seller wrote is escaped, no script or style stands in it."""
    language = chosen_language(request)
    environment = _environments.get(language)
    if environment is None:
        environment = _environments[language] = _environment(language)
    text = environment.get_template(f"console/{template}").render(
        static=request.app.state.static,
        person=person_of(request),
        language=language,
        now=dt.datetime.now(dt.UTC),
        undo=_decision_to_undo(request),
        **{"query": request.url.query, **values},
    )
    return HTMLResponse(
        text, status, {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie", **(headers or {})}
    )


def _decision_to_undo(request: Request) -> str:
    """Return the decision that was just made and can be taken back, as the browser was told; empty for none."""
    given = request.cookies.get(UNDO_COOKIE, "")
    return given if given.isascii() and given.isdigit() else ""


def percent(share: float) -> str:
    """Return a share as people read it; what is not nothing is never shown as 0 %.

    Examples
    --------
    >>> percent(0.126), percent(0.0004), percent(0.0)
    ('13 %', '< 1 %', '0 %')
    """
    if 0 < share < 0.005:
        return "< 1 %"
    return f"{100 * share:.0f} %"

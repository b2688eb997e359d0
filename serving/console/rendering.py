"""Renders the console's templates, in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from serving.access.asking import principal_of
from serving.access.principal import Role
from serving.console.language import chosen_language, translations_for
from serving.services import services_of
from serving.templating import template_environment

UNDO_COOKIE = "hazardlens_undo"


@cache
def _environment(language: str) -> Environment:
    translations = translations_for(language)
    environment = template_environment(["jinja2.ext.i18n"])
    environment.filters["percent"] = percent
    environment.filters["plain"] = lambda word: translations.gettext(str(word).replace("_", " "))
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    return environment


def render(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page or a fragment; what a seller wrote is escaped, no script or style stands in it."""
    language = chosen_language(request)
    text = (
        _environment(language)
        .get_template(f"console/{template}")
        .render(
            static=request.app.state.static,
            person=principal_of(request).name,
            is_admin=Role.ADMIN in principal_of(request).roles,
            sees_golden=bool(principal_of(request).roles & {Role.ADMIN, Role.SCIENTIST}),
            shown=principal_of(request).shown,
            people=services_of(request).keyring.shown,
            language=language,
            now=dt.datetime.now(dt.UTC),
            undo=_decision_to_undo(request),
            **{"query": request.url.query, **values},
        )
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

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
from serving.console.language import NAMES, chosen_language, translations_for
from serving.console.wording import Wording
from serving.services import services_of
from serving.templating import template_environment

UNDO_COOKIE = "hazardlens_undo"


@cache
def environment_for(language: str) -> Environment:
    """Return the environment whose templates speak a language."""
    translations = translations_for(language)
    environment = template_environment(["jinja2.ext.i18n"])
    environment.filters["percent"] = percent
    wording = Wording(translations.gettext)
    environment.filters["plain"] = wording.plain
    environment.filters["note"] = wording.note
    environment.filters["scenario"] = wording.scenario
    environment.filters["consumers"] = wording.consumers
    environment.filters["odds"] = wording.odds
    environment.filters["said"] = lambda text: translations.gettext(text) if text else ""
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
    language, principal = chosen_language(request), principal_of(request)
    text = (
        environment_for(language)
        .get_template(f"console/{template}")
        .render(
            static=request.app.state.static,
            person=principal.name,
            shown=principal.shown,
            is_admin=Role.ADMIN in principal.roles,
            sees_golden=bool(principal.roles & {Role.ADMIN, Role.SCIENTIST}),
            language_names=NAMES,
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


def render_sign_in(
    request: Request, values: Mapping[str, Any], status: int, headers: Mapping[str, str]
) -> HTMLResponse:
    """Return the page on which people sign in; nobody is known on it."""
    language = chosen_language(request)
    template = environment_for(language).get_template("console/sign_in.html")
    text = template.render(static=request.app.state.static, signed_in="", language=language, **values)
    return HTMLResponse(text, status, {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie", **headers})


def render_public(request: Request, template: str, values: Mapping[str, Any]) -> HTMLResponse:
    """Return a page for everybody, who need not be signed in."""
    language = chosen_language(request)
    page = environment_for(language).get_template(f"console/{template}")
    text = page.render(static=request.app.state.static, language=language, **values)
    return HTMLResponse(text, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"})


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

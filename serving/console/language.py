"""Languages of the console: English as it is written, others by catalogues of gettext."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from fastapi import Request, Response

_CATALOGUES = Path(__file__).parent / "catalogues"
_SCENARIOS = _CATALOGUES / "scenarios"
"""Sentences of the knowledge base that ships, apart from the console's own texts."""
COOKIE = "hazardlens_language"
NAMES = {"en": "English", "de": "Deutsch", "fr": "Français"}
"""Each language in its own words, as people look for it."""
_REMEMBERED = 365 * 86_400


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are, English first."""
    return ("en", *sorted(path.stem for path in _CATALOGUES.glob("*.po")))


@cache
def translations_for(language: str) -> NullTranslations:
    """Return the texts of a language, of the console and of scenarios; what no catalogue has stays English."""
    if language == "en":
        return NullTranslations()
    texts = _read(_CATALOGUES, language)
    texts.merge(_read(_SCENARIOS, language))
    return texts


def _read(place: Path, language: str) -> Translations:
    with (place / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def chosen_language(request: Request) -> str:
    """Return the reader's language: by cookie, or else what the browser asks for."""
    asked = request.cookies.get(COOKIE, "")
    if asked in languages():
        return asked
    wanted = [part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return negotiate_locale([w.replace("-", "_") for w in wanted if w], languages()) or "en"


def remember_language(request: Request, response: Response, language: str) -> None:
    """Let the browser ask for a language from now on."""
    response.set_cookie(
        COOKIE, language, max_age=_REMEMBERED, path="/", secure=request.url.scheme == "https", httponly=True,
        samesite="strict",
    )  # fmt: skip

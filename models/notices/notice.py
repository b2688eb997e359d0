"""Puts a recall notice together in one language, and refuses one that lacks a part or softens the risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from babel.dates import format_date

from models.domain.countries import eea_country
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import read_located
from models.knowledge.translated_texts import FALLBACK, TranslatedTexts, load_translated
from models.notices.recall import Recall
from models.notices.softening import load_softening_words
from models.reasons.seller_texts import load_seller_texts

_GROUPS = ("texts",)
_FACTS = ("native_reviewed", "headline")
_T = "texts"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, in a language that may be another than the notice's."""

    text: str
    language: str
    strong: bool = False


@dataclass(frozen=True)
class Part:
    """A part of the notice under a heading of its own."""

    key: str
    title: str
    paragraphs: tuple[Paragraph, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """A recall notice in one language, ready to be rendered.

    Parameters
    ----------
    opening : str
        The line about the buyer's own order; empty in a notice for everybody.
    picture, picture_words : str
        Address of the picture, and what stands in its place for who does not see it.
    remarks : tuple of str
        What whoever sends it should know; not part of the notice.
    """

    language: str
    direction: Literal["ltr", "rtl"]
    headline: str
    opening: str
    picture: str
    picture_words: str
    parts: tuple[Part, ...]
    remarks: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Purchase:
    """The order that a notice is about, and the buyer's authority, with its site; both may be left out."""

    order: str = ""
    bought: dt.date | None = None
    authority: str = ""


@dataclass(frozen=True)
class Wording:
    """The sentences of one language, and how far they can be relied upon.

    Parameters
    ----------
    native_reviewed : bool
        Whether somebody whose language it is has read them.
    headline_verified : bool
        Whether the headline was seen in an official text of that language.
    headline_source : str
    """

    texts: TranslatedTexts
    native_reviewed: bool
    headline_verified: bool
    headline_source: str


@cache
def load_wordings(directory: Path | None = None) -> Mapping[str, Wording]:
    """Read every language of recall notices; without a directory, those that ship.

    Raises
    ------
    InputError
        For the first problem, with file, line and mend.
    """
    place = directory or datasets_dir() / "recall_notices"
    return {code: _wording(place / f"{code}.yaml", texts) for code, texts in _texts(place).items()}


def _texts(place: Path) -> Mapping[str, TranslatedTexts]:
    return load_translated(place, _GROUPS, _FACTS)


def _wording(path: Path, texts: TranslatedTexts) -> Wording:
    file = read_located(path)
    headline, reviewed = file.data.get("headline"), file.data.get("native_reviewed")
    known = isinstance(headline, dict) and set(headline) == {"verified", "source"}
    if not known or not isinstance(headline["verified"], bool) or not isinstance(reviewed, bool):
        hint = "write native_reviewed: true or false, and headline: {verified: true or false, source: ...}"
        raise InputError("native_reviewed or headline is missing", place=f"{path}:{file.line_of(())}", hint=hint)
    return Wording(texts, reviewed, headline["verified"], str(headline["source"]))


def language_for(language: str, country: str) -> str:
    """Return the language of a buyer's notice: the buyer's, else one of the country's, else English.

    Examples
    --------
    >>> language_for("sv", "BE"), language_for("pl", "BE"), language_for("", "SE")
    ('nl', 'pl', 'en')
    """
    known = load_wordings()
    state = eea_country(country)
    spoken = () if state is None else state.languages_in_order
    return next((code for code in (language.lower()[:2], *spoken) if code in known), FALLBACK)


def problems_of(recall: Recall, language: str) -> list[InputError]:
    """Return everything that keeps a notice from being sent in a language: what is missing, and what softens."""
    problems = list(recall.problems())
    if language not in load_wordings():
        known = ", ".join(sorted(load_wordings()))
        return [
            *problems,
            InputError(f"no notice is written in {language!r}", place="language", hint=f"one of {known}"),
        ]
    words = load_softening_words()
    for place, code, text in _written(recall, language):
        problems += [softener.error(place) for softener in words.find(text, code)]
    return problems


def notice_of(recall: Recall, language: str, purchase: Purchase | None = None) -> Notice:
    """Return the notice.

    Raises
    ------
    InputError
        The first of `problems_of`.
    """
    for problem in problems_of(recall, language):
        raise problem
    bought = purchase or Purchase()
    wording = load_wordings()[language]
    say = wording.texts
    opening = ""
    if bought.order and bought.bought:
        opening = say.say(_T, "order", order=bought.order, date=_day(bought.bought, language))
    return Notice(
        language=language,
        direction=say.direction,
        headline=say.say(_T, "headline"),
        opening=opening,
        picture=recall.picture,
        picture_words=say.say(_T, "picture", product=recall.product),
        parts=(
            _product(recall, say),
            _hazard(recall, say),
            _action(recall, say),
            _remedies(recall, say),
            _contact(recall, say, bought.authority),
        ),
        remarks=tuple(_remarks(recall, wording)),
    )


def _written(recall: Recall, language: str) -> Iterator[tuple[str, str, str]]:
    """Yield what the desk wrote and this notice holds: field, language, text."""
    for field_name in ("product", "sold_where"):
        yield field_name, language, getattr(recall, field_name)
    for field_name in ("hazard_details", "instructions", "number_place"):
        code, text = _in_language(getattr(recall, field_name), language)
        yield f"{field_name}.{code}", code if code in load_wordings() else FALLBACK, text


def _in_language(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """Return (language, text): of the language, else English, else any."""
    code = next((code for code in (language, FALLBACK, *texts) if texts.get(code)), language)
    return code, texts.get(code, "")


def _product(recall: Recall, say: TranslatedTexts) -> Part:
    assert recall.sold_from is not None
    assert recall.sold_until is not None
    place = _in_language(recall.number_place, say.language)[1]
    period = {"first": _day(recall.sold_from, say.language), "last": _day(recall.sold_until, say.language)}
    facts = {
        "name": recall.product,
        "brand": recall.brand,
        "gtin": ", ".join(recall.gtins),
        "model": ", ".join(recall.models),
        "batch": ", ".join(recall.batches),
        "serial": ", ".join(recall.serials),
        "number_place": place,
        "sold": say.say(_T, "sold_period", **period),
        "sold_where": recall.sold_where,
        "sold_by": recall.sold_by,
    }
    shown = tuple((say.say(_T, key), value) for key, value in facts.items() if value)
    return Part("product", say.say(_T, "product"), facts=shown)


def _hazard(recall: Recall, say: TranslatedTexts) -> Part:
    names = load_seller_texts()[say.language].groups["hazards"]
    listed = _SEPARATOR.get(say.language, ", ").join(names.get(hazard, hazard) for hazard in recall.hazards)
    code, details = _in_language(recall.hazard_details, say.language)
    paragraphs = (Paragraph(say.say(_T, "danger", hazards=listed), say.language, True), Paragraph(details, code))
    return Part("hazard", say.say(_T, "hazard"), paragraphs)


def _action(recall: Recall, say: TranslatedTexts) -> Part:
    paragraphs = [Paragraph(say.say(_T, "stop"), say.language, True)]
    code, instructions = _in_language(recall.instructions, say.language)
    if instructions:
        paragraphs.append(Paragraph(instructions, code))
    paragraphs.append(Paragraph(say.say(_T, "share"), say.language))
    return Part("action", say.say(_T, "action"), tuple(paragraphs))


def _remedies(recall: Recall, say: TranslatedTexts) -> Part:
    choices = tuple(say.say(_T, remedy.value) for remedy in dict.fromkeys(recall.remedies))
    lead = (Paragraph(say.say(_T, "choose"), say.language),) if len(choices) > 1 else ()
    return Part("remedies", say.say(_T, "remedies"), lead, choices=choices)


def _contact(recall: Recall, say: TranslatedTexts, authority: str) -> Part:
    facts = {
        "phone": recall.phone,
        "online": recall.website,
        "email": recall.email,
        "authority": authority,
    }
    shown = tuple((say.say(_T, key), value) for key, value in facts.items() if value)
    return Part("contact", say.say(_T, "contact"), facts=shown)


def _remarks(recall: Recall, wording: Wording) -> Iterator[str]:
    language = wording.texts.language
    if not wording.native_reviewed:
        yield f"the sentences in {language!r} were not reviewed by a native speaker"
    if not wording.headline_verified:
        yield f"the headline in {language!r} was not compared with the official text: {wording.headline_source}"
    for name in ("hazard_details", "instructions"):
        texts = getattr(recall, name)
        if texts and not texts.get(language):
            yield f"{name}.{language} is missing: that text stands in another language"


_SEPARATOR = {"ar": "، ", "ja": "、"}


def _day(day: dt.date, language: str) -> str:
    return format_date(day, "long", locale=language)

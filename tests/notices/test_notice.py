"""A recall notice: whole in every language, refused where it lacks a part or softens the risk."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.notices.notice import Purchase, language_for, load_wordings, notice_of, problems_of
from models.notices.recall import Recall
from models.notices.rendering import notice_document, notice_fragment, notice_text
from models.notices.softening import load_softening_words
from models.reasons.seller_texts import load_seller_texts
from tests.notices.conftest import heater

WORDINGS = load_wordings()
LANGUAGES = sorted(WORDINGS)
PURCHASE = Purchase("A-1001", dt.date(2026, 2, 3), "NVWA, https://www.nvwa.nl")
SCRIPTS = {
    "ru": ("CYRILLIC",), "uk": ("CYRILLIC",), "ar": ("ARABIC",), "he": ("HEBREW",), "ko": ("HANGUL",), "th": ("THAI",),
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
}  # fmt: skip
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_notices_speak_the_languages_that_sellers_are_written_to_in() -> None:
    assert sorted(load_seller_texts()) == LANGUAGES
    assert len(LANGUAGES) == 18


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_has_every_part_that_the_regulation_asks_for(language: str, recall: Recall) -> None:
    notice = notice_of(recall, language, PURCHASE)
    text, say = notice_text(notice), WORDINGS[language].texts
    hazards = load_seller_texts()[language].groups["hazards"]

    assert notice.headline == say.groups["texts"]["headline"]
    assert [part.key for part in notice.parts] == ["product", "hazard", "action", "remedies", "contact"]
    for wanted in (
        "https://marketplace.example/heater.jpg", "Sparkle Mini Heater", "Hearthlane", "HX-15", "0000000000017", "L22",
        "Warm Things Ltd", "2026", hazards["fire"], hazards["electric shock"], "The housing melts",
        say.groups["texts"]["stop"], say.groups["texts"]["refund"], say.groups["texts"]["replacement"], "+31 800 000",
        "https://marketplace.example/recall/1", say.groups["texts"]["share"], "A-1001", PURCHASE.authority,
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_sentences_soften_nothing(language: str, recall: Recall) -> None:
    assert load_softening_words().find(notice_text(notice_of(recall, language, PURCHASE)), language) == []


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_sentences_are_translated_and_in_their_script(language: str) -> None:
    english, own = WORDINGS["en"].texts.groups["texts"], WORDINGS[language].texts.groups["texts"]
    same = {key for key in own if own[key] == english[key]}
    assert same <= {"name", "model", "online", "email", "contact", "batch"}
    for text in own.values():
        letters = [c for c in re.sub(r"\{\w+\}|GTIN", "", text) if c.isalpha()]
        written = [c for c in letters if unicodedata.name(c).startswith(SCRIPTS.get(language, ("LATIN",)))]
        assert len(written) == len(letters), text


def test_the_headline_is_the_one_of_the_regulation() -> None:
    assert notice_of(heater(), "en").headline == "Product safety recall"
    assert notice_of(heater(), "de").headline == "Produktsicherheitsrückruf"
    assert {code for code, wording in WORDINGS.items() if wording.headline_verified} == {"de", "en"}


def test_whoever_sends_a_notice_is_told_what_nobody_has_checked() -> None:
    remarks = notice_of(heater(), "pl").remarks
    assert "the sentences in 'pl' were not reviewed by a native speaker" in remarks
    assert "hazard_details.pl is missing: that text stands in another language" in remarks
    assert any(remark.startswith("the headline in 'pl' was not compared") for remark in remarks)


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"product": ""}, "product", "is missing"),
        ({"brand": " "}, "brand", "is missing"),
        ({"picture": ""}, "picture", "is missing"),
        ({"picture": "http://marketplace.example/p.jpg"}, "picture", "is no safe address"),
        ({"gtins": [], "models": [], "batches": []}, "models", "nothing identifies the product"),
        ({"sold_from": None}, "sold_from", "is missing"),
        ({"sold_until": None}, "sold_until", "is missing"),
        ({"sold_until": dt.date(2025, 1, 1)}, "sold_until", "is before sold_from"),
        ({"sold_where": ""}, "sold_where", "is missing"),
        ({"sold_by": ""}, "sold_by", "is missing"),
        ({"hazards": []}, "hazards", "is missing"),
        ({"hazard_details": {}}, "hazard_details", "is missing"),
        ({"remedies": []}, "remedies", "is missing"),
        ({"remedies": ["repair"]}, "remedies", "only repair is offered"),
        ({"phone": "", "website": ""}, "phone", "is missing"),
        ({"website": "javascript:alert(1)"}, "website", "is no safe address"),
        ({"hazard_details": {"en": "It burns in rare situations."}}, "hazard_details.en", "in rare"),
        ({"instructions": {"en": "A voluntary recall: unplug it."}}, "instructions.en", "voluntary"),
        ({"product": "Heater (precautionary recall)"}, "product", "precautionary"),
    ],
)
def test_what_is_missing_or_softens_is_named_with_its_field(changes: dict[str, Any], place: str, words: str) -> None:
    problems = problems_of(heater(**changes), "en")
    assert [(each.place, words in each.message, bool(each.hint)) for each in problems] == [(place, True, True)]
    with pytest.raises(InputError, match=words):
        notice_of(heater(**changes), "en")


def test_one_remedy_is_enough_where_the_reason_is_kept() -> None:
    alone = heater(remedies=["refund"], only_remedy_because="The product cannot be made safe.")
    notice = notice_of(alone, "en")
    assert notice.parts[3].choices == ("Refund of at least the price that you paid",)
    assert notice.parts[3].paragraphs == ()
    assert "cannot be made safe" not in notice_text(notice)


def test_texts_of_another_language_are_judged_by_its_words() -> None:
    only_french = heater(hazard_details={"fr": "Dans de rares cas, il brûle."})
    assert [each.place for each in problems_of(only_french, "de")] == ["hazard_details.fr"]


def test_a_language_without_notices_is_refused() -> None:
    assert [each.place for each in problems_of(heater(), "sv")] == ["language"]


@pytest.mark.parametrize(
    ("language", "country", "chosen"),
    [
        ("de", "FR", "de"),
        ("de-AT", "AT", "de"),
        ("sv", "BE", "nl"),
        ("", "IT", "it"),
        ("sv", "SE", "en"),
        ("", "", "en"),
        ("PL", "US", "pl"),
    ],
)
def test_a_buyer_is_written_to_in_the_own_language_else_the_countrys(language: str, country: str, chosen: str) -> None:
    assert language_for(language, country) == chosen


def test_what_anybody_wrote_is_escaped() -> None:
    page = notice_document(notice_of(heater(product=HOSTILE, brand=HOSTILE, sold_by=HOSTILE), "en"))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;") >= 3


def test_the_document_states_its_language_and_direction() -> None:
    page = notice_document(notice_of(heater(), "ar", PURCHASE))
    assert '<html lang="ar" dir="rtl">' in page
    assert '<p lang="en" dir="auto">The housing melts' in page
    assert "\u2068A-1001\u2069" in page
    assert page.count("<h1>") == 1


def test_a_fragment_without_pictures_loads_nothing_from_elsewhere() -> None:
    assert "<img" not in notice_fragment(notice_of(heater(), "en"), pictures=False)
    assert '<img src="https://marketplace.example/heater.jpg" alt="Picture of the product: Sparkle Mini Heater"' in (
        notice_fragment(notice_of(heater(), "en"))
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  stop:", "  halt:", "texts.stop is missing"),
        ("native_reviewed: false", "native_reviewed: perhaps", "native_reviewed or headline is missing"),
        ("  verified: true", "  verified: maybe", "native_reviewed or headline is missing"),
        ("headline:\n", "title:\n", "unknown key 'title'"),
    ],
)
def test_a_broken_file_names_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    for name in ("en", "de"):
        shutil.copy(datasets_dir() / "recall_notices" / f"{name}.yaml", tmp_path)
    file = tmp_path / "de.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_wordings(tmp_path)
    assert message in str(caught.value)
    assert f"{file}:" in str(caught.value)

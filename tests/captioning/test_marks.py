"""Marks and warnings are found in what was read off a picture, in every language, and nothing else is."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.captioning.approximate import find, skeleton
from models.captioning.mark_reading import MarkCaptioner, marks_in
from models.captioning.marks import Mark, MarkCatalogue, load_marks
from models.domain.errors import InputError
from models.domain.listing import Caption
from models.domain.resources import datasets_dir
from tests.captioning.conftest import draw

MARKS = load_marks()
WORDED = [mark for mark in MARKS if mark.phrases]
LANGUAGES = ["ar", "de", "en", "es", "fr", "he", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "uk", "vi"]


def printed(phrase: str) -> str:
    return phrase.replace("{months}", "36").replace("{years}", "3")


def found(text: str, beside: str = "") -> dict[str, str]:
    return {mark.code: mark.sentence for mark in marks_in(text, MARKS, beside)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_is_known_in_every_language(language: str) -> None:
    missing = [
        mark.code for mark in MARKS if (mark.phrases or mark.labels) and language not in mark.phrases | mark.labels
    ]

    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_print_of_a_language_is_found_whatever_its_case_accents_and_gaps(language: str) -> None:
    for mark in WORDED:
        for phrase in mark.phrases[language]:
            text = printed(phrase)
            bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
            for shown in (text, text.upper(), f"* {text}!", bare, text.replace(" ", "")):
                assert mark.code in found(shown), shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_print_is_found_with_a_letter_read_wrong(language: str) -> None:
    chance = random.Random(language)
    for mark in WORDED:
        # A Korean letter is a part of a sign.
        for phrase in [unicodedata.normalize("NFD", phrase) for phrase in mark.phrases[language]]:
            letters = [i for i, c in enumerate(phrase.partition("{")[0]) if c.isalpha()]
            if len(skeleton(printed(phrase)).letters) < 8 or not letters:
                continue
            at = chance.choice(letters)
            wrong = printed(phrase[:at] + "ж" + phrase[at + 1 :])
            assert mark.code in found(wrong), wrong


@pytest.mark.parametrize("language", [*LANGUAGES, "zh"])
def test_labels_count_where_a_colon_follows(language: str) -> None:
    (mark,) = [mark for mark in MARKS if mark.labels]
    for label in mark.labels[language]:
        assert mark.code in found(f"{label}: Aqua, Glycerin")
        assert mark.code not in found(f"{label} Aqua, Glycerin")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Laser 5000 mW 532 nm", {"laser power 5000 mW"}),
        ("LASER 5OOO MW", {"laser power 5000 mW"}),
        ("Bluetooth 10 mW", set()),
        ("230 V~ 50 Hz 1500 W CE", {"CE mark", "voltage 230 V", "power 1500 W"}),
        ("220-240V AC", {"voltage 220-240 V"}),
        ("220 В 2000 Вт EAC", {"voltage 220 V", "power 2000 W", "EAC mark"}),
        ("C€ 0123 UKCA", {"CE mark", "UKCA mark"}),
        ("CE PRODUIT NE CONVIENT PAS", set()),
        ("ce produit, ACE, CEE 7/7", set()),
        (
            "EN 71-1:2014 EN IEC 60335-1 ASTM F963",
            {"standard EN 71-1:2014", "standard EN IEC 60335-1", "standard ASTM F963"},
        ),
        ("0-3", {"warning: not suitable for children under 36 months"}),
        ("0-3 mm, 10-30 cm, 0-30, 1.0-3", set()),
        ("Ages 8+", {"from 8 years"}),
        ("3+", {"from 3 years"}),
        ("1+1=2, 50+ pieces, C++", set()),
        ("Class 3B laser product", {"laser class 3B"}),
        ("Class 3 insulation", set()),
        ("not suitable for children under 14 years", {"warning: not suitable for children under 14 years"}),
        ("not suitab1e for chi1dren under 36 rnonths", {"warning: not suitable for children under 36 months"}),
        ("contains no magnets. Ohne kleine Magnete", set()),
        ("does not contain small parts", set()),
        # What the shipped OCR model makes of "Không dùng cho trẻ em dưới 3 tuổi".
        ("Không dùng cho tr em dưi 3 tui", {"warning: not suitable for children under 36 months"}),
    ],
)
def test_what_a_package_says(text: str, sentences: set[str]) -> None:
    assert {mark.sentence for mark in marks_in(text, MARKS)} == sentences


def test_a_mark_may_need_company_on_the_same_picture() -> None:
    assert found("5000 mW", beside="GREEN LASER") == {"laser-power": "laser power 5000 mW"}
    assert found("5000 mW") == {}


def test_listings_of_everyday_goods_carry_no_warnings() -> None:
    lines = (datasets_dir() / "samples" / "listings.jsonl").read_text(encoding="utf-8").splitlines()
    titles = [json.loads(line)["title"] for line in lines]
    warnings = {mark.code for mark in WORDED} - {"magnet-warning", "button-cell-warning"}

    assert len(titles) > 50
    assert [title for title in titles if warnings & found(title).keys()] == []


def test_only_what_was_read_off_a_picture_is_looked_at_and_each_mark_comes_once() -> None:
    before = [
        Caption(text="Erstickungsgefahr", source="ocr", confidence=0.9),
        Caption(text="Erstickungsgefanr", source="ocr", confidence=0.9),
        Caption(text="CE mark, choking hazard", source="given"),
    ]
    (mark,) = MarkCaptioner(MARKS).captions(draw(size=(9, 9)), before)

    assert (mark.mark, mark.source, mark.text) == (
        "small-parts-warning",
        "mark",
        "warning: small parts, choking hazard",
    )
    assert mark.confidence == pytest.approx(0.9)


class TestCatalogue:
    """A damaged file is refused by name and line."""

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ("marks:\n  - {code: ce, sentence: x}", "neither phrases nor patterns"),
            ("marks:\n  - {code: ce, sentence: x, patterns: ['(']}", "no regular expression"),
            ("marks:\n  - {code: ce, sentence: x, phrases: {en: [hot]}}", "fewer than 8 letters"),
            ("marks:\n  - {code: ce, sentence: x, patterns: [a]}\n  - {code: ce, sentence: y, patterns: [b]}", "twice"),
            ("marks:\n  - {code: C E, sentence: x, patterns: [a]}", "pattern"),
            ("marks: [", "marks.yaml"),
        ],
    )
    def test_it_says_what_is_wrong(self, tmp_path: Path, body: str, told: str) -> None:
        (tmp_path / "marks.yaml").write_text(body)
        with pytest.raises(InputError, match=told):
            load_marks(tmp_path)

    def test_codes_are_what_plans_call_the_marks(self) -> None:
        assert {"ce", "age-warning", "laser-power", "weee"} <= set(MARKS.codes)
        assert MarkCatalogue([Mark(code="a", sentence="x", patterns=["y"])], []).codes == ("a",)


@given(st.text("abcde 12", max_size=40), st.text("abcde", min_size=3, max_size=9), st.integers(0, 2))
def test_the_approximate_search_misses_nothing(text: str, phrase: str, most: int) -> None:
    wanted, whole = skeleton(phrase), skeleton(text)
    place = find(wanted, whole, most)
    fewest = min(
        distance(wanted.letters, whole.letters[i:j])
        for i in range(len(whole.letters) + 1)
        for j in range(i, len(whole.letters) + 1)
    )

    assert (place is not None) == (fewest <= most)
    if place is not None:
        assert place.errors == fewest == distance(wanted.letters, whole.letters[place.start : place.end])


def distance(one: str, other: str) -> int:
    """Levenshtein's, by its definition."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        new = [i]
        for j, b in enumerate(other, start=1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (a != b)))
        row = new
    return row[-1]


@given(st.text(max_size=60))
def test_any_print_whatsoever_can_be_looked_at(text: str) -> None:
    assert all(0 <= mark.similarity <= 1 and mark.code in MARKS.codes for mark in marks_in(text, MARKS))

"""Folding keeps the way back to every character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.normalising import fold, fold_phrase

SCRIPTS = st.characters(
    codec="utf-8",
    categories=["L", "M", "N", "P", "S", "Z", "Cf"],
    exclude_characters="\0",
)
TEXTS = st.text(st.one_of(SCRIPTS, st.sampled_from("ﬁⅣ㎜Ａａéßİǅאָבُمَéْ\u200b\u200d\ufe0f😀👩가ｶﾞพูİ")), max_size=40)


@given(TEXTS)
def test_every_folded_character_comes_from_within_the_text(text: str) -> None:
    folded = fold(text)
    for i in range(len(folded.text)):
        start, end = folded.origin(i, i + 1)
        assert 0 <= start < end <= len(text)


@given(TEXTS)
def test_origins_are_in_the_order_of_the_text(text: str) -> None:
    folded = fold(text)
    spans = [folded.origin(i, i + 1) for i in range(len(folded.text))]
    assert spans == sorted(spans)


@given(TEXTS, st.data())
def test_the_origin_of_a_span_covers_those_of_its_characters(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    if folded.text:
        start = data.draw(st.integers(0, len(folded.text) - 1))
        end = data.draw(st.integers(start + 1, len(folded.text)))
        first, last = folded.origin(start, start + 1), folded.origin(end - 1, end)
        assert folded.origin(start, end) == (first[0], last[1])


@given(TEXTS, TEXTS)
def test_folding_word_by_word_equals_folding_at_once(one: str, other: str) -> None:
    assert fold(f"a{one} b{other}").text == f"{fold('a' + one).text} {fold('b' + other).text}"


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("CR2032", "cr2032"),
        ("ＣＲ２０３２", "cr2032"),
        ("ﬁre", "fire"),
        ("Ⅳ", "iv"),
        ("５ ㎜", "5 mm"),
        ("STRAßE", "strasse"),
        ("cafe\u0301", "café"),
        ("ｶﾞｽ", "ガス"),
        ("\u1100\u1161\u11a8", "각"),
        ("ب\u064eط\u0651ارية", "بطارية"),
        ("מַגְנֵט", "מגנט"),
        ("mag\u200bnet", "magnet"),
        ("mag\u00adnet", "magnet"),
        ("❤\ufe0f", "❤"),
        ("👩\u200d👧", "👩👧"),
        ("\ufefftoy", "toy"),
    ],
)
def test_spellings_fold_to_one_form(written: str, folded: str) -> None:
    assert fold(written).text == folded


@pytest.mark.parametrize(
    ("text", "word", "written"),
    [
        ("with ﬁre inside", "fire", "ﬁre"),
        ("ＣＲ２０３２ cell", "cr2032", "ＣＲ２０３２"),
        ("cafe\u0301 set", "café", "cafe\u0301"),
        ("mag\u200bnet toy", "magnet", "mag\u200bnet"),
        ("😀 magnet", "magnet", "magnet"),
        ("מַגְנֵט חזק", "מגנט", "מַגְנֵט"),
    ],
)
def test_a_word_found_folded_is_shown_as_written(text: str, word: str, written: str) -> None:
    folded = fold(text)
    start = folded.text.index(word)
    begin, end = folded.origin(start, start + len(word))
    assert text[begin:end] == written


def test_an_empty_span_has_an_empty_origin() -> None:
    assert [fold(text).origin(0, 0) for text in ("", "\u200b", "é")] == [(0, 0), (0, 0), (0, 0)]


def test_an_empty_span_at_the_end_lies_at_the_end() -> None:
    assert fold("éa").origin(2, 2) == (2, 2)


@given(TEXTS)
def test_a_folded_phrase_has_single_spaces_and_none_around(text: str) -> None:
    phrase = fold_phrase(text)
    assert phrase == " ".join(phrase.split())

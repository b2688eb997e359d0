"""Word forms meet in one stem, and every stem knows its word."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.normalising import fold
from models.knowledge.stemming import WordForms

FORMS = {code: WordForms(code) for code in ("en", "ru", "de", "ar", "tr", "hi", "ja", "xx")}


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("ru", "гирлянды", "гирлянда"),
        ("ru", "магнитами", "магниты"),
        ("en", "batteries", "battery"),
        ("en", "magnets", "magnet"),
        ("de", "Magneten", "Magnete"),
        ("fr", "aimants", "aimant"),
        ("es", "imanes", "imán"),
        ("pl", "magnesy", "magnesami"),
        ("it", "batterie", "batteria"),
        ("pt", "brinquedos", "brinquedo"),
        ("nl", "kinderen", "kinder"),
        ("tr", "mıknatıslar", "mıknatıs"),
    ],
)
def test_forms_of_a_word_share_a_stem(language: str, one: str, other: str) -> None:
    forms = WordForms(language)
    assert forms.stem(fold(one).text).text == forms.stem(fold(other).text).text


@given(st.sampled_from(sorted(FORMS)), st.text(max_size=40))
def test_every_character_of_a_stem_comes_from_within_its_word(language: str, text: str) -> None:
    folded = fold(text).text
    stemmed = FORMS[language].stem(folded)
    for i in range(len(stemmed.text)):
        start, end = stemmed.origin(i, i + 1)
        assert 0 <= start < end <= len(folded)


@given(st.sampled_from(sorted(FORMS)), st.text(max_size=40))
def test_origins_of_stems_are_in_the_order_of_the_text(language: str, text: str) -> None:
    stemmed = FORMS[language].stem(fold(text).text)
    spans = [stemmed.origin(i, i + 1) for i in range(len(stemmed.text))]
    assert spans == sorted(spans)


@given(st.sampled_from(sorted(FORMS)), st.text(" .,-+!", max_size=20))
def test_what_is_no_word_stays_as_it_is(language: str, text: str) -> None:
    assert FORMS[language].stem(text).text == text


def test_a_stem_stands_for_the_whole_word() -> None:
    stemmed = FORMS["en"].stem("strong magnets, sold")
    start = stemmed.text.index("magnet")
    assert stemmed.origin(start, start + len("magnet")) == (7, 14)


def test_a_language_without_an_algorithm_keeps_its_words() -> None:
    assert FORMS["ja"].stem("強力な磁石").text == "強力な磁石"


def test_threads_share_one_stemmer_without_mixing_words() -> None:
    forms = WordForms("ru")
    words = [f"гирлянд{ending} номер{i}" for i in range(200) for ending in ("ы", "а", "ами")]
    alone = [WordForms("ru").stem(word).text for word in words]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda word: forms.stem(word).text, words)) == alone

"""Cyrillic words in Latin letters meet the words they spell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.base import Knowledge
from models.knowledge.matching import KnowledgeMatcher
from models.knowledge.normalising import fold
from models.knowledge.romanised import RomanisedForms, to_cyrillic

FORMS = RomanisedForms("ru")


@pytest.fixture(scope="module")
def matcher(knowledge: Knowledge) -> KnowledgeMatcher:
    return KnowledgeMatcher(knowledge)


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("karnavalnye", "карнавальный"),
        ("elektricheskie", "электрическая"),
        ("detskaya", "детские"),
        ("girlyandy", "гирлянда"),
        ("shchetki", "щётка"),
        ("mebel", "мебель"),
        ("zhenskiy", "женская"),
        ("chehly", "чехлы"),
    ],
)
def test_a_word_in_latin_letters_and_any_form_of_its_cyrillic_word_are_one(latin: str, cyrillic: str) -> None:
    assert FORMS.stem(latin).text == FORMS.stem(fold(cyrillic).text).text


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", max_size=20))
def test_spelling_in_cyrillic_ends_and_leaves_no_latin_letter(word: str) -> None:
    assert not any("a" <= letter <= "z" for letter in to_cyrillic(word))


@pytest.mark.parametrize("word", ["5g", "кабель", "été", "led2"])
def test_what_is_no_latin_word_stays(word: str) -> None:
    assert to_cyrillic(word) == word


def test_categories_of_russian_shops_are_read(matcher: KnowledgeMatcher) -> None:
    found = matcher.find("girlyandy-elektricheskie", "ru")
    assert "mains-string-lights" in {hit.kind for hit in found.names}
    glosses = {hit.english for hit in matcher.find("zhenskaya-odezhda", "ru").glosses}
    assert {"woman", "clothing"} <= glosses


def test_latin_words_beside_cyrillic_ones_are_not_read_as_russian(matcher: KnowledgeMatcher) -> None:
    text = "Лампа sol"
    assert [text[hit.start : hit.end] for hit in matcher.find(text, "ru").glosses] == ["Лампа"]

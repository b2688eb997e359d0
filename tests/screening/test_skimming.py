"""Skimming: words of any language in English, also in forms that the knowledge base does not list."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models.domain.listing import Listing
from models.knowledge.base import Knowledge
from models.screening.lexicon import Lexicon, spaced
from models.screening.skimming import Skimmed, Skimmer


@pytest.fixture(scope="module")
def skimmer(knowledge: Knowledge) -> Skimmer:
    return Skimmer(knowledge)


def skimmed(skimmer: Skimmer, *titles: str) -> Skimmed:
    return skimmer.skim([Listing(id=str(i), title=title) for i, title in enumerate(titles)])


def words_of(lexicon: Lexicon, text: str, language: str) -> tuple[set[str], set[str]]:
    """Words that stand there as they are listed, and words that are found by their stems alone."""
    words = f" {spaced(text)} "
    found = lexicon.find(words)
    all_found = lexicon.with_stems(words, found, lexicon.languages.index(language))
    listed = {words[start:end].strip() for _, start, end in found}
    return listed, {words[start:end].strip() for _, start, end in all_found} - listed


@pytest.mark.parametrize(
    ("title", "language", "english", "by_stem"),
    [
        ("Подарок с медведями", "ru", "gift with bear", "медведями"),
        ("Набор стульев для кухни", "ru", "set chair for kitchen", "стульев"),
        ("Puzzles mit Katzen und Stühlen", "de", "puzzle with cat and chair", "stühlen"),
        ("krzesła dla dzieci z lampkami", "pl", "chair for kids with lamp", "lampkami"),
    ],
)
def test_a_word_is_known_by_its_stem(skimmer: Skimmer, title: str, language: str, english: str, by_stem: str) -> None:
    found = skimmed(skimmer, title)

    assert (found.languages, found.texts) == ([language], [english])
    assert words_of(skimmer.lexicon, title, language)[1] == {by_stem}


def test_what_is_found_comes_in_the_order_of_the_text_and_covers_no_letter_twice(skimmer: Skimmer) -> None:
    words = f" {spaced('Коробка с гирляндами и магнитами, гирляндами, 5 штук')} "
    lexicon = skimmer.lexicon
    found = lexicon.with_stems(words, lexicon.find(words), lexicon.languages.index("ru"))

    assert [words[start:end] for _, start, end in found].count("гирляндами") == 2
    assert all(end <= start for (_, _, end), (_, start, _) in pairwise(found))


def test_a_language_without_an_algorithm_is_read_as_it_is_listed(skimmer: Skimmer) -> None:
    assert words_of(skimmer.lexicon, "ガラスのコップ", "ja")[1] == set()


def test_one_listing_does_not_change_what_another_says(skimmer: Skimmer) -> None:
    titles = ("Пижама с медведями", "Green laser pointer", "Puzzles mit Katzen und Stühlen")
    together = skimmed(skimmer, *titles)
    alone = [skimmed(skimmer, title) for title in titles]

    assert together.texts == [each.texts[0] for each in alone]
    assert together.named.tolist() == [each.named[0].tolist() for each in alone]


def test_a_name_in_the_title_is_told_from_one_in_the_text(skimmer: Skimmer, knowledge: Knowledge) -> None:
    column = knowledge.kind_column["laser-pointer"]
    listings = [
        Listing(id="1", title="Laser pointer"),
        Listing(id="2", title="Gift box", description="Comes with a laser pointer."),
    ]
    found = skimmer.skim(listings)

    assert found.named[:, column].tolist() == [True, True]
    assert found.titled[:, column].tolist() == [True, False]

"""What lowers how consumers perceive a risk is found in every language, at its place, with a mend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.notices.notice import load_wordings
from models.notices.softening import load_softening_words

WORDS = load_softening_words()
LANGUAGES = sorted(load_wordings())
GROUPS = ("voluntary", "precautionary", "discretionary", "rare", "specific", "no accidents")

_SENTENCES = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text(encoding="utf-8"))
SOFTENED: dict[str, list[str]] = _SENTENCES["softened"]
PLAIN: dict[str, str] = _SENTENCES["plain"]


def test_every_language_of_notices_has_words() -> None:
    assert set(LANGUAGES) == set(SOFTENED) == set(PLAIN) == WORDS.languages
    assert tuple(WORDS.groups) == GROUPS


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_of_softening_is_found_in_a_sentence(language: str) -> None:
    sentences = zip(GROUPS, SOFTENED[language], strict=True)
    found = {group: [each.group for each in WORDS.find(sentence, language)] for group, sentence in sentences}
    assert {group for group, groups in found.items() if group not in groups} == set(), found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_says_how_harm_happens_passes(language: str) -> None:
    assert WORDS.find(PLAIN[language], language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_place_holds_the_words_that_are_named(language: str) -> None:
    text = f"{PLAIN[language]} {SOFTENED[language][0]}"
    softener = WORDS.find(text, language)[0]
    assert text[softener.start : softener.end] == softener.words
    assert softener.start >= len(PLAIN[language])


@pytest.mark.parametrize(
    "text", ["VOLUNTARY recall", "a ｖｏｌｕｎｔａｒｙ recall", "a volun\u00adtary recall", "in-rare-cases"]
)
def test_disguises_are_seen_through(text: str) -> None:
    assert len(WORDS.find(text, "en")) == 1


def test_english_words_are_found_in_a_notice_of_another_language() -> None:
    assert [each.words for each in WORDS.find("Dies ist ein voluntary recall", "de")] == ["voluntary"]


def test_an_error_names_words_place_and_mend() -> None:
    error = WORDS.find("It burns in rare cases.", "en")[0].error("hazard_details.en")
    assert str(error) == (
        "hazard_details.en: “in rare” at 9 to 16 lowers how the risk is perceived (rare)"
        " (describe how harm happens, without saying how seldom)"
    )


@given(st.sampled_from(LANGUAGES), st.text(max_size=300))
def test_any_text_is_judged_and_places_are_its_own(language: str, text: str) -> None:
    for softener in WORDS.find(text, language):
        assert text[softener.start : softener.end] == softener.words != ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file holds no groups"),
        ("voluntary: {words: {en: [a]}}", "has no mend"),
        ("voluntary: {mend: x, words: {de: [a]}}", "no English words"),
        ("voluntary:\n  mend: x\n  words:\n    en: [a]\n    de: [no]\n", "voluntary.de is no list of words"),
    ],
)
def test_a_broken_file_names_its_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "words.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_softening_words(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)

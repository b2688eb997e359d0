"""Sentences for sellers: whole in every language, with the same placeholders."""

from __future__ import annotations

import re
import shutil
import unicodedata
from pathlib import Path

import pytest
import yaml

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.domain.taxonomy import Taxonomy
from models.reasons.seller_texts import GROUPS, load_seller_texts

TEXTS = load_seller_texts()
REQUIRED = [
    entry["code"]
    for entry in yaml.safe_load((datasets_dir() / "languages.yaml").read_text(encoding="utf-8"))["languages"]
    if entry["required"]
]
SCRIPTS = {
    "ru": "CYRILLIC",
    "uk": "CYRILLIC",
    "ar": "ARABIC",
    "he": "HEBREW",
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
    "ko": "HANGUL",
    "th": "THAI",
}


def test_every_required_language_is_there() -> None:
    assert len(REQUIRED) == 18
    assert sorted(TEXTS) == sorted(REQUIRED)


@pytest.mark.parametrize("language", REQUIRED)
def test_a_language_has_every_sentence_and_every_hazard(language: str, taxonomy: Taxonomy) -> None:
    english, texts = TEXTS["en"].groups, TEXTS[language].groups

    assert {group: sorted(texts[group]) for group in GROUPS} == {group: sorted(english[group]) for group in GROUPS}
    assert sorted(texts["hazards"]) == sorted(taxonomy.names)


@pytest.mark.parametrize("language", REQUIRED)
def test_placeholders_agree(language: str) -> None:
    for group in GROUPS:
        for key, english in TEXTS["en"].groups[group].items():
            text = TEXTS[language].groups[group][key]
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english)), (group, key)


@pytest.mark.parametrize("language", [code for code in REQUIRED if code != "en"])
def test_no_sentence_was_left_in_english(language: str) -> None:
    for group in ("actions", "obligations", "reasons", "closing"):
        for key, text in TEXTS[language].groups[group].items():
            assert text != TEXTS["en"].groups[group][key], (group, key)


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_a_language_is_written_in_its_script(language: str) -> None:
    for group in GROUPS:
        for key, text in TEXTS[language].groups[group].items():
            letters = [c for c in re.sub(r"\{\w+\}|GTIN|EU|email", "", text) if c.isalpha()]
            own = [c for c in letters if unicodedata.name(c).startswith(SCRIPTS[language])]
            assert len(own) >= 0.9 * len(letters), (group, key, text)


def test_values_of_a_right_to_left_sentence_are_set_apart() -> None:
    said = TEXTS["he"].say("actions", "block", title="Laser 5 mW")

    assert "\u2068Laser 5 mW\u2069" in said
    assert TEXTS["de"].say("actions", "block", title="{x} \\1") == (
        "Ihr Angebot „{x} \\1“ kann auf unserem Marktplatz nicht verkauft werden."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{title}", "{titel}", "has placeholders ['titel'], English has ['title']"),
        ("{title}", "title", "has placeholders [], English has ['title']"),
        ("{title}", "{title", "has a single brace"),
        ("language: de", "language: nl", "must be the file's name"),
        ("  risk:", "  risks:", "reasons.risk is missing"),
        ("closing:\n", "ending:\n", "unknown key 'ending'"),
        ("  fire: Brand", "  fire: 7", "hazards.fire is no text"),
    ],
)
def test_a_broken_file_names_its_line_and_mend(tmp_path: Path, old: str, new: str, message: str) -> None:
    for name in ("en", "de"):
        shutil.copy(datasets_dir() / "seller_texts" / f"{name}.yaml", tmp_path)
    file = tmp_path / "de.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_seller_texts(tmp_path)
    assert message in str(caught.value)
    assert f"{file}:" in str(caught.value)


def test_without_english_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no en\.yaml"):
        load_seller_texts(tmp_path)

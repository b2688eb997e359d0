"""Brands in one spelling, whatever the script, and the words for none."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.domain.resources import datasets_dir
from models.knowledge.base import Knowledge
from models.matching.look_alikes import plain_letters
from models.matching.names import (
    brand_key,
    brand_readings,
    brand_runs,
    near_brands,
    no_brand_words,
    said_names,
)


@pytest.mark.parametrize(
    "text", ["Bosch", "BOSCH GmbH", "Воsсh", "Bosch®", "ＢＯＳＣＨ", "Bösch", "BoschType/number of model: KX 1"]
)
def test_a_brand_has_one_spelling(text: str) -> None:
    assert brand_key(text) == "bosch"


def test_a_brand_that_is_only_a_legal_word_stays() -> None:
    assert brand_key("AB") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Unknown",
        "N/A",
        "no brand",
        "-",
        "ohne Marke",
        "без бренда",
        "sans marque",
        "ノーブランド",
        "无品牌",
        "بدون ماركة",
    ],
)
def test_words_for_no_brand_are_absence(text: str) -> None:
    assert brand_key(text) == ""


def test_absence_is_known_in_every_required_language(knowledge: Knowledge) -> None:
    raw = yaml.safe_load((datasets_dir() / "matching" / "no_brand.yaml").read_text(encoding="utf-8"))["languages"]
    required = {profile.code for profile in knowledge.languages if profile.required}
    assert required <= set(raw)
    assert all(isinstance(text, str) for texts in raw.values() for text in texts)
    assert len(no_brand_words()) > 150


def test_letters_of_another_script_are_read_both_ways() -> None:
    assert brand_readings("сосо") == {"soso", "coco"}
    assert brand_readings("Coco") == {"coco"}
    assert brand_readings("unknown") == set()


def test_one_letter_apart_is_near_and_two_are_not() -> None:
    assert near_brands("mirelli") & near_brands("mireli")
    assert near_brands("mirelli") & near_brands("mirrelli")
    assert near_brands("mirelli") & near_brands("m1rell1".translate(str.maketrans("1", "i")))
    assert not near_brands("mirelli") & near_brands("marello")
    assert not near_brands("lg") & near_brands("hg")


def test_a_brand_of_letters_keeps_them_all() -> None:
    assert brand_key("S&R") in said_names("S&R parka for girls")
    assert brand_key("L & S") in said_names("Jumper by L & S")


def test_two_capitals_may_be_a_brand_and_small_words_are_none() -> None:
    assert "ms" in said_names("MS felpa bambina")
    assert "of" not in said_names("Set of balls")


@pytest.mark.parametrize(
    "title", ["Skirt SSD SHUN SHI DA", "SSD SHUN SHI DAA skirt", "shun shi da skirt", "SD SHUN SHI DA skirt"]
)
def test_a_brand_of_many_words_is_found_by_its_parts(title: str) -> None:
    assert set(brand_runs("SSD SHUN SHI DA")) & set(said_names(title))


@given(st.text(max_size=80))
def test_parts_of_a_brand_are_read_in_a_title_that_is_the_brand(text: str) -> None:
    runs = brand_runs(text)
    assert len(runs) == len(set(runs))
    assert all(len(run) >= 5 for run in runs)
    assert not runs or brand_key(text)


def test_a_brand_of_two_words_is_found_in_a_title() -> None:
    assert "missbellina" in said_names("Dress by Miss-Bellina, size 86")


def test_mixed_scripts_are_read_by_what_they_look_like() -> None:
    assert plain_letters("Sаmsung ПИЛА") == "samsung pila"

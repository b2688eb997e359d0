"""Identifiers in one spelling, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.matching.identifiers import (
    batches_in,
    declared_models,
    family,
    gtin,
    gtins_in,
    mixed_forms,
    model_key,
    models_in,
    shortened,
    telling,
)


@given(st.from_regex(r"[0-9]{12}", fullmatch=True).filter(lambda digits: digits.strip("0")))
def test_of_ten_last_digits_exactly_one_makes_a_gtin(digits: str) -> None:
    assert sum(gtin(digits + last) is not None for last in "0123456789") == 1


@pytest.mark.parametrize("text", ["4006381333931", " 4006 3813 33931", "04006381333931"])
def test_a_gtin_has_one_spelling(text: str) -> None:
    assert gtin(text) == "04006381333931"


@pytest.mark.parametrize("text", ["", "0000000000000", "4006381333932", "40063813339311", "abc", "٤٠٠٦٣٨١٣٣٣٩٣١"])
def test_what_fails_the_check_is_no_gtin(text: str) -> None:
    assert gtin(text) is None


def test_gtins_are_found_within_texts() -> None:
    found = gtins_in(["EAN 4006381333931, Article No 3415", "tel. 030-1234567", "96385074"])
    assert found == ("04006381333931", "00000096385074")
    assert gtins_in(["made 96385074 times"]) == ()


@pytest.mark.parametrize("text", ["KX-204", "kx 204", "KX.204", "КХ-204", "kx_204", "KX/204"])
def test_a_model_number_has_one_spelling(text: str) -> None:
    assert model_key(text) == "kx204"


@pytest.mark.parametrize(
    "text",
    [
        "5000 mAh",
        "230V",
        "10x20cm",
        "2011",
        "1,5 l",
        "98/104",
        "3-in-1",
        "100%",
        "age 3+",
        "1080p",
        "12.05.2011",
        "4006381333931",
        "98-104.",
        "2008.90.15",
        "10-16A/250V~",
        "16 A 250 V",
        "DC5.2V",
        "110-volt",
        "72-piece",
    ],
)
def test_measures_sizes_years_and_codes_are_no_model_numbers(text: str) -> None:
    assert models_in(text) == []


@pytest.mark.parametrize(
    "text", ["EN 71", "EN-71", "ISO8098", "IP44", "IP 20", "SPF17", "E27", "LR44", "CR2032", "H03VVH2-F", "SIZE 40"]
)
def test_what_very_different_products_share_names_none_of_them(text: str) -> None:
    assert models_in(text) == []


@pytest.mark.parametrize("text", ["EN7112X", "LR4410", "IP4400"])
def test_a_number_that_only_begins_like_a_standard_is_a_model(text: str) -> None:
    assert models_in(text) == [model_key(text)]


def test_a_field_for_the_model_may_hold_short_ones() -> None:
    assert declared_models("A4") == ["a4"]
    assert declared_models("") == []
    assert models_in("A4 paper") == []


def test_batches_are_read_where_they_are_named() -> None:
    assert batches_in("Lot: S24364; batch no. 12-07A, charge number 99") == ["s24364", "1207a"]


@given(st.from_regex(r"[a-z]{2}[0-9]{3,5}", fullmatch=True), st.data())
def test_one_slip_is_near_and_another_digit_is_not(model: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(model) - 1))
    lost = model[:place] + model[place + 1 :]
    assert lost in shortened(model)
    other = model[:place] + ("1" if model[place] not in "10oil" else "7") + model[place + 1 :]
    if sorted(other) != sorted(model):
        assert not (mixed_forms(model) & mixed_forms(other))
        assert other not in shortened(model)
        assert family(other) == family(model)


def test_signs_that_look_alike_are_one() -> None:
    assert mixed_forms("kxo204") & mixed_forms("kx0204")
    assert mixed_forms("kx24o") & mixed_forms("kx240")


def test_long_numbers_tell_more() -> None:
    assert telling("a4") < telling("kx204") < telling("gpr50125") == 1.0

"""What GPSR Article 22(9) asks for, and what a listing lacks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from models.domain.listing import Listing
from models.plan.traceability import GAPS, countries_without_warnings, targets_eea, traceability_gaps
from tests.plan.strategies import listings

MAKER = {"name": "Knopskud ApS", "address": "Eksempelvej 2, Aarhus, DK", "email": "hej@knopskud.example"}
ABROAD = {"name": "Far Away Ltd", "address": "1 Example Road, Shenzhen", "email": "a@far.example", "country": "CN"}
PERSON = {"name": "Here BV", "address": "Voorbeeldstraat 4, Utrecht, NL", "email": "b@here.example"}


def listing(**fields: Any) -> dict[str, Any]:
    return {"title": "Wooden blocks", "brand": "Knopskud", "manufacturer": MAKER, **fields}


@pytest.mark.parametrize(
    ("fields", "gaps"),
    [
        ({}, []),
        ({"manufacturer": None}, ["manufacturer"]),
        ({"manufacturer": {"name": "  "}}, ["manufacturer"]),
        ({"manufacturer": {"name": "K", "country": "DK"}}, ["manufacturer-address", "manufacturer-email"]),
        ({"manufacturer": ABROAD}, ["responsible-person"]),
        ({"manufacturer": ABROAD, "responsible_person": PERSON}, []),
        (
            {"manufacturer": ABROAD, "responsible_person": {"name": "Here BV"}},
            ["responsible-person-address", "responsible-person-email"],
        ),
        ({"manufacturer": ABROAD, "responsible_person": {"email": "b@here.example"}}, ["responsible-person"]),
        ({"manufacturer": {**MAKER, "address": "Somewhere 5"}}, ["manufacturer-country"]),
        ({"manufacturer": {**MAKER, "address": "Somewhere 5", "country": "se"}}, []),
        ({"brand": ""}, ["identification"]),
        ({"brand": "", "gtin": "0000000000017"}, []),
        ({"brand": "", "model": "KT-42"}, []),
        ({"title": ""}, ["identification"]),
    ],
)
def test_what_is_missing_is_named(fields: dict[str, Any], gaps: list[str]) -> None:
    assert traceability_gaps(listing(**fields)) == gaps


@given(listings)
def test_gaps_are_known_codes_each_once(raw: dict[str, Any]) -> None:
    gaps = traceability_gaps(raw)
    assert set(gaps) <= set(GAPS)
    assert len(set(gaps)) == len(gaps)


def test_a_listing_and_its_json_have_the_same_gaps() -> None:
    whole = Listing.model_validate({"id": "1", **listing(manufacturer=ABROAD)})
    assert traceability_gaps(whole.model_dump(mode="json")) == ["responsible-person"]
    assert traceability_gaps(whole.model_dump(mode="json", exclude_defaults=True)) == ["responsible-person"]


@pytest.mark.parametrize(
    ("countries", "languages", "without"),
    [
        (["DE", "AT"], ["de"], []),
        (["DE", "FR"], ["de"], ["FR"]),
        (["be"], ["nl"], []),
        (["IE"], ["en"], []),
        (["FR"], [], ["FR"]),
        (["EL"], ["el"], []),
        (["US", "CN"], [], []),
        (["BG"], ["ru"], []),  # the detector takes Bulgarian for Russian
        ([], [], []),
    ],
)
def test_warnings_count_in_a_language_of_the_country(
    countries: list[str], languages: list[str], without: list[str]
) -> None:
    assert countries_without_warnings(countries, languages) == without


def test_nobody_knows_where_an_offer_without_countries_goes() -> None:
    assert targets_eea([]) is None
    assert targets_eea(["us"]) is False
    assert targets_eea(["us", "no"]) is True

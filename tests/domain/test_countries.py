"""The states of the European Economic Area."""

from __future__ import annotations

import pytest

from models.domain.countries import country_of_address, eea_codes, eea_country


def test_there_are_thirty_with_a_language_each() -> None:
    assert len(eea_codes()) == 30
    for code in eea_codes():
        country = eea_country(code)
        assert country is not None
        assert country.languages <= country.detected_as
        assert all(len(language) == 2 for language in country.languages)


@pytest.mark.parametrize(
    ("code", "found"), [("de", "DE"), ("EL", "GR"), ("NO", "NO"), ("GB", None), ("CH", None), ("", None)]
)
def test_codes_are_found_in_any_case(code: str, found: str | None) -> None:
    country = eea_country(code)
    assert (country.code if country else None) == found


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("Via Esempio 3, Torino, IT", "IT"),
        ("Via Esempio 3, Torino, Italia", "IT"),
        ("Rue 1\n1000 Bruxelles\nBelgique", "BE"),
        ("Street 1, 75001 FRANCE.", "FR"),
        ("Musterweg 1, Berlin, 10115 Deutschland", "DE"),
        ("1 Example Road, Shenzhen, China", None),
        ("Italia Street 5, Springfield", None),
        ("", None),
    ],
)
def test_an_address_tells_its_country_by_how_it_ends(address: str, code: str | None) -> None:
    assert country_of_address(address) == code

"""The register of authorities: one a state, and nothing called verified without a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.domain.countries import eea_codes
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.notices.authorities import load_authorities

SHIPPED = (datasets_dir() / "authorities.yaml").read_text(encoding="utf-8")
REGISTER = load_authorities()


def test_every_state_of_the_area_has_an_authority() -> None:
    assert tuple(sorted(REGISTER.by_country)) == eea_codes()


def test_what_is_verified_names_an_official_source_and_the_rest_names_none() -> None:
    for authority in REGISTER.by_country.values():
        assert bool(authority.source) == authority.verified, authority.country
        assert authority.verified or not (authority.email or authority.phone or authority.report), authority.country
    assert sum(authority.verified for authority in REGISTER.by_country.values()) == 11


def test_a_state_is_found_by_the_codes_that_are_in_use() -> None:
    assert REGISTER.of("nl") is REGISTER.by_country["NL"]
    assert REGISTER.of("EL") is REGISTER.by_country["GR"]
    assert REGISTER.of("US") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("country: AT", "country: XX", "country is no state of the EEA"),
        ('country: "NO"', "country: NO", "country is no state of the EEA"),
        ("country: AT", "country: BE", "country BE stands twice"),
        ("website: https://www.nvwa.nl", "website: www.nvwa.nl", "is no address"),
        ("email: belspoc@economie.fgov.be", "mail: belspoc@economie.fgov.be", "unknown key 'mail'"),
        ("    source: http://www.ptac.gov.lv/\n", "", "source is missing"),
        (
            'https://www.gov.si", verified: false',
            'https://www.gov.si", verified: maybe',
            "verified, english or website",
        ),
        ("official_list: https://", "official_list: ", "official_list or authorities is missing"),
        ('  - {country: SI, english: Market Inspectorate, website: "https://www.gov.si", verified: false}\n', "", "SI"),
    ],
)
def test_a_broken_register_names_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SHIPPED
    file = tmp_path / "authorities.yaml"
    file.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_authorities(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)

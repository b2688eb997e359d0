"""Consumers find the authority of their state without a key."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from models.domain.countries import eea_codes
from serving.settings import Settings
from tests.serving.conftest import client_of
from tests.serving.test_error_shape import check


@pytest.fixture(scope="module")
def anybody(small_model_dir: object, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Somebody without a key, before a model is loaded: these answers need none."""
    settings = Settings(
        model=small_model_dir,  # type: ignore[arg-type]
        database_url=f"sqlite:///{tmp_path_factory.mktemp('authorities') / 'h.db'}",
    )
    client = client_of(settings)
    del client.headers["Authorization"]
    return client


def test_the_authority_of_a_state_is_told_to_anybody(anybody: TestClient) -> None:
    found = anybody.get("/v1/authorities/dk").json()
    assert found["english"] == "Danish Safety Technology Authority"
    assert found["verified"] is True
    assert found["source"].startswith("https://www.sik.dk/")
    assert anybody.get("/v1/authorities/EL").json()["country"] == "GR"


def test_every_state_is_listed_with_its_flag(anybody: TestClient) -> None:
    found = anybody.get("/v1/authorities").json()["authorities"]
    assert [each["country"] for each in found] == list(eea_codes())
    assert {each["verified"] for each in found} == {True, False}


@pytest.mark.parametrize("country", ["US", "xx"])
def test_a_country_outside_the_area_is_404_with_the_states_that_are_known(anybody: TestClient, country: str) -> None:
    assert "give one of AT, BE, BG" in check(anybody.get(f"/v1/authorities/{country}"), 404).detail


@pytest.mark.parametrize("country", ["%00", "N", "NLD", "x" * 5_000])
def test_what_is_no_code_of_a_country_is_refused(anybody: TestClient, country: str) -> None:
    assert check(anybody.get(f"/v1/authorities/{country}"), 422).errors[0].field == "country"
    assert anybody.get(f"/authorities/{country}").status_code == 404


def test_the_page_says_what_nobody_has_checked(anybody: TestClient) -> None:
    page = anybody.get("/authorities/CY", headers={"Accept": "text/html"}).text
    assert "Nobody has checked this entry" in page
    assert "https://ec.europa.eu/safety-gate" in page
    verified = anybody.get("/authorities/BE").text
    assert "Nobody has checked" not in verified
    assert "mailto:belspoc@economie.fgov.be" in verified
    assert "mailto:product-safety@marketplace.example" in verified


def test_the_page_speaks_the_readers_language(anybody: TestClient) -> None:
    page = anybody.get("/authorities", headers={"Accept-Language": "de"}).text
    assert "Welche Behörde ist Ihre?" in page
    assert ">Zypern</a>" in page


def test_a_page_for_another_country_is_a_page_too(anybody: TestClient) -> None:
    answer = anybody.get("/authorities/US", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")

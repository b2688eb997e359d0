"""A picture that is known of an alert, or of a listing that was removed for it, speaks for a match with that alert."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.domain.listing import Listing
from serving.matching.judging import Verdict
from serving.matching.pictures import AlertPictures, Likeness
from serving.settings import Settings
from tests.benchmarks.drawn_pictures import EDITS, drawn
from tests.serving.conftest import StartApp
from tests.serving.matching.conftest import OFFER, XYLOPHONE, put_alert
from tests.serving.pictures.test_pictures import assess, coded, read

RENAMED = {"title": "Toy xylophone with metal bars", "description": "With two wooden sticks."}


@pytest.fixture
def client(start_app: StartApp, settings: Settings, tmp_path: Path) -> TestClient:
    """An app that knows one alert, and finds no words in pictures."""
    client = start_app(replace(settings, pictures=tmp_path / "pictures", picture_max=3, review_learn_daily=0))
    put_alert(services_of(client).store.engine)
    services_of(client).engine.in_force.recalls.refresh()
    return client


def services_of(client: TestClient) -> Any:
    return client.app.state.services  # type: ignore[attr-defined]


def judge(client: TestClient, verdict: Verdict) -> None:
    """Have a person judge the offer, as the desk keeps it, and let the server follow."""
    services = services_of(client)
    now = dt.datetime.now(dt.UTC)
    services.match_judgements.judge("a1", [Listing.model_validate(OFFER)], verdict, "ada", now)
    services.pictures.reader.sweep()
    services.engine.in_force.recalls.refresh()


def picture_feature(client: TestClient, listing_id: str, picture: str | None) -> dict[str, Any] | None:
    """Assess a listing that says little; return what its picture adds to the match with the alert."""
    answer = assess(client, id=listing_id, **RENAMED, images=[{"data": picture}] if picture else [])["assessment"]
    if picture:
        told = read(client, answer["id"])
        answer = client.get(f"/v1/assessments/{told['outcome_id']}").json()["assessment"]
    features = [f for match in answer["matches"] if match["alert_id"] == "a1" for f in match["features"]]
    return next((feature for feature in features if feature["name"] == "picture"), None)


def test_the_picture_of_a_removed_listing_gives_its_product_away_under_another_name(client: TestClient) -> None:
    first = assess(client, **OFFER, images=[{"data": coded(drawn(3))}])
    read(client, first["assessment"]["id"])
    again = coded(EDITS["watermark"](drawn(3)))
    assert picture_feature(client, "early", again) is None, "nobody has judged the offer yet"
    judge(client, Verdict.CONFIRMED)
    found = picture_feature(client, "again", again)
    assert found is not None
    assert found["value"] > 0.7
    assert found["contribution"] > 1
    assert found["text"] == "a picture of it looks the same"
    assert picture_feature(client, "other", coded(drawn(8))) is None
    assert picture_feature(client, "bare", None) is None, "equal content with another picture is another question"
    judge(client, Verdict.REFUSED)
    assert picture_feature(client, "later", again) is None, "the picture is forgotten with the match"


def test_the_picture_of_an_alert_speaks_for_a_match_with_it(client: TestClient) -> None:
    body = {"kind": "alert", "subject": "SR/00001/30", "data": coded(drawn(5)), "note": "from the notice"}
    assert client.post("/v1/known-pictures", json=body).status_code == 201
    services_of(client).engine.in_force.recalls.refresh()
    assert picture_feature(client, "l1", coded(EDITS["white border"](drawn(5)))) is not None


def test_the_pictures_of_a_listing_are_looked_up_once_an_answer(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = assess(client, **OFFER, images=[{"data": coded(drawn(3))}])
    read(client, first["assessment"]["id"])
    judge(client, Verdict.CONFIRMED)
    asked: list[str] = []
    seen = AlertPictures.seen

    def counting(self: AlertPictures, listing_id: str) -> Likeness:
        asked.append(listing_id)
        return seen(self, listing_id)

    monkeypatch.setattr(AlertPictures, "seen", counting)
    assess(client, id="new", **RENAMED)
    assert asked == ["new"]


def test_a_new_alert_finds_stored_listings_by_its_pictures(client: TestClient) -> None:
    """The listings were read before anybody knew the alert's picture; one of equal text has no picture."""
    words = {"title": "Wooden letter opener"}
    for listing_id, picture in (("shown", EDITS["watermark"](drawn(5))), ("another", drawn(8)), ("bare", None)):
        images = [{"data": coded(picture)}] if picture is not None else []
        answer = assess(client, id=listing_id, **words, images=images)["assessment"]
        if images:
            read(client, answer["id"])
    body = {"kind": "alert", "subject": "SR/00001/30", "data": coded(drawn(5)), "note": "from the notice"}
    services = services_of(client)
    recalls, store = services.engine.in_force.recalls, services.listing_search

    def found() -> dict[str, list[str]]:
        recalls.refresh()
        seen = recalls.seen_of(["a1", "another alert"])
        matches = store.search_for({"a1": XYLOPHONE}, least=0.1, seen=seen).matches[0]
        return {match.listing_id: [feature.name for feature in match.features] for match in matches}

    assert found() == {}, "the texts have nothing in common"
    assert client.post("/v1/known-pictures", json=body).status_code == 201
    assert list(found()) == ["shown"]
    assert found()["shown"][0] == "picture", "it says what brought the listing"

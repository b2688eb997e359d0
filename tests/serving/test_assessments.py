"""The scoring API on listings that are fine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from serving.settings import Settings
from tests.serving.conftest import BAG, HEATER, StartApp, post

SCRIPTS = {
    "emoji": "🔥🔥 Mini heater 👨‍👩‍👧 1500W 🔥 laser pointer",
    "arabic": "دفاية كهربائية صغيرة بدون سلك laser",
    "hebrew": "כדורי ג'ל גדלים במים magnets",
    "mixed": "𝒜 heater \u202eabc\u202c קטן 𐍈 no thermostat",
    "combining": "Ho\u0308lzerne Eisenbahn fu\u0308r Babys ab 3 Monaten",
}


def test_answers_come_in_the_order_of_the_listings(shared_client: TestClient) -> None:
    listings = [{**(HEATER if i % 3 else BAG), "id": f"n{i}", "price": str(i)} for i in range(60)]
    results = post(shared_client, {"listings": listings})["results"]
    assert [result["index"] for result in results] == list(range(60))
    assert [result["listing_id"] for result in results] == [listing["id"] for listing in listings]
    assert [result["assessment"]["listing_id"] for result in results] == [listing["id"] for listing in listings]


def test_a_bare_array_gets_the_same_answer(shared_client: TestClient) -> None:
    assert post(shared_client, [HEATER]) == post(shared_client, {"listings": [HEATER]})


def test_an_answer_is_an_assessment_with_versions(shared_client: TestClient, plan_id: str) -> None:
    answer = post(shared_client, [HEATER])
    assessment = Assessment.model_validate(answer["results"][0]["assessment"])
    assert assessment.content_hash == Listing.model_validate(HEATER).content_hash()
    assert assessment.versions.model_dump() == answer["versions"]
    assert assessment.versions.plan == plan_id
    assert assessment.explanation == []


def test_the_same_listing_twice_is_one_row_with_one_id(client: TestClient) -> None:
    first, second = (post(client, [HEATER])["results"][0]["assessment"] for _ in range(2))
    assert first == second
    assert client.get("/v1/assessments").json()["total"] == 1


def test_another_listing_id_is_another_row_with_the_same_figures(client: TestClient) -> None:
    first, second = (result["assessment"] for result in post(client, [HEATER, {**HEATER, "id": "b"}])["results"])
    assert first["id"] != second["id"]
    own = {"id", "listing_id"}
    assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}
    assert client.get("/v1/assessments").json()["total"] == 2


def test_an_assessment_is_kept_with_its_listing(client: TestClient) -> None:
    listing = {**HEATER, "attributes": {"b": "1", "a": "2"}, "captions": ["x"], "warnings": ["⚠ hot"]}
    assessment = post(client, [listing])["results"][0]["assessment"]
    stored = client.get(f"/v1/assessments/{assessment['id']}").json()
    assert stored["assessment"] == assessment
    assert Listing.model_validate(stored["listing"]) == Listing.model_validate(listing)
    assert list(stored["listing"]["attributes"]) == ["b", "a"]
    assert stored["created_at"].endswith("+00:00")


def test_the_most_detailed_explanation_is_kept(client: TestClient) -> None:
    for explain, kept in (("none", 0), ("full", 22), ("tokens", 22), ("none", 22)):
        identifier = post(client, [HEATER], explain=explain)["results"][0]["assessment"]["id"]
        assert len(client.get(f"/v1/assessments/{identifier}").json()["assessment"]["explanation"]) == kept


def test_the_list_is_most_risky_first_or_newest_first(client: TestClient) -> None:
    laser = {"id": "laser", "title": "Laser pointer 5000mW burning laser"}
    for listing in (laser, HEATER, BAG):
        post(client, [listing])
    by_risk = client.get("/v1/assessments").json()["assessments"]
    assert [row["risk_score"] for row in by_risk] == sorted((row["risk_score"] for row in by_risk), reverse=True)
    recent = client.get("/v1/assessments", params={"order": "recent", "limit": 2}).json()
    assert [row["listing_id"] for row in recent["assessments"]] == ["bag", "heater"]
    assert recent["total"] == 3


@pytest.mark.parametrize("identifier", ["0" * 32, "x", "A" * 32, "%00", "..%2f..", "é" * 32])
def test_an_unknown_id_is_404(shared_client: TestClient, identifier: str) -> None:
    response = shared_client.get(f"/v1/assessments/{identifier}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_offsets_count_code_points_of_the_text_as_sent(shared_client: TestClient, text: str) -> None:
    listing = {"id": "1", "title": text, "description": f"😀 {text}", "captions": [text], "attributes": {"نوع": text}}
    assessment = post(shared_client, [listing], explain="full")["results"][0]["assessment"]
    fields = {"title": text, "description": f"😀 {text}", "captions[0]": text, "attributes.نوع": text}
    spans: list[dict[str, Any]] = [h for entry in assessment["explanation"] for h in entry["highlights"]]
    spans += [cue["span"] for cue in assessment["cues"]]
    assert spans
    for span in spans:
        assert fields[span["field"]][span["start"] : span["end"]] == span["text"]


def test_an_explanation_adds_up(shared_client: TestClient) -> None:
    assessment = post(shared_client, [HEATER], explain="tokens")["results"][0]["assessment"]
    assert assessment["explanation"]
    for entry in assessment["explanation"]:
        total = entry["bias"] + sum(h["weight"] for h in entry["highlights"]) + entry["rest"]
        assert total == pytest.approx(entry["logit"], abs=1e-4)


def test_the_model_is_described(shared_client: TestClient) -> None:
    answer = shared_client.get("/v1/model").json()
    assert answer["version"] == post(shared_client, [])["versions"]["model"]
    assert len(answer["labels"]) == 22
    assert answer["limits"]["title"] == 1_000
    assert answer["request_limits"]["listings"] == 1_000
    assert {rule["id"] for rule in answer["plan"]["rules"]} >= {"level-serious"}


def test_the_whole_app_runs_on_either_database(settings: Settings, database_url: str, start_app: StartApp) -> None:
    client = start_app(replace(settings, database_url=database_url))
    listing = {**HEATER, "attributes": {"b": "🔥", "a": "2"}, "description": "دفاية \u0001 \\u0000"}
    assessment = post(client, [listing], explain="tokens")["results"][0]["assessment"]
    post(client, [listing])
    stored = client.get(f"/v1/assessments/{assessment['id']}").json()
    assert stored["assessment"] == assessment
    assert stored["listing"] == listing
    assert client.get("/v1/assessments").json()["total"] == 1
    assert client.get("/readyz").status_code == 200

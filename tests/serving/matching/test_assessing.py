"""An assessment knows the alerts: matches in the answer, the plan acts on them, judgements hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.domain.listing import Listing
from serving.matching.judging import Verdict
from serving.store.review_tables import ReviewItemRow
from tests.serving.conftest import BAG, post
from tests.serving.matching.conftest import OFFER, put_alert


@pytest.fixture
def alerted(client: TestClient) -> TestClient:
    """An app that knows one alert."""
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    put_alert(services.store.engine)
    services.engine.in_force.recalls.refresh()
    return client


def _assess(client: TestClient, **fields: str) -> dict[str, Any]:
    answer: dict[str, Any] = post(client, {"listings": [fields]})["results"][0]["assessment"]
    return answer


def _judge(client: TestClient, verdict: Verdict, listing: dict[str, str]) -> None:
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    now = dt.datetime.now(dt.UTC)
    services.match_judgements.judge("a1", [Listing.model_validate(listing)], verdict, "ada", now)
    services.engine.in_force.recalls.refresh()


def test_without_alerts_nothing_is_looked_for(client: TestClient) -> None:
    answer = _assess(client, **OFFER)
    assert (answer["matches"], answer["recall_match"], answer["removed_before"]) == ([], None, False)


def test_an_offer_of_an_alerts_product_is_matched_and_the_plan_acts(client: TestClient) -> None:
    before = _assess(client, **OFFER)
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    put_alert(services.store.engine)
    services.engine.in_force.recalls.refresh()
    answer = _assess(client, **OFFER)
    assert answer["matches"][0]["alert_id"] == "a1"
    assert answer["matches"][0]["listing_id"] == "offer"
    assert answer["recall_match"] == answer["matches"][0]["probability"] > 0.9
    assert any("recall" in rule for rule in answer["decision"]["rules"])
    assert answer["id"] != before["id"], "another answer has another id"


def test_other_listings_keep_their_answers_when_alerts_come(client: TestClient) -> None:
    before = _assess(client, **BAG)
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    put_alert(services.store.engine)
    services.engine.in_force.recalls.refresh()
    after = _assess(client, **BAG)
    assert after["recall_match"] == 0.0
    assert after["id"] == before["id"]
    assert after["decision"] == before["decision"]


def test_a_refused_pair_does_not_come_back(alerted: TestClient) -> None:
    assert _assess(alerted, **OFFER)["matches"]
    _judge(alerted, Verdict.REFUSED, OFFER)
    assert _assess(alerted, **OFFER)["matches"] == []
    assert _assess(alerted, **{**OFFER, "id": "another"})["matches"] == []


def test_a_confirmed_product_stays_down_under_another_name_and_id(alerted: TestClient) -> None:
    _judge(alerted, Verdict.CONFIRMED, OFFER)
    again = _assess(alerted, **{**OFFER, "id": "b"})
    renamed = _assess(alerted, **{**OFFER, "id": "c", "title": "Melody maker xylophone for kids"})
    assert again["matches"][0]["content"] == "identical"
    assert renamed["matches"][0]["content"] == "nearly identical"
    for answer in (again, renamed):
        assert answer["removed_before"]
        assert answer["decision"]["action"] == "block"


def test_an_explanation_follows_the_matches_of_its_answer(alerted: TestClient) -> None:
    answer = _assess(alerted, **OFFER)
    found = alerted.get(f"/v1/assessments/{answer['id']}/explanation", params={"detail": "tokens"}).json()
    assert found["assessment_id"] == answer["id"]
    assert found["action"] == answer["decision"]["action"]


def test_the_search_of_a_server_finds_what_it_has_assessed(alerted: TestClient) -> None:
    _assess(alerted, **OFFER)
    _assess(alerted, **BAG)
    services: Any = alerted.app.state.services  # type: ignore[attr-defined]
    alert = services.engine.in_force.recalls.matcher.alerts[0]
    found = services.listing_search.search([alert], least=0.5)
    assert [match.listing_id for match in found.matches[0]] == ["offer"]
    assert found.contents == 2
    assert services.listing_search is services.listing_search


def test_the_item_page_shows_both_sides_and_marks_what_differs(alerted: TestClient) -> None:
    shown = {**OFFER, "brand": "Mirelli", "model": "KX-204", "title": "Zarvox toy xylophone <b>KX-204</b>"}
    answer = _assess(alerted, **shown)
    services: Any = alerted.app.state.services  # type: ignore[attr-defined]
    with services.store.engine.connect() as connection:
        item = connection.execute(
            select(ReviewItemRow.id).where(ReviewItemRow.assessment_id == answer["id"])
        ).scalar_one()
    page = alerted.get(f"/review/items/{item}").text
    assert "Recall matches" in page
    assert "Toy xylophone - Melodika" in page
    assert page.count('<tr class="differs">') == 1, "the brand differs, the model does not"
    assert "&lt;b&gt;KX-204&lt;/b&gt;" in page
    assert 'href="https://example.org/1"' in page
    assert "Treffer unter den Warnungen" in alerted.get(f"/review/items/{item}", headers={"Accept-Language": "de"}).text

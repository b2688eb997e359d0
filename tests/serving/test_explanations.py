"""The explanation over HTTP: one record, JSON and HTML, refused where another model is in force."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from models.domain.explanation import Explanation
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from serving.evidence import add_review
from serving.settings import Settings
from tests.serving.conftest import HEATER, StartApp, post

POINTER = {"id": "p", "title": "Green laser pointer pen 5000 mW", "description": "Burns paper."}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> laser pointer'


def address(client: TestClient, listing: dict[str, Any]) -> str:
    identifier = post(client, [listing])["results"][0]["assessment"]["id"]
    return f"/v1/assessments/{identifier}/explanation"


def test_the_record_explains_the_kept_assessment(shared_client: TestClient) -> None:
    path = address(shared_client, POINTER)
    explanation = Explanation.model_validate(shared_client.get(path).json())
    kept = shared_client.get(path.removesuffix("/explanation")).json()["assessment"]
    assert explanation.assessment_id == kept["id"]
    assert explanation.risk_level == kept["risk_level"]
    assert explanation.detail == "full"
    assert explanation.what_if is not None
    assert len(explanation.hazards) == 22


def test_less_is_told_where_less_is_asked_for(shared_client: TestClient) -> None:
    path = address(shared_client, POINTER)
    tokens = shared_client.get(path, params={"detail": "tokens", "about": "fire"}).json()
    assert tokens["what_if"] is None
    assert "fire" in {hazard["risk_type"] for hazard in tokens["hazards"]}


def test_asking_again_gives_the_same_explanation(shared_client: TestClient) -> None:
    path = address(shared_client, HEATER)
    assert shared_client.get(path).json() == shared_client.get(path).json()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"params": {"format": "html"}}, "text/html; charset=utf-8"),
        ({"headers": {"Accept": "text/html"}}, "text/html; charset=utf-8"),
        ({"headers": {"Accept": "text/html"}, "params": {"format": "json"}}, "application/json"),
        ({}, "application/json"),
    ],
)
def test_the_form_is_the_one_asked_for(shared_client: TestClient, given: dict[str, Any], kind: str) -> None:
    assert shared_client.get(address(shared_client, POINTER), **given).headers["content-type"] == kind


def test_the_fragment_holds_the_listing_with_its_marks(shared_client: TestClient) -> None:
    fragment = shared_client.get(address(shared_client, POINTER), params={"format": "html"}).text
    title = re.search(r'data-field="title">(.*?)</p>', fragment, re.DOTALL)
    assert title is not None
    assert unescape(re.sub(r"<[^>]+>", "", title[1])) == POINTER["title"]
    assert re.search(r'<mark class="for strength-4"[^>]*>[^<]*laser pointer[^<]*</mark>', title[1])
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", fragment)


def test_what_a_seller_wrote_stays_text(shared_client: TestClient) -> None:
    listing = {"id": "h", "title": HOSTILE, "attributes": {HOSTILE: HOSTILE}, "captions": [HOSTILE]}
    fragment = shared_client.get(address(shared_client, listing), params={"format": "html"}).text
    assert "<script" not in fragment
    assert "<img" not in fragment
    assert "&lt;script&gt;" in re.sub(r"</?mark[^>]*>", "", fragment)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/assessments/none/explanation", 404),
        (f"/v1/assessments/{'0' * 32}/explanation", 404),
        ("PATH?detail=much", 422),
        ("PATH?about=sadness", 422),
        ("PATH?format=pdf", 422),
    ],
)
def test_what_cannot_be_explained_is_a_problem(shared_client: TestClient, path: str, status: int) -> None:
    answer = shared_client.get(path.replace("PATH", address(shared_client, POINTER)))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_models_assessment_is_not_explained(client: TestClient) -> None:
    path = address(client, POINTER)
    store = client.app.state.services.store  # type: ignore[attr-defined]
    with store.engine.begin() as connection:
        version = client.app.state.services.engine.versions.model  # type: ignore[attr-defined]
        change = "UPDATE assessments SET assessment = replace(assessment, :old, 'another-one')"
        connection.execute(text(change), {"old": version})
    answer = client.get(path)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:hazardlens:problem:model-changed"
    assert "another-one" in answer.json()["detail"]


def test_a_table_of_alerts_and_a_review_become_evidence(
    start_app: StartApp, settings: Settings, tmp_path: Path
) -> None:
    table = tmp_path / "alerts.csv"
    table.write_text(
        "id,title,labels,url\nSR/1,Laser pointer 200 mW,damage to sight,https://alerts.example/1\n", encoding="utf-8"
    )
    client = start_app(Settings(model=settings.model, database_url=settings.database_url, evidence=table))
    engine = client.app.state.services.engine  # type: ignore[attr-defined]
    reviewed = Listing(id="r", title="Green laser pointer pen for slides")
    add_review(engine.model, reviewed, reference="review-7", labels=(), risk_level=RiskLevel.NONE)
    path = address(client, POINTER)
    evidence = client.get(path).json()["evidence"]
    assert "SR/1" in {item["reference"] for item in evidence["supporting"]}
    assert evidence["contradicting"][0]["reference"] == "review-7"
    assert '<a href="https://alerts.example/1"' in client.get(path, params={"format": "html"}).text

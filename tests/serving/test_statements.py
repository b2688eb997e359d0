"""Statements of reasons and messages to sellers, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.reasons.checking import check_batch, check_statement
from tests.serving.conftest import BAG, HEATER, post

GERMAN = {**HEATER, "id": "de", "language": "de", "target_countries": ["DE", "AT"]}


def assess(client: TestClient, listing: dict[str, Any]) -> dict[str, Any]:
    """Assess one listing."""
    found: dict[str, Any] = post(client, {"listings": [listing]})["results"][0]["assessment"]
    return found


def test_a_restriction_has_a_statement_that_the_database_takes(shared_client: TestClient) -> None:
    assessment = assess(shared_client, GERMAN)
    answer = shared_client.get(f"/v1/assessments/{assessment['id']}/statement")

    assert answer.status_code == 200, answer.text
    statement = answer.json()
    checked = check_statement(statement)
    assert (checked.errors, checked.dropped) == ((), ())
    assert statement["territorial_scope"] == ["AT", "DE"]
    assert statement["puid"].endswith(assessment["id"])
    assert HEATER["title"] not in answer.text


def test_circumstances_of_the_decision_can_be_told(shared_client: TestClient) -> None:
    path = f"/v1/assessments/{assess(shared_client, GERMAN)['id']}/statement"
    told = {
        "applied": "2026-03-31",
        "uploaded": "2026-03-01",
        "source_type": "SOURCE_TRUSTED_FLAGGER",
        "source_identity": "Consumer organisation",
        "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
    }
    statement = shared_client.get(path, params=told).json()

    assert (statement["application_date"], statement["content_date"]) == ("2026-03-31", "2026-03-01")
    assert (statement["source_identity"], statement["automated_detection"]) == ("Consumer organisation", "No")


@pytest.mark.parametrize(
    ("parameters", "status", "word"),
    [
        ({"applied": "2001-01-01"}, 422, "application_date"),
        ({"applied": "soon"}, 422, "applied"),
        ({"source_type": "SOURCE_X"}, 422, "source_type"),
    ],
)
def test_a_wrong_circumstance_is_named(
    shared_client: TestClient, parameters: dict[str, str], status: int, word: str
) -> None:
    path = f"/v1/assessments/{assess(shared_client, GERMAN)['id']}/statement"
    answer = shared_client.get(path, params=parameters)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] == word


def test_what_is_published_owes_no_statement(shared_client: TestClient) -> None:
    assessment = assess(shared_client, BAG)
    assert assessment["decision"]["action"] == "publish"
    answer = shared_client.get(f"/v1/assessments/{assessment['id']}/statement")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:hazardlens:problem:nothing-restricted"
    assert assessment["decision"]["seller"] is None


@pytest.mark.parametrize("given", ["0f" * 16, "none", "%00"])
def test_an_unknown_assessment_is_told(shared_client: TestClient, given: str) -> None:
    assert shared_client.get(f"/v1/assessments/{given}/statement").status_code == 404


def test_many_come_as_submissions_and_the_rest_is_explained(shared_client: TestClient) -> None:
    held = [assess(shared_client, {**GERMAN, "id": f"many-{i}"})["id"] for i in range(103)]
    bag = assess(shared_client, BAG)["id"]
    answer = shared_client.post("/v1/statements", json={"assessments": [*held, bag, "x", held[0], None]}).json()

    assert [len(body["statements"]) for body in answer["submissions"]] == [100, 3]
    assert [check_batch(body) for body in answer["submissions"]] == [[], []]
    assert [entry["id"] for entry in answer["without"]] == [bag, "x", "None"]
    assert "publish restricts no offer" in answer["without"][0]["why"]


def test_statements_are_checked_field_by_field(shared_client: TestClient) -> None:
    good = shared_client.get(f"/v1/assessments/{assess(shared_client, GERMAN)['id']}/statement").json()
    body = {"statements": [good, {**good, "category": "x", "source_identity": "y"}, 7]}
    results = shared_client.post("/v1/statements/check", json=body).json()["results"]

    assert [result["valid"] for result in results] == [True, False, False]
    assert [error["field"] for error in results[1]["errors"]] == ["category"]
    assert results[1]["dropped"] == ["source_identity"]


@pytest.mark.parametrize("body", [{}, [], {"statements": 7}, "x", {"assessments": "x"}])
@pytest.mark.parametrize("path", ["/v1/statements", "/v1/statements/check"])
def test_another_shape_is_refused(shared_client: TestClient, path: str, body: Any) -> None:
    answer = shared_client.post(path, json=body)

    assert answer.status_code == 422
    assert "is no array" in answer.json()["detail"]


def test_the_answer_tells_the_seller_what_to_change(shared_client: TestClient) -> None:
    told = assess(shared_client, GERMAN)["decision"]["seller"]

    assert (told["language"], told["direction"]) == ("de", "ltr")
    assert HEATER["title"] in told["lines"][0]
    assert any("Postanschrift" in line for line in told["lines"])

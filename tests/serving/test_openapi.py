"""The OpenAPI document keeps its word."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from models.domain.listing import Listing
from serving.api.problems import Problem
from serving.api.schemas import AssessmentAnswer, ModelAnswer, StoredAnswer, SummaryList
from serving.hooks.kinds import KINDS, described
from tests.serving.conftest import BAG, HEATER, post


@pytest.fixture(scope="module")
def document(shared_client: TestClient) -> dict[str, Any]:
    schema: dict[str, Any] = shared_client.get("/openapi.json").json()
    return schema


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{m} {p}", o) for p, operations in document["paths"].items() for m, o in operations.items()]


def test_every_operation_is_described_and_tagged(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in _operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name


def test_every_documented_error_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status[0] != "2"}
        assert "500" in errors, name
        for status, answer in errors.items():
            assert list(answer["content"]) == ["application/problem+json"], (name, status)
            assert answer["description"], (name, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                assert node["$ref"].removeprefix("#/components/schemas/") in document["components"]["schemas"]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def test_the_examples_are_valid(document: dict[str, Any], shared_client: TestClient) -> None:
    submit = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    for line in submit["application/x-ndjson"]["example"].splitlines():
        Listing.model_validate_json(line)
    post_operation = document["paths"]["/v1/assessments"]["post"]
    for example in post_operation["requestBody"]["content"]["application/json"]["examples"].values():
        for result in post(shared_client, example["value"])["results"]:
            assert result["error"] is None
    AssessmentAnswer.model_validate(post_operation["responses"]["200"]["content"]["application/json"]["example"])
    Problem.model_validate(document["components"]["schemas"]["Problem"]["example"])


def test_answers_have_the_documented_shape(shared_client: TestClient) -> None:
    answer = AssessmentAnswer.model_validate(post(shared_client, [HEATER, {}, BAG], explain="tokens"))
    assessment = answer.results[0].assessment
    assert assessment is not None
    StoredAnswer.model_validate(shared_client.get(f"/v1/assessments/{assessment.id}").json())
    SummaryList.model_validate(shared_client.get("/v1/assessments").json())
    ModelAnswer.model_validate(shared_client.get("/v1/model").json())


def test_the_listing_schema_is_the_listing(document: dict[str, Any]) -> None:
    documented = set(document["components"]["schemas"]["Listing"]["properties"])
    assert documented == set(TypeAdapter(Listing).json_schema()["properties"])


def test_every_kind_of_event_is_a_webhook_with_an_example_of_its_body(document: dict[str, Any]) -> None:
    assert set(document["webhooks"]) == set(KINDS)
    for name, item in document["webhooks"].items():
        content = item["post"]["requestBody"]["content"]["application/json"]
        example = content["example"]
        assert example["kind"] == content["schema"]["properties"]["kind"]["const"] == name
        assert set(example) == set(content["schema"]["required"])
        assert described(name, example["body"]) == example["body"]

"""The bad input table: what is refused, how it is told, and that the neighbours keep their answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.domain.listing import LIMITS, Listing
from tests.serving.conftest import BAG, HEATER, post


def case(identifier: str, changes: dict[str, Any], field: str, words: str) -> Any:
    return pytest.param(changes, field, words, id=identifier)


MISSING: Any = object()

TEXTS = ("id", "title", "description", "category", "brand", "gtin", "model", "price", "language", "seller_id")
"""Every text field of a listing."""

BAD = [
    *(case(f"{name} missing", {name: MISSING}, name, "is missing") for name in ("id", "title")),
    *(case(f"{name} a number", {name: 5}, name, "is no text") for name in TEXTS),
    *(case(f"{name} null", {name: None}, name, "is no text") for name in TEXTS),
    *(case(f"{name} an object", {name: {"a": 1}}, name, "is no text") for name in TEXTS),
    *(case(f"{name} with NUL", {name: "a\x00b"}, name, "NUL") for name in TEXTS),
    *(case(f"{name} with half a character", {name: "a\ud800b"}, name, "half a character") for name in TEXTS),
    *(
        case(f"{name} too long", {name: "x" * (Listing.model_json_schema()["properties"][name]["maxLength"] + 1)},
             name, "is longer than")
        for name in TEXTS
    ),
    case("id empty", {"id": ""}, "id", "is empty"),
    case("unknown field", {"tittle": "x"}, "tittle", "is not a known field"),
    case("captions a number", {"captions": 1}, "captions", "is no array"),
    case("captions too many", {"captions": ["x"] * (LIMITS["captions"] + 1)}, "captions", "more than 50"),
    case("caption too long", {"captions": ["x", "y" * 2001]}, "captions[1].text", "longer than 2,000"),
    case("caption with NUL", {"captions": [{"text": "\x00"}]}, "captions[0].text", "NUL"),
    case("caption source unknown", {"captions": [{"text": "x", "source": "guess"}]}, "captions[0].source", "form"),
    case("caption confidence above 1", {"captions": [{"text": "", "confidence": 2}]}, "captions[0].confidence", "ran"),
    case("attributes a list", {"attributes": ["a"]}, "attributes", "is no object"),
    case("attribute a number", {"attributes": {"Age": 3}}, "attributes.Age", "is no text"),
    case("attributes too many", {"attributes": {str(i): "x" for i in range(201)}}, "attributes", "more than 200"),
    case("attribute name with NUL", {"attributes": {"a\x00": "x"}}, "attributes.a\\x00", "NUL"),
    case("attribute name with half a character", {"attributes": {"\udfff": "x"}}, "attributes.\\udfff", "half a"),
    case("attribute value too long", {"attributes": {"a": "x" * 2001}}, "attributes.a", "longer than 2,000"),
    case("country of three letters", {"target_countries": ["DEU"]}, "target_countries[0]", "form"),
    case("countries too many", {"target_countries": ["DE"] * 61}, "target_countries", "more than 60"),
    case("warning with NUL", {"warnings": ["\x00"]}, "warnings[0]", "NUL"),
    case("warnings too many", {"warnings": ["x"] * 51}, "warnings", "more than 50"),
    case("manufacturer a text", {"manufacturer": "Acme"}, "manufacturer", "is no object"),
    case("manufacturer with unknown field", {"manufacturer": {"nam": "x"}}, "manufacturer.nam", "not a known"),
    case("responsible person with half a character", {"responsible_person": {"name": "\udc00"}},
         "responsible_person.name", "half"),
    case("manufacturer of no country", {"manufacturer": {"country": "China"}}, "manufacturer.country", "form"),
    case("seller a text", {"seller": "s-1"}, "seller", "is no object"),
    case("seller with unknown field", {"seller": {"warnings": 1}}, "seller.warnings", "not a known"),
    case("removals below zero", {"seller": {"removals": -1}}, "seller.removals", "out of range"),
    case("removals a fraction", {"seller": {"removals": 1.5}}, "seller.removals", "whole number"),
    case("suspended in words", {"seller": {"suspended": "perhaps"}}, "seller.suspended", "neither true nor false"),
    case("title nested deep", {"title": json.loads("[" * 900 + "]" * 900)}, "title", "is no text"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "words"), BAD)
def test_a_bad_listing_is_told_and_its_neighbours_are_assessed(
    shared_client: TestClient, changes: dict[str, Any], field: str, words: str
) -> None:
    bad = {k: v for k, v in {**HEATER, "id": "bad", **changes}.items() if v is not MISSING}
    body = json.dumps({"listings": [BAG, bad, HEATER]})
    response = shared_client.post("/v1/assessments", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["index"] for result in results] == [0, 1, 2]
    assert [result["assessment"] is None for result in results] == [False, True, False]
    assert [result["error"] is None for result in results] == [True, False, True]
    problem = results[1]["error"]
    assert problem["status"] == 422
    assert problem["instance"] == "/v1/assessments#/listings/1"
    named = {error["field"]: error for error in problem["errors"]}
    assert field in named
    assert words in named[field]["message"]
    assert named[field]["hint"]
    assert all(error["value"] is None or len(error["value"]) < 200 for error in problem["errors"])


@pytest.mark.parametrize("raw", [None, 1, "text", [], True, [[1]]])
def test_a_listing_that_is_no_object_is_told(shared_client: TestClient, raw: object) -> None:
    results = post(shared_client, [raw, BAG])["results"]
    assert "is no object" in results[0]["error"]["detail"]
    assert results[0]["listing_id"] is None
    assert results[1]["assessment"]["listing_id"] == "bag"


def test_a_misspelt_field_gets_the_nearest_name(shared_client: TestClient) -> None:
    error = post(shared_client, [{**BAG, "descripton": "x"}])["results"][0]["error"]["errors"][0]
    assert error["hint"] == "did you mean 'description'?"


def test_a_bad_listing_keeps_its_id_in_the_answer(shared_client: TestClient) -> None:
    assert post(shared_client, [{"id": "seven"}])["results"][0]["listing_id"] == "seven"


@pytest.mark.parametrize("field", ["title", "description"])
def test_texts_of_exactly_the_limit_are_accepted(shared_client: TestClient, field: str) -> None:
    listing = {**BAG, field: "é" * LIMITS[field]}
    assert post(shared_client, [listing])["results"][0]["error"] is None


def test_an_empty_title_is_accepted(shared_client: TestClient) -> None:
    result = post(shared_client, [{"id": "1", "title": ""}])["results"][0]
    assert result["assessment"]["abstains"]


def test_an_empty_list_gets_an_empty_list(shared_client: TestClient) -> None:
    answer = post(shared_client, {"listings": []})
    assert answer["results"] == []
    assert set(answer["versions"]) == {"model", "plan", "taxonomy"}


def test_duplicate_ids_are_each_answered(shared_client: TestClient) -> None:
    results = post(shared_client, [{**HEATER, "id": "same"}, {**BAG, "id": "same"}, {**HEATER, "id": "same"}])[
        "results"
    ]
    assert [result["listing_id"] for result in results] == ["same"] * 3
    assert results[0]["assessment"] == results[2]["assessment"]
    assert results[0]["assessment"]["id"] != results[1]["assessment"]["id"]

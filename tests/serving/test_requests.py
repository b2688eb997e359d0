"""Requests that are wrong as a whole."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from serving.settings import Settings
from tests.serving.conftest import BAG, StartApp

JSON = {"Content-Type": "application/json"}
PATH = "/v1/assessments"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"listings": [}', b"nul", b"[1,]", b'{"listings": [{"id": NaN}]}', b"\xff\xfe[]",
        b'[{"id": "\xff"}]', b'["\\ud800", NaN]', b"[" * 100_000, b'["\\ud800"' + b",[" * 100_000, b'["a\x00"]',
    ],
)  # fmt: skip
def test_malformed_json_is_400_with_a_place(shared_client: TestClient, body: bytes) -> None:
    response = shared_client.post(PATH, content=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["type"] == "urn:hazardlens:problem:malformed-json"
    assert "at line " in response.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"}, {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)  # fmt: skip
def test_another_content_type_is_415(shared_client: TestClient, headers: dict[str, str]) -> None:
    response = shared_client.post(PATH, content=b"[]", headers=headers)
    assert response.status_code == 415
    assert response.json()["title"] == "The body is of a kind that is not read here"


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8", "application/ld+json"])
def test_json_by_any_of_its_names_is_read(shared_client: TestClient, kind: str) -> None:
    assert shared_client.post(PATH, content=b"[]", headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [(5, ""), ("x", ""), (None, ""), ({}, "listings"), ({"listings": {}}, "listings"), ({"listings": "x"}, "listings"),
     ({"listings": [], "explain": "full"}, "explain"), (BAG, "listings")],
)  # fmt: skip
def test_another_shape_is_422_with_the_expected_one(shared_client: TestClient, body: Any, field: str) -> None:
    response = shared_client.post(PATH, content=json.dumps(body), headers=JSON)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert error["hint"]


def test_an_unknown_explanation_is_422(shared_client: TestClient) -> None:
    response = shared_client.post(PATH, json=[BAG], params={"explain": "all"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "explain"
    assert "'full'" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("limit", ["0", "501", "x", ""])
def test_a_limit_out_of_range_is_422(shared_client: TestClient, limit: str) -> None:
    response = shared_client.get(PATH, params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "limit"


def test_ten_thousand_listings_are_413_with_the_limit(shared_client: TestClient) -> None:
    response = shared_client.post(PATH, json=[BAG] * 10_000)
    assert response.status_code == 413
    assert "10,000 listings; at most 1,000" in response.json()["detail"]


def test_full_explanations_have_a_lower_limit(shared_client: TestClient) -> None:
    response = shared_client.post(PATH, json=[BAG] * 101, params={"explain": "full"})
    assert response.status_code == 413
    assert "at most 100" in response.json()["detail"]


def test_a_body_over_20_mb_is_413_by_its_announcement(shared_client: TestClient) -> None:
    response = shared_client.post(PATH, content=b"[" + b" " * 20_000_000, headers=JSON)
    assert response.status_code == 413
    assert "20,000,000 bytes" in response.json()["detail"]


@pytest.mark.parametrize("announced", [None, "10", "-5", "many"])
def test_a_long_body_is_413_whatever_was_announced(
    settings: Settings, start_app: StartApp, announced: str | None
) -> None:
    client = start_app(replace(settings, max_body_mb=1))
    status, read = asyncio.run(_send_ten_chunks(client, announced))
    assert status == 413
    assert read == 3, "the rest of the body must not be read"


async def _send_ten_chunks(client: TestClient, announced: str | None) -> tuple[int, int]:
    """Call the app with ten chunks of 400 kB; return the status and how many it took."""
    headers = [(b"content-type", b"application/json"), (b"authorization", client.headers["authorization"].encode())]
    if announced is not None:
        headers.append((b"content-length", announced.encode()))
    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
        "headers": headers, "scheme": "http", "server": ("test", 80), "client": ("test", 1), "http_version": "1.1",
        "root_path": "", "app": client.app,
    }  # fmt: skip
    read = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * 400_000, "more_body": read < 10}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await client.app(scope, receive, send)
    return sent[0]["status"], read


def test_a_long_chunked_body_is_413_over_the_wire(live_url: str, live_key: dict[str, str]) -> None:
    chunks = (b" " * 100_000 for _ in range(50))
    with httpx.Client() as client:
        try:
            response = client.post(f"{live_url}{PATH}", content=chunks, headers=JSON | live_key)
        except httpx.TransportError:
            return  # the server may close while the client is still writing
    assert response.status_code == 413
    assert response.headers["connection"] == "close"

"""Many requests at once, over the wire."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
from fastapi.testclient import TestClient

from serving.settings import Settings
from tests.serving.conftest import BAG, HEATER, StartApp

PRODUCTS = ["space heater", "laser pointer", "amber teething necklace", "cotton bag", "magnet balls", "lithium charger"]


def _listings(request: int) -> list[dict[str, Any]]:
    """Between one and four listings; some contents are shared between requests, some are not."""
    return [
        {"id": f"r{request}-{i}", "title": f"{PRODUCTS[(request + i) % 6]} {request % 7}"}
        for i in range(request % 4 + 1)
    ]


def test_a_hundred_requests_at_once_get_their_own_answers(live_url: str, live_key: dict[str, str]) -> None:
    async def everyone() -> list[Any]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=live_url, headers=live_key, timeout=60, limits=limits) as client:

            async def one(request: int) -> Any:
                if request % 10 == 9:  # a malformed one among the others
                    return (
                        await client.post("/v1/assessments", content=b"{", headers={"Content-Type": "application/json"})
                    ).json()
                explain = ("none", "tokens")[request % 2]
                response = await client.post("/v1/assessments", json=_listings(request), params={"explain": explain})
                return response.json()

            return await asyncio.gather(*(one(request) for request in range(100)))

    answers = asyncio.run(everyone())
    with httpx.Client(base_url=live_url, headers=live_key, timeout=60) as client:
        for request, answer in enumerate(answers):
            if request % 10 == 9:
                assert answer["status"] == 400
                continue
            explain = ("none", "tokens")[request % 2]
            alone = [
                client.post("/v1/assessments", json=[listing], params={"explain": explain}).json()["results"][0][
                    "assessment"
                ]
                for listing in _listings(request)
            ]
            assert [result["assessment"] for result in answer["results"]] == alone


def test_a_full_server_says_when_to_come_back(settings: Settings, start_app: StartApp) -> None:
    client: TestClient = start_app(replace(settings, max_listings=2, max_in_flight=2))
    admission = client.app.state.services.engine.admission  # type: ignore[attr-defined]
    with admission.admit(1):
        response = client.post("/v1/assessments", json=[HEATER, BAG])
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) >= 1
        assert "1 of at most 2" in response.json()["detail"]
    assert client.post("/v1/assessments", json=[HEATER, BAG]).status_code == 200

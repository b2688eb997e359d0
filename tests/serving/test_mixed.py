"""Requests of every kind at once: each answer is that of the same listing alone."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PRODUCTS = ["space heater", "laser pointer 5000mW", "amber teething necklace", "cotton bag", "Magnetkugeln", "мыло"]
PATH = "/v1/assessments"
KINDS = st.sampled_from(["one", "some", "tokens", "full", "twice", "partly wrong", "not JSON", "in a hurry"])
Call = tuple[str, list[Any], str]
"""Kind, listings, detail."""


def calls_of(kinds: list[str], seed: int) -> list[Call]:
    """Make requests of some kinds; contents come from a small pool, so that many are equal to others in flight."""
    chance = random.Random(seed)

    def listing(name: str) -> dict[str, Any]:
        return {"id": name, "title": f"{chance.choice(PRODUCTS)} {chance.randrange(6)}"}

    def call(number: int, kind: str) -> Call:
        own = [listing(f"{number}-{i}") for i in range(chance.randint(2, 4))]
        match kind:
            case "some":
                return kind, own, "none"
            case "tokens" | "full":
                return kind, own[:2], kind
            case "twice":
                return kind, [own[0], {**own[0], "id": "again"}, own[0]], "tokens"
            case "partly wrong":
                return kind, [own[0], {"id": "x"}, 5, own[1]], "none"
        return kind, own[:1], "none"

    return [call(number, kind) for number, kind in enumerate(kinds)]


async def answers_of(url: str, key: dict[str, str], calls: list[Call]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=len(calls))
    async with httpx.AsyncClient(base_url=url, headers=key, timeout=120, limits=limits) as client:

        async def ask(call: Call) -> httpx.Response:
            kind, listings, explain = call
            headers = {"X-Request-Timeout": "0.001"} if kind == "in a hurry" else {}
            if kind == "not JSON":
                headers["Content-Type"] = "application/json"
                return await client.post(PATH, content=b'{"listings": [', headers=headers)
            return await client.post(PATH, json=listings, params={"explain": explain}, headers=headers)

        return await asyncio.gather(*map(ask, calls))


class Alone:
    """Answers of the same server to one listing at a time, asked for once each."""

    def __init__(self, url: str, key: dict[str, str]) -> None:
        self._client = httpx.Client(base_url=url, headers=key, timeout=120)
        self._known: dict[str, Any] = {}

    def answer(self, listing: Any, explain: str) -> Any:
        key = repr((listing, explain))
        if key not in self._known:
            answer = self._client.post(PATH, json=[listing], params={"explain": explain})
            self._known[key] = answer.json()["results"][0]
        return self._known[key]

    def close(self) -> None:
        self._client.close()


def check(call: Call, answer: httpx.Response, alone: Alone) -> None:
    """Compare an answer with those of its listings alone; they are equal to the last bit, since none shares a batch."""
    kind, listings, explain = call
    if kind == "not JSON":
        assert answer.status_code == 400
    elif kind == "in a hurry" and answer.status_code == 504:
        assert answer.json()["type"] == "urn:hazardlens:problem:deadline"
    else:
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [result["index"] for result in results] == list(range(len(listings)))
        for listing, result in zip(listings, results, strict=True):
            expected = alone.answer(listing, explain)
            assert result["assessment"] == expected["assessment"]
            assert (result["error"] is None) == (expected["error"] is None)
            assert result["listing_id"] == expected["listing_id"]


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(KINDS, min_size=1, max_size=30), st.integers(0, 2**32))
def test_every_answer_is_the_one_of_the_listing_alone(
    live_url: str, live_key: dict[str, str], kinds: list[str], seed: int
) -> None:
    calls = calls_of(kinds, seed)
    answers = asyncio.run(answers_of(live_url, live_key, calls))
    alone = Alone(live_url, live_key)
    for call, answer in zip(calls, answers, strict=True):
        check(call, answer, alone)
    alone.close()

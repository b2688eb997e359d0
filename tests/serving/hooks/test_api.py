"""Webhooks over HTTP: registered, changed, tested, looked at, sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.hooks.signing import verify_webhook
from serving.outgoing.addresses import read_networks
from serving.settings import Settings
from tests.serving.conftest import HEATER, client_of, post, within
from tests.serving.hooks.conftest import Answer, Target, target_listens
from tests.serving.test_error_shape import check


@pytest.fixture(scope="module")
def client(small_model_dir: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A ready app that may send to this machine."""
    settings = Settings(
        model=small_model_dir,
        database_url=f"sqlite:///{tmp_path_factory.mktemp('webhooks') / 'h.db'}",
        outgoing_networks=read_networks("127.0.0.1"),
        hook_backoff_seconds=0.05,
        hook_tries=2,
    )
    with client_of(settings, name="grace") as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def target() -> Iterator[Target]:
    with target_listens() as target:
        yield target


def register(client: TestClient, url: str, *kinds: str) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": url, "kinds": list(kinds), "description": "the shop"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def deliveries(client: TestClient, endpoint_id: str, **more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/webhook-deliveries", params={"endpoint": endpoint_id, **more}).json()[
        "deliveries"
    ]
    return found


def test_the_secret_is_shown_once(client: TestClient) -> None:
    made = register(client, "https://hooks.shop.example/in", "review.decided")
    assert made["secret"].startswith("whsec_")
    endpoint = made["endpoint"]
    assert (endpoint["kinds"], endpoint["created_by"], endpoint["secrets"]) == (["review.decided"], "grace", 1)
    everything = client.get("/v1/webhooks").text + client.get(f"/v1/webhooks/{endpoint['id']}").text
    assert endpoint["id"] in everything
    assert made["secret"] not in everything


def test_a_ping_arrives_and_is_found_in_the_log(client: TestClient, target: Target) -> None:
    made = register(client, target.url, "review.decided")
    event_id = client.post(f"/v1/webhooks/{made['endpoint']['id']}/ping").json()["event_id"]
    within(10, lambda: bool(target.came))
    verify_webhook(made["secret"], target.came[0].headers["Hazardlens-Signature"], target.came[0].content)
    within(10, lambda: deliveries(client, made["endpoint"]["id"], state="delivered") != [])
    (delivery,) = deliveries(client, made["endpoint"]["id"])
    assert (delivery["event_id"], delivery["kind"], delivery["next_at"]) == (event_id, "hook.ping", None)
    whole = client.get(f"/v1/webhook-deliveries/{delivery['id']}").json()
    assert whole["body"] == {"asked_by": "grace"}
    assert [(each["status"], each["answer"]) for each in whole["tries"]] == [(200, "thank you")]


def test_a_listing_that_is_held_is_told(client: TestClient, target: Target) -> None:
    register(client, target.url, "listing.hold_for_review")
    (result,) = post(client, [{**HEATER, "title": "Green laser pointer pen 5000 mW", "description": "Burns paper."}])[
        "results"
    ]
    assert result["assessment"]["decision"]["queue"], "the plan must send it to a person for this test"
    within(10, lambda: bool(target.came))
    event = target.came[0].event
    assert event["subject"] == "listing:heater"
    assert event["body"]["assessment_id"] == result["assessment"]["id"]


def test_a_secret_is_replaced(client: TestClient, target: Target) -> None:
    made = register(client, target.url)
    where = f"/v1/webhooks/{made['endpoint']['id']}"
    new = client.post(f"{where}/rotate", json={"overlap_hours": 1}).json()
    assert new["secret"] != made["secret"]
    assert new["endpoint"]["secrets"] == 2
    assert client.post(f"{where}/rotate", json={"overlap_hours": 0}).json()["endpoint"]["secrets"] == 1
    check(client.post(f"{where}/rotate", json={"overlap_hours": 1_000}), 422)


def test_a_dead_letter_is_sent_again(client: TestClient, target: Target) -> None:
    target.otherwise = Answer(500)
    endpoint_id = register(client, target.url, "review.decided")["endpoint"]["id"]
    client.post(f"/v1/webhooks/{endpoint_id}/ping")
    within(10, lambda: deliveries(client, endpoint_id, state="dead") != [])
    assert client.get(f"/v1/webhooks/{endpoint_id}").json()["dead"] == 1
    target.otherwise = Answer()
    assert client.post(f"/v1/webhooks/{endpoint_id}/resend-dead").json() == {"resent": 1}
    within(10, lambda: deliveries(client, endpoint_id, state="delivered") != [])
    (delivery,) = deliveries(client, endpoint_id)
    assert client.post(f"/v1/webhook-deliveries/{delivery['id']}/resend").json()["state"] == "waiting"
    within(10, lambda: len(target.came) == 4)
    assert len({came.event["id"] for came in target.came}) == 1


def test_an_endpoint_is_changed_and_removed(client: TestClient) -> None:
    where = f"/v1/webhooks/{register(client, 'https://hooks.shop.example/in')['endpoint']['id']}"
    changed = client.patch(where, json={"enabled": False, "kinds": ["alert.received"]}).json()
    assert (changed["enabled"], changed["kinds"], changed["description"]) == (False, ["alert.received"], "the shop")
    assert client.patch(where, json={}).json() == changed
    assert client.delete(where).status_code == 204
    for answer in (client.get(where), client.delete(where), client.patch(where, json={}), client.post(f"{where}/ping")):
        check(answer, 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://hooks.shop.example/", "extra": 1}, "extra"),
        ({"url": "https://user:pw@hooks.shop.example/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://hooks.shop.example/" + "x" * 2_000}, "url"),
        ({"url": "https://hooks.shop.example/", "kinds": ["alert.invented"]}, "kinds"),
        ({"url": "https://hooks.shop.example/", "description": "a\x00b"}, "description"),
        ({"url": "https://hooks.shop.example/", "kinds": "all"}, "kinds"),
    ],
)
def test_what_is_wrong_is_named(client: TestClient, body: dict[str, Any], field: str) -> None:
    problem = check(client.post("/v1/webhooks", json=body), 422)
    assert problem.errors[0].field == field
    assert problem.errors[0].hint


def test_pages_of_the_log_fit_together(client: TestClient, target: Target) -> None:
    endpoint_id = register(client, target.url, "review.decided")["endpoint"]["id"]
    for _ in range(5):
        client.post(f"/v1/webhooks/{endpoint_id}/ping")
    within(10, lambda: len(deliveries(client, endpoint_id)) == 5)
    seen: list[int] = []
    before: str | None = None
    while before is not None or not seen:
        asked = {"endpoint": endpoint_id, "limit": "2", **({"before": before} if before else {})}
        page = client.get("/v1/webhook-deliveries", params=asked).json()
        seen += [each["id"] for each in page["deliveries"]]
        before = page["next_before"] and str(page["next_before"])
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


def test_webhooks_are_told_in_the_metrics(client: TestClient, target: Target) -> None:
    register(client, target.url, "review.decided")
    text = client.get("/metrics").text
    for name in ("hook_tries_total", "hook_backlog", "hook_oldest_seconds", "hook_dead_letters"):
        assert f"hazardlens_{name}" in text


def test_a_private_target_is_refused_when_it_is_asked(settings: Settings, start_app: Any, target: Target) -> None:
    """Its name is taken, since it may lead elsewhere by then; what it leads to is not asked."""
    client = start_app(replace(settings, hook_backoff_seconds=0.05, hook_tries=1))
    problem = check(client.post("/v1/webhooks", json={"url": target.url}), 422)
    assert "not HTTPS" in problem.detail
    endpoint_id = register(client, "https://localhost:1/")["endpoint"]["id"]
    client.post(f"/v1/webhooks/{endpoint_id}/ping")
    within(10, lambda: deliveries(client, endpoint_id, state="dead") != [])
    (delivery,) = deliveries(client, endpoint_id)
    failure = client.get(f"/v1/webhook-deliveries/{delivery['id']}").json()["tries"][0]["failure"]
    assert "not public" in failure
    assert target.came == []

"""The recall desk over HTTP, by programs and by the console's forms."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from serving.access.principal import Role
from serving.recalls.matches import Proposal
from serving.settings import Settings
from tests.serving.conftest import BAG, bearer, client_of, post, within
from tests.serving.recalls.conftest import listing
from tests.serving.test_error_shape import check

ORDER = {
    "kind": "order", "authority": "NVWA", "country": "NL", "reference": "SR/00100/30", "title": "Plush bear",
    "brand": "Softpaw", "models": ["PB-7"], "hazard_text": "The eyes come off.", "risk_types": ["choking"],
}  # fmt: skip
HOSTILE = '"><img src=x onerror="window.broken=1"><script>window.broken=2</script>'


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('recalls') / 'h.db'}"
    return Settings(model=small_model_dir, database_url=url, review_learn_daily=0)


@pytest.fixture(scope="module")
def server(place: Settings) -> Iterator[TestClient]:
    with client_of(place, Role.REVIEWER, name="ada") as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        yield client


def desk_of(client: TestClient) -> Any:
    return client.app.state.services.recalls  # type: ignore[attr-defined]


def hand_in(client: TestClient, number: int, **facts: Any) -> int:
    answer = client.post("/v1/recalls/notices", json={**ORDER, "reference": f"SR/{number:05}/30", **facts})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["case_id"])


def found(client: TestClient, case_id: int, *names: str) -> list[int]:
    """End the search of a case with some listings."""
    desk = desk_of(client)
    within(30, lambda: desk.cases.get(case_id).case.searched)  # the server's own search ends first
    desk.search_done(case_id, [Proposal(listing(name), 0.9) for name in names], 50, dt.datetime.now(dt.UTC))
    return [each.id for each in desk.matches.of_case(case_id)]


def send(client: TestClient, path: str, fields: dict[str, str]) -> Any:
    """Send a form, as htmx does."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
    return client.post(path, content=urlencode(fields), headers=headers)


def test_a_notice_opens_a_case_once_however_often_it_is_sent(server: TestClient) -> None:
    first = server.post("/v1/recalls/notices", json=ORDER)
    assert first.status_code == 201
    body = first.json()
    assert body["new"]
    assert {clock["duty"] for clock in body["clocks"]} == {"remove", "identify"}
    again = server.post("/v1/recalls/notices", json=ORDER).json()
    assert (again["case_id"], again["new"], again["document_id"]) == (body["case_id"], False, body["document_id"])
    assert len(again["clocks"]) == 2
    document = server.get(f"/v1/recalls/documents/{body['document_id']}")
    assert document.headers["etag"] == f'"{hashlib.sha256(document.content).hexdigest()}"'


def test_an_idempotency_key_gives_the_first_answer_again(server: TestClient) -> None:
    headers = {"Idempotency-Key": "notice-1"}
    first = server.post("/v1/recalls/notices", json={**ORDER, "reference": "X-1"}, headers=headers)
    again = server.post("/v1/recalls/notices", json={**ORDER, "reference": "X-1"}, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "rumour"}, "kind"),
        ({"title": ""}, "title"),
        ({"country": "US"}, "country"),
        ({"country": "DE", "region": "QQ"}, "country"),
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"risk_types": ["magic"]}, "risk_types"),
        ({"received_at": "2030-01-04T09:30:00"}, "received_at"),
        ({"received_at": "2199-01-04T09:30:00Z"}, "received_at"),
        ({"reference": ""}, "reference"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_notice_that_is_not_in_order_names_the_field_and_takes_nothing_in(
    server: TestClient, change: dict[str, Any], field: str
) -> None:
    answer = server.post("/v1/recalls/notices", json={**ORDER, "reference": "SR/00666/30", **change})
    problem = check(answer, 422)
    assert problem.errors[0].field == field
    assert problem.errors[0].hint
    assert "00666" not in server.get("/v1/recalls/cases", params={"state": "all"}).text


def test_an_unknown_field_of_a_notice_is_told_with_those_that_a_notice_has(server: TestClient) -> None:
    answer = server.post("/v1/recalls/notices", json={**ORDER, "brnad": "Softpaw", "product": {"name": "bear"}})
    hints = {error.field: error.hint for error in check(answer, 422).errors}
    assert hints["brnad"] == "did you mean 'brand'?"
    assert hints["product"].startswith("remove it; known are kind, ")
    assert "captions" not in hints["product"], "that is a listing's"


def test_from_notice_to_answer_by_programs(server: TestClient, place: Settings) -> None:
    case_id = hand_in(server, 1)
    first, second = found(server, case_id, "li-1", "li-2")
    case = f"/v1/recalls/cases/{case_id}"
    listed = server.get(f"{case}/matches").json()["matches"]
    assert {each["listing_id"] for each in listed} == {"li-1", "li-2"}
    judged = server.post(f"{case}/judgements", json={"state": "confirmed", "matches": [first]}).json()
    (order,) = judged["orders"]
    check(server.post(f"{case}/judgements", json={"state": "refused", "matches": [second]}), 422)
    server.post(f"{case}/judgements", json={"state": "refused", "matches": [second], "note": "another model"})
    assert server.get(case).json()["state"] == "remove"
    waiting = server.get("/v1/recalls/orders").json()["orders"]
    assert order in [each["id"] for each in waiting]
    shop = bearer(place, Role.UPLOADER)
    check(server.post(f"/v1/recalls/orders/{order}/receipt", json={}, headers=shop), 422)
    taken = server.post(
        f"/v1/recalls/orders/{order}/receipt", json={"removed_at": "2020-01-01T00:00:00Z"}, headers=shop
    )
    check(taken, 422)  # before it was ordered
    removed = server.get(f"/v1/recalls/orders/{order}").json()["ordered_at"]
    taken = server.post(f"/v1/recalls/orders/{order}/receipt", json={"removed_at": removed}, headers=shop)
    assert taken.json()["state"] == "removed"
    check(server.post(f"/v1/recalls/orders/{order}/receipt", json={"refused": "no"}, headers=shop), 409)
    told = server.get(f"{case}/statement", params={"language": "de"}).json()
    assert told["complete"]
    assert told["looked_at"] == 50
    assert "Jedes Angebot" in told["draft"]
    check(server.post(f"{case}/close", json={"reason": "done"}), 409)
    answered = server.post(f"{case}/answer", json={"text": told["draft"], "sent_at": removed})
    assert answered.json()["answered_at"] == removed
    closed = server.post(f"{case}/close", json={"reason": "removed and answered"}).json()
    assert closed["state"] == "closed"
    assert {clock["state"] for clock in closed["clocks"]} == {"met"}
    assert closed["events"][-1]["kind"] == "closed"


def test_a_clock_is_paused_and_extended_over_http(server: TestClient) -> None:
    case_id = hand_in(server, 2, kind="notice")  # an answer ends its clock, and no search
    clock = server.get(f"/v1/recalls/cases/{case_id}").json()["clocks"][0]
    path = f"/v1/recalls/clocks/{clock['id']}"
    check(server.post(path, json={"act": "pause"}), 422)
    assert server.post(path, json={"act": "pause", "reason": "asked back"}).json()["state"] == "paused"
    assert server.post(path, json={"act": "resume"}).json()["due_at"] == clock["due_at"]
    check(server.post(path, json={"act": "extend", "reason": "granted"}), 422)
    until = "2199-01-01T00:00:00+00:00"
    assert server.post(path, json={"act": "extend", "reason": "granted", "until": until}).json()["due_at"] == until
    check(server.post("/v1/recalls/clocks/99999", json={"act": "resume"}), 404)


def test_a_listing_that_a_person_names_joins_the_case(server: TestClient) -> None:
    case_id = hand_in(server, 3)
    post(server, [BAG])
    added = server.post(f"/v1/recalls/cases/{case_id}/matches", json={"listing_ids": ["bag"]}).json()["matches"]
    assert [(each["listing_id"], each["found_by"]) for each in added] == [("bag", "person")]
    check(server.post(f"/v1/recalls/cases/{case_id}/matches", json={"listing_ids": ["never"]}), 422)


def test_a_withdrawal_ends_the_clocks_of_its_case(server: TestClient) -> None:
    case_id = hand_in(server, 4, kind="notice")  # an answer ends its clock, and no search that finds nothing
    server.post("/v1/recalls/notices", json={"kind": "withdrawal", "reference": "SR/00004/30", "note": "in error"})
    case = server.get(f"/v1/recalls/cases/{case_id}").json()
    assert case["withdrawn_at"]
    assert {clock["state"] for clock in case["clocks"]} == {"ended"}
    check(server.post("/v1/recalls/notices", json={"kind": "withdrawal", "reference": "SR/09999/30"}), 404)


def test_sources_are_told_with_how_sure_they_are(server: TestClient) -> None:
    told = server.get("/v1/recalls/sources").json()
    assert not told["polled"]
    assert {each["sure"] for each in told["sources"]} == {"seen", "memory", "yours"}


def test_a_form_opens_a_case_and_its_page_shows_alert_beside_matches(server: TestClient) -> None:
    fields = {"kind": "order", "reference": "SR/00005/30", "title": HOSTILE, "brand": "Softpaw", "country": "DE",
              "authority": "BAuA", "received_at": "2025-01-06T09:30", "models": "PB-7, PB-8"}  # fmt: skip
    led = send(server, "/recalls/notices", fields)
    assert led.status_code == 204, led.text
    path = led.headers["hx-redirect"]
    case_id = int(path.rpartition("/")[2])
    (match,) = found(server, case_id, "form-1")
    page = server.get(path)
    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    assert "PB-7, PB-8" in page.text
    assert "form-1" in page.text
    preview = send(server, f"{path}/preview", {"match": str(match), "state": "confirmed"})
    assert "1 listings: they are this product" in preview.text
    assert send(server, f"{path}/judge", {"one": str(match), "one_state": "confirmed"}).status_code == 204
    assert "takedown" in server.get(path).text
    assert send(server, f"{path}/take-back", {"match": str(match), "reason": "wrong"}).status_code == 204
    clock = server.get(f"/v1/recalls/cases/{case_id}").json()["clocks"][0]["id"]
    assert send(server, f"/recalls/clocks/{clock}", {"act": "extend", "until": ""}).status_code == 422
    assert send(server, f"{path}/act", {"act": "dance"}).status_code == 422
    assert send(server, f"{path}/act", {"act": "search"}).status_code == 204
    assert server.get("/recalls/cases/99999").status_code == 404


@pytest.mark.parametrize("query", ["", "due=overdue", "state=x&text=%00", "work=match&after=9", "country=%27&kind=x"])
def test_the_list_shows_cases_whatever_is_asked(server: TestClient, query: str) -> None:
    page = server.get(f"/recalls?{query}")
    assert page.status_code == 200
    if not query:
        assert len(re.findall("data-row", page.text)) > 3


def test_the_form_for_notices_offers_every_state_and_risk_type(server: TestClient) -> None:
    page = server.get("/recalls/notices/new", headers={"Accept-Language": "de"}).text
    assert "Meldung eingeben" in page
    assert "<option>choking</option>" in page
    assert page.count("<option>") > 50

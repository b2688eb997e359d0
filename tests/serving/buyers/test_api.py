"""Notices and buyers over HTTP: JSON and files, each row on its own, no person where none is needed."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.notices.conftest import heater
from tests.serving.buyers.conftest import line, shop_over
from tests.serving.test_error_shape import check

CSV = """order_id;listing_id;buyer;channel;address;language;country;bought_on;quantity
A-1;li-1;b-1;email;b1@example.org;de;DE;2026-02-03;1
A-2;li-2;b-2;sms;+49 1;;fr;2026-02-04;
A-3;li-1;b-3;pigeon;roof;de;DE;2026-02-03;1
A-4;li-1;b-4;email;;de;Germany;soon;0
"""


@pytest.fixture
def case(client: TestClient) -> int:
    return shop_over(client.app.state.services.store).case  # type: ignore[attr-defined]


def given(recall: Any) -> Any:
    return recall.model_dump(mode="json")


def released(client: TestClient, case: int, **changes: Any) -> None:
    assert client.put(f"/v1/cases/{case}/notice", json=given(heater(**changes))).status_code == 200
    assert client.post(f"/v1/cases/{case}/notice/release").status_code == 200


def test_from_order_lines_to_receipts(client: TestClient, case: int) -> None:
    lines = [line().model_dump(mode="json"), line("A-2", country="FR", language="sv").model_dump(mode="json")]
    taken = client.post(f"/v1/cases/{case}/buyers", json={"lines": lines}).json()
    assert (taken["taken"], taken["refusals"]) == (2, 0)
    check(client.get(f"/v1/cases/{case}/buyers/list"), 409)
    released(client, case, hazard_details={"en": "The housing melts.", "de": "Das Gehäuse schmilzt."})

    listed = [json.loads(row) for row in client.get(f"/v1/cases/{case}/buyers/list").text.splitlines()]
    assert [(row["order_id"], row["notice"]["language"]) for row in listed] == [("A-1", "de"), ("A-2", "fr")]
    german, french = (row["notice"] for row in listed)
    assert german["subject"] == "Produktsicherheitsrückruf: Sparkle Mini Heater"
    assert "Das Gehäuse schmilzt." in german["text"]
    assert "Bestellung A-1" in german["text"]
    assert '<html lang="de" dir="ltr">' in german["html"]
    assert "DGCCRF" in french["text"]

    receipts = [{"order_id": "A-1", "listing_id": "li-1", "status": "sent", "at": "2026-03-02T10:00:00Z"}]
    assert client.post(f"/v1/cases/{case}/buyers/receipts", json={"receipts": receipts}).json()["taken"] == 1
    counts = client.get(f"/v1/cases/{case}/buyers")
    assert counts.json()["by_status"] == {"queued": 1, "sent": 1}
    assert "example.org" not in counts.text
    assert len(client.get(f"/v1/cases/{case}/buyers/list").text.splitlines()) == 1


def test_a_file_is_taken_row_by_row(client: TestClient, case: int) -> None:
    answer = client.post(f"/v1/cases/{case}/buyers", content=CSV, headers={"Content-Type": "text/csv"})
    taken = answer.json()
    assert (taken["taken"], taken["refusals"]) == (2, 2)
    assert [each["place"] for each in taken["refused"]] == ["line 4", "line 5"]
    assert taken["refused"][0]["errors"][0]["field"] == "channel"
    assert {error["field"] for error in taken["refused"][1]["errors"]} >= {
        "address",
        "country",
        "bought_on",
        "quantity",
    }
    rows = "\n".join(json.dumps(line(f"B-{i}").model_dump(mode="json")) for i in range(3)) + "\nno json\n"
    more = client.post(
        f"/v1/cases/{case}/buyers", content=rows, headers={"Content-Type": "application/x-ndjson"}
    ).json()
    assert (more["taken"], more["refusals"]) == (3, 1)
    left = client.app.state.services.job_files.root  # type: ignore[attr-defined]
    assert not list((left / "incoming").glob("*"))


def test_what_a_buyer_is_reached_by_is_not_repeated_in_an_answer(client: TestClient, case: int) -> None:
    bad = {**line().model_dump(mode="json"), "address": "x" * 2_000 + "secret", "country": "Germany"}
    answer = client.post(f"/v1/cases/{case}/buyers", json={"lines": [bad, {"order_id": "secret name"}]})
    assert answer.json()["refusals"] == 2
    assert "secret" not in answer.text


def test_the_send_list_as_a_table(client: TestClient, case: int) -> None:
    client.post(f"/v1/cases/{case}/buyers", json={"lines": [line().model_dump(mode="json")]})
    released(client, case)
    table = client.get(f"/v1/cases/{case}/buyers/list", params={"format": "csv"}).text
    (row,) = csv.DictReader(io.StringIO(table))
    assert (row["order_id"], row["notice_language"], row["address"]) == ("A-1", "de", "b1@example.org")
    assert row["text"].startswith("Produktsicherheitsrückruf\n")


def test_a_notice_says_what_it_lacks_and_is_not_released(client: TestClient, case: int) -> None:
    begun = client.get(f"/v1/cases/{case}/notice").json()
    assert (begun["version"], begun["recall"]["product"]) == (0, "Mini heater")
    assert "picture" in [each["field"] for each in begun["problems"]]
    check(client.post(f"/v1/cases/{case}/notice/release"), 409)
    soft = given(heater(hazard_details={"en": "It burns.", "de": "In seltenen Fällen brennt es."}))
    kept = client.put(f"/v1/cases/{case}/notice", json=soft).json()
    assert [each["field"] for each in kept["problems"]] == ["hazard_details.de"]
    problem = check(client.post(f"/v1/cases/{case}/notice/release"), 422)
    assert problem.errors[0].field == "hazard_details.de"
    assert "In seltenen" in problem.errors[0].message
    check(client.get(f"/v1/cases/{case}/notices/de"), 409)


def test_a_released_notice_is_given_in_every_language(client: TestClient, case: int) -> None:
    released(client, case)
    assert client.get(f"/v1/cases/{case}/notices/pl").text.startswith("Odzyskanie produktu")
    page = client.get(f"/v1/cases/{case}/notices/ar", params={"format": "html"})
    assert 'dir="rtl"' in page.text
    assert page.headers["content-disposition"].startswith("attachment")
    check(client.get(f"/v1/cases/{case}/notices/sv"), 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "notice", {"produkt": "x"}, 422),
        ("PUT", "notice", {"picture": 7}, 422),
        ("PUT", "notice", [], 422),
        ("POST", "buyers", {"rows": []}, 422),
        ("POST", "buyers", {"lines": {}}, 422),
        ("POST", "buyers", {"lines": [], "more": 1}, 422),
        ("POST", "buyers", {"lines": [{}] * 10_001}, 422),
        ("POST", "buyers/receipts", [], 422),
    ],
)
def test_a_body_of_another_shape_is_refused(
    client: TestClient, case: int, method: str, path: str, body: Any, status: int
) -> None:
    check(client.request(method, f"/v1/cases/{case}/{path}", json=body), status)


def test_files_that_are_none_are_refused(client: TestClient, case: int) -> None:
    place = f"/v1/cases/{case}/buyers"
    check(client.post(place, content="", headers={"Content-Type": "text/csv"}), 422)
    check(client.post(place, content="x", headers={"Content-Type": "text/plain"}), 415)
    check(client.post(place, content="{", headers={"Content-Type": "application/json"}), 400)
    for path in ("notice", "buyers", "buyers/list"):
        check(client.get(f"/v1/cases/999/{path}"), 404)

"""The console over HTTP: what a page shows, what an act does, and what is refused."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient

from models.domain.listing import Listing
from serving.access.principal import Role
from serving.settings import Settings
from serving.store.assessments import Answered
from tests.serving.conftest import bearer, client_of, post
from tests.serving.review.conftest import answered

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ASK = {
    "outcome": "confirmed_risk", "action": "request_information", "level": "high", "hazards": "burns",
    "reason_code": "risk",
}  # fmt: skip
RELEASE = {"outcome": "false_alarm", "action": "publish", "level": "none"}
HOSTILE = """"'><img src=x onerror="window.broken=1"></script><script>window.broken=2</script>{{ 7*7 }}"""


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('console') / 'h.db'}"
    return Settings(model=small_model_dir, database_url=url, review_learn_daily=0)


@pytest.fixture(scope="module")
def server(place: Settings) -> Iterator[TestClient]:
    with client_of(place, Role.REVIEWER, name="ada") as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        yield client


@pytest.fixture(scope="module")
def ben(place: Settings) -> dict[str, str]:
    """Header of another reviewer."""
    return bearer(place, Role.REVIEWER, name="ben")


def store_of(client: TestClient) -> Any:
    return client.app.state.services.store  # type: ignore[attr-defined]


def fill(client: TestClient, *answers: Answered) -> list[int]:
    """Keep answers as if they had just been given; return their items."""
    store_of(client).save(answers)
    desk = client.app.state.services.desk  # type: ignore[attr-defined]
    return [desk.browsing.of_listing(answer.listing.id)[0].id for answer in answers]


def send(client: TestClient, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx.Response:
    """Send a form, as htmx does."""
    return client.post(path, content=urlencode(fields or {}), headers={**FORM, "HX-Request": "true", **headers})


def assessment_shown(page: str) -> str:
    found = re.search(r'name="assessment" value="(\w+)"', page)
    assert found is not None
    return found.group(1)


def test_the_queue_shows_what_waits_first_things_first(server: TestClient) -> None:
    fill(server, answered("q-high", "high", queue="q"), answered("q-serious", "serious", queue="q"))
    page = server.get("/review", params={"queue": "q"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    levels = re.findall(r'class="level small level-(\w+)"', page.text)
    assert levels == ["serious", "high"]
    rows = server.get("/review", params={"queue": "q", "level": "high"}, headers={"HX-Target": "rows"}).text
    assert re.findall(r'class="level small level-(\w+)"', rows) == ["high"]
    assert "<html" not in rows


@pytest.mark.parametrize(
    "query",
    ["state=x", "due=never", "after=a:b", "after=nan:1", "text=%00", "level=%27", "queue=" + "x" * 5000, "a=%ff"],
)
def test_a_strange_address_still_shows_a_queue(server: TestClient, query: str) -> None:
    assert server.get(f"/review?{query}").status_code == 200


def test_counts_come_alone_and_only_where_they_have_changed(server: TestClient) -> None:
    page = server.get("/review?level=high").text
    asked = unescape(re.search(r'hx-get="(/review/counts[^"]*)"', page)[1])  # type: ignore[index]
    assert "level=high" in asked
    assert server.get(asked).status_code == 204
    fill(server, answered("counted anew", seller="counts"))
    changed = server.get(asked)
    assert changed.status_code == 200
    assert changed.text.startswith('<ul id="counts"')
    assert asked not in unescape(changed.text), "the next look asks by what is shown now"


def test_rows_that_a_filter_asks_for_bring_their_number(server: TestClient) -> None:
    rows = server.get("/review?text=no+such+title", headers={"HX-Target": "rows"}).text
    assert '<span class="muted" id="total" hx-swap-oob="true">0</span>' in rows
    assert 'id="counts"' not in rows


def test_a_reviewer_takes_decides_and_takes_back(server: TestClient) -> None:
    (item,) = fill(server, answered("one", "high", queue="one"))
    following = send(server, "/review/next", {"queue": "one"})
    assert following.status_code == 204
    assert following.headers["hx-redirect"] == f"/review/items/{item}?state=waiting&queue=one"
    page = server.get(f"/review/items/{item}").text
    assert "Submit and next" in page
    decided = send(server, f"/review/items/{item}/decide?queue=one", {**RELEASE, "assessment": assessment_shown(page)})
    assert decided.headers["hx-redirect"] == "/review?state=waiting&queue=one"
    number = decided.cookies["hazardlens_undo"]
    assert f"/review/decisions/{number}/undo" in server.get("/review").text
    back = send(server, f"/review/decisions/{number}/undo")
    assert back.headers["hx-redirect"].startswith(f"/review/items/{item}")
    assert "Submit and next" in server.get(f"/review/items/{item}").text


def test_a_verdict_that_is_not_in_order_names_the_field_and_the_mend(server: TestClient) -> None:
    (item,) = fill(server, answered("two", "high", queue="two"))
    send(server, f"/review/items/{item}/claim")
    shown = assessment_shown(server.get(f"/review/items/{item}").text)
    for change, field, mend in (
        ({"outcome": ""}, "outcome", "choose confirmed_risk"),
        ({"hazards": "magic"}, "hazards", "risk types of the taxonomy"),
        ({"reason_code": "no"}, "reason code", "give one of"),
        ({"worksheet": "changed", "severity": "9"}, "severity", "from 1 to 4"),
        ({"worksheet": "changed", "severity": "2", "p_unsafe": "x"}, "p unsafe", "from 0 to 100"),
    ):
        answer = send(server, f"/review/items/{item}/decide", {**ASK, "assessment": shown, **change})
        assert answer.status_code == 422
        assert field in answer.text
        assert mend in unescape(answer.text)
    assert server.app.state.services.desk.browsing.decisions(item) == []  # type: ignore[attr-defined]


def test_the_worksheet_is_kept_with_the_verdict(server: TestClient) -> None:
    (item,) = fill(server, answered("sheet", "high", queue="sheet"))
    send(server, f"/review/items/{item}/claim")
    shown = assessment_shown(server.get(f"/review/items/{item}").text)
    steps = {"severity": "3", "p_unsafe": "50", "p_hazard": "20", "p_injury": "1"}
    matrix = send(server, f"/review/items/{item}/worksheet", steps)
    assert 'data-level="high"' in matrix.text  # 0.001 lies in the band "> 1/10 000": edges are strict
    send(server, f"/review/items/{item}/decide", {**ASK, "assessment": shown, "worksheet": "changed", **steps})
    (kept,) = server.app.state.services.desk.browsing.decisions(item)  # type: ignore[attr-defined]
    assert kept.worksheet["severity"] == 3
    assert kept.worksheet["probability"] == pytest.approx(0.001)


def test_what_another_has_or_has_decided_is_told_and_left_alone(server: TestClient, ben: dict[str, str]) -> None:
    (item,) = fill(server, answered("shared", "high", queue="shared"))
    send(server, f"/review/items/{item}/claim")
    assert send(server, f"/review/items/{item}/claim", **ben).status_code == 409
    page = server.get(f"/review/items/{item}", headers=ben).text
    assert "This item is with ada" in page
    assert "Submit and next" not in page
    blocked = {**ASK, "action": "block", "assessment": assessment_shown(server.get(f"/review/items/{item}").text)}
    send(server, f"/review/items/{item}/decide", blocked)
    blind = server.get(f"/review/items/{item}", headers=ben).text
    assert "Second look" in blind
    assert "confirmed risk" not in blind
    assert "confirmed risk" in server.get(f"/review/items/{item}").text


def test_skip_hold_and_escalate_lead_to_the_next(server: TestClient) -> None:
    fill(server, *(answered(f"acts {i}", "high", queue="acts") for i in range(3)))
    for act, fields in (
        ("skip", {"reason": "cannot read it"}),
        ("hold", {"hours": "2", "reason": "asked"}),
        ("escalate", {"queue": "urgent", "reason": "too hot"}),
    ):
        item = re.search(r"/items/(\d+)", send(server, "/review/next", {"queue": "acts"}).headers["hx-redirect"])
        assert item is not None
        refused = send(server, f"/review/items/{item[1]}/{act}?queue=acts", {**fields, "reason": ""})
        assert refused.status_code == 422
        assert send(server, f"/review/items/{item[1]}/{act}?queue=acts", fields).status_code == 204
    assert send(server, "/review/next", {"queue": "acts"}).headers["hx-redirect"].startswith("/review?")


def test_many_are_previewed_decided_and_taken_back(server: TestClient) -> None:
    ids = fill(server, *(answered(f"bulk {i}", "high", queue="bulk") for i in range(3)))
    pairs = [("items", str(item)) for item in ids] + list(RELEASE.items())

    def bulk(path: str, *more: tuple[str, str]) -> httpx.Response:
        return server.post(path, content=urlencode([*pairs, *more]), headers=FORM)

    assert "3 items: publish" in bulk("/review/bulk/preview").text
    assert "say why all of these are alike" in bulk("/review/bulk").text
    done = bulk("/review/bulk", ("note", "the same bag"))
    assert "3 decided" in done.text
    batch = re.search(r"/review/batches/(\w+)/undo", done.text)
    assert batch is not None
    assert "3 taken back" in send(server, batch[0]).text
    assert server.post("/review/bulk/preview", content="items=x", headers=FORM).status_code == 422


@pytest.mark.parametrize(
    "field", ["title", "description", "brand", "category", "caption", "attribute", "seller", "maker"]
)
def test_what_a_seller_wrote_stays_text(server: TestClient, field: str) -> None:
    raw: dict[str, Any] = {"id": f"x{field}", "title": "Laser pointer 5000 mW", "description": "for kids"}
    if field == "caption":
        raw["captions"] = [HOSTILE]
    elif field == "attribute":
        raw["attributes"] = {HOSTILE[:50]: HOSTILE}
    elif field == "seller":
        raw["seller_id"] = HOSTILE
    elif field == "maker":
        raw["manufacturer"] = {"name": HOSTILE, "address": HOSTILE}
    else:
        raw[field] = f"Laser pointer {HOSTILE}"
    assessment = post(server, [raw])["results"][0]["assessment"]
    base = answered(f"x{field}", "high", queue="xss")
    stored = replace(base, listing=Listing.model_validate(raw))
    kept = stored.assessment.model_copy(update={"id": assessment["id"], "listing_id": raw["id"]})
    (item,) = fill(server, replace(stored, assessment=kept))
    for path in (f"/review/items/{item}", f"/review/items/{item}/why", "/review?queue=xss", "/review"):
        page = server.get(path).text
        assert "<img" not in page.replace('<img src="/static/', "")
        assert "<script>window" not in page
        assert "49" not in re.findall(r"script>(\d+)", page)


def test_a_session_changes_nothing_without_the_pages_own_header(place: Settings, server: TestClient) -> None:
    key = bearer(place, Role.REVIEWER, name="cy")["Authorization"].removeprefix("Bearer ")
    (item,) = fill(server, answered("csrf", "high", queue="csrf"))
    own_key = server.headers.pop("Authorization")
    try:
        assert server.post("/session", json={"key": key}).is_success
        assert server.post(f"/review/items/{item}/claim", headers=FORM).status_code == 403
        headers = {**FORM, "X-Hazardlens-Page": "1"}
        assert server.post(f"/review/items/{item}/claim", headers=headers, follow_redirects=False).status_code == 303
    finally:
        server.cookies.clear()
        server.headers["Authorization"] = own_key


@pytest.mark.parametrize("path", ["/review/items/999999", "/review/items/999999/why"])
def test_an_item_that_is_not_there_is_said_so(server: TestClient, path: str) -> None:
    assert server.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_oversight_pages_show_complaints_quality_and_the_log(server: TestClient, ben: dict[str, str]) -> None:
    (item,) = fill(server, answered("complained", "high", queue="complained"))
    send(server, f"/review/items/{item}/claim")
    shown = assessment_shown(server.get(f"/review/items/{item}").text)
    send(server, f"/review/items/{item}/decide", {**ASK, "assessment": shown})
    desk = server.app.state.services.desk  # type: ignore[attr-defined]
    (made,) = desk.browsing.decisions(item)
    appeal = desk.appeals.receive(item, "My heater is <safe>.", "portal", made.decided_at)
    page = server.get("/review/complaints").text
    assert "My heater is &lt;safe&gt;." in page
    ruling = {"ruling": "overturned", "reason": "The report is in order."}
    assert send(server, f"/review/complaints/{appeal.id}", ruling).status_code == 409  # ada decided it
    assert send(server, f"/review/complaints/{appeal.id}", ruling, **ben).status_code == 204
    assert "ada" in server.get("/review/quality").text
    assert "entries" in server.get("/review/log").text
    assert "are as they were written" in send(server, "/review/log/verify").text
    exported = server.get("/review/log/export?format=jsonl").text.splitlines()
    assert len(exported) == len(server.get("/review/log/export").text.splitlines()) - 1


def test_two_reviewers_on_one_queue_of_200_get_no_item_twice_and_lose_none(
    server: TestClient, place: Settings, ben: dict[str, str]
) -> None:
    ids = fill(server, *(answered(f"par {i}", "high" if i % 2 else "medium", queue="par") for i in range(200)))
    ada = dict(server.headers)
    done: list[tuple[int, int]] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        headers = {**FORM, **(ben if number else {"Authorization": ada["authorization"]}), "HX-Request": "true"}
        where = server.post("/review/next", content="queue=par", headers=headers).headers["hx-redirect"]
        while found := re.search(r"/items/(\d+)", where):
            item = server.app.state.services.desk.browsing.item(int(found[1]))  # type: ignore[attr-defined]
            body = urlencode({**ASK, "assessment": item.assessment_id})
            answer = server.post(f"/review/items/{item.id}/decide?queue=par", content=body, headers=headers)
            assert answer.status_code == 204, answer.text
            with lock:
                done.append((number, item.id))
            where = answer.headers["hx-redirect"]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert Counter(item for _, item in done) == Counter(ids)
    assert {number for number, _ in done} == {0, 1}

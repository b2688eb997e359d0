"""A seller whose listing went through every room of a server: nothing of it is left, in any table or file."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Engine, inspect, text

from models.deadlines.clocks import NoticeKind
from models.domain.listing import Listing
from serving.erasure.cases import CaseErasure
from serving.erasure.erasing import Erasure
from serving.erasure.listings import Which
from serving.erasure.names import ERASED_PREFIX, Names
from serving.erasure.retention import Keep, Retention
from serving.matching.recalls import KnownRecalls
from serving.recalls.events import LOG
from serving.recalls.words import MatchState
from serving.review.events import breaks
from serving.settings import Settings
from serving.store.database import open_database, writing
from serving.store.migrating import migrate
from tests.serving.conftest import StartApp, within
from tests.serving.recalls.conftest import Desk, Register, listing
from tests.serving.recalls.test_recall_api import ORDER

SELLER, TITLE, NAME = "Zzyzx-Trading", "Quuxolotl plush bear PB-7", "li-Wombat-9"
LISTING = {
    "id": NAME, "title": TITLE, "description": "Quuxolotl bear with glass eyes", "seller_id": SELLER,
    "brand": "Softpaw", "model": "PB-7", "gtin": "4006381333931",
}  # fmt: skip
OTHER = {**LISTING, "id": "li-other", "seller_id": "s-2", "title": "Softpaw plush bear PB-7", "description": ""}
MARKERS = (SELLER, "Quuxolotl", NAME)


@pytest.fixture
def small_desk(tmp_path: Path) -> Iterator[Desk]:
    engine = open_database(f"sqlite:///{tmp_path / 'small.db'}")
    migrate(engine)
    yield Desk(engine)
    engine.dispose()


@pytest.fixture
def place(database_url: str, settings: Settings, tmp_path: Path) -> Settings:
    return replace(
        settings, database_url=database_url, pictures=tmp_path / "pictures", jobs=tmp_path / "jobs",
        review_learn_daily=0, outgoing_networks=(ip_network("127.0.0.1"),),
    )  # fmt: skip


def picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(file, "PNG")
    return file.getvalue()


def texts(value: Any) -> Iterator[str]:
    """The text of a cell, unpacked where it is packed."""
    if isinstance(value, bytes | memoryview):
        data = bytes(value)
        for unpack in (zlib.decompress, gzip.decompress, bytes):
            try:
                yield unpack(data).decode("utf-8", "replace")
            except (zlib.error, OSError):
                continue
    else:
        yield str(value)


def tables_with(engine: Engine, word: str) -> set[str]:
    """The tables that hold a word anywhere."""
    found = set()
    with engine.connect() as connection:
        for name in inspect(connection).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{name}"')).all()
            if any(word.lower() in each.lower() for row in rows for value in row for each in texts(value)):
                found.add(name)
    return found


def files_with(root: Path, word: str) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file() and word.encode() in path.read_bytes()}


def went_everywhere(client: TestClient, url: str) -> int:
    """Let a listing go through every room; return the number of its case, whose takedown order waits."""
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    hooks = client.post("/v1/webhooks", json={"url": url, "kinds": []})
    assert hooks.status_code == 201, hooks.text
    answer = client.post(
        "/v1/assessments",
        files={
            "listings": (None, orjson.dumps([{**LISTING, "images": [{"part": "a", "alt": "Quuxolotl"}]}, OTHER])),
            "a": ("a.png", picture()),
        },
        headers={"Idempotency-Key": "once"},
    )
    assert answer.status_code == 200, answer.text
    assessed = answer.json()["results"][0]["assessment"]["id"]
    within(240, lambda: client.get(f"/v1/assessments/{assessed}/pictures").json()["state"] == "done")
    job = client.post(
        "/v1/jobs", content=orjson.dumps(LISTING) + b"\n" + orjson.dumps(OTHER) + b"\n",
        headers={"Content-Type": "application/x-ndjson"},
    ).json()["id"]  # fmt: skip
    within(240, lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "done")
    notice = {**ORDER, "reference": "SR/00700/30", "listing_ids": [NAME]}
    case_id = int(client.post("/v1/recalls/notices", json=notice).json()["case_id"])
    within(240, lambda: bool(services.recalls.cases.get(case_id).case.searched))
    case = f"/v1/recalls/cases/{case_id}"
    matches = {each["listing_id"]: each["id"] for each in client.get(f"{case}/matches").json()["matches"]}
    judged = {"state": "confirmed", "matches": [matches[NAME]], "note": f"sold by {SELLER}"}
    (order,) = client.post(f"{case}/judgements", json=judged).json()["orders"]
    refused = {"refused": f"{SELLER} says it is another one"}
    assert client.post(f"/v1/recalls/orders/{order}/receipt", json=refused).status_code == 200
    for other in (each for name, each in matches.items() if name != NAME):
        client.post(f"{case}/judgements", json={"state": "refused", "matches": [other], "note": "another one"})
    line = {
        "order_id": "A-1", "listing_id": NAME, "buyer": "b-1", "channel": "email", "address": "b1@example.org",
        "country": "DE", "bought_on": "2026-02-03",
    }  # fmt: skip
    assert client.post(f"/v1/cases/{case_id}/buyers", json={"lines": [line]}).json()["taken"] == 1
    waiting = "SELECT count(*) FROM hook_deliveries WHERE state = 'waiting'"
    unsent = "SELECT count(*) FROM hook_events WHERE dispatched_at IS NULL"

    def arrived() -> bool:
        with services.store.engine.connect() as connection:
            return not any(connection.execute(text(query)).scalar_one() for query in (waiting, unsent))

    within(240, arrived)
    return case_id


@pytest.fixture
def gone(start_app: StartApp, place: Settings) -> Iterator[tuple[TestClient, int, dict[str, int]]]:
    """A server from which the seller was erased, the number of the case, and what was said to be erased."""
    register = Register()
    register.says("/", b"thank you")
    client = start_app(place)
    case_id = went_everywhere(client, register.url)
    engine = open_database(place.database_url)
    for word in MARKERS:
        assert len(tables_with(engine, word)) > 3, word
        assert files_with(place.jobs, word) if word != SELLER else True
    erasure = Erasure.of(engine, place)
    assert erasure.count(Which(seller=SELLER))["matches in recall cases"] == 1
    yield client, case_id, erasure.erase(Which(seller=SELLER), "command line")
    engine.dispose()
    register.close()


def test_nothing_of_a_seller_is_left_in_any_table_or_file(
    gone: tuple[TestClient, int, dict[str, int]], place: Settings
) -> None:
    client, case_id, done = gone
    expected = ("matches in recall cases", "judgements", "webhooks", "kept answers", "rows of results", "pictures")
    assert [what for what in expected if done.get(what, 0) < 1] == []
    engine = open_database(place.database_url)
    left = {word: tables_with(engine, word) for word in MARKERS}
    # The notice stays as it came, and named the listing; the buyer of the line is still to be told of it.
    assert left == {SELLER: set(), "Quuxolotl": set(), NAME: {"alert_documents", "buyer_lines"}}
    assert [files_with(place.pictures, word) | files_with(place.jobs, word) for word in MARKERS] == [set()] * 3
    assert files_with(place.pictures / "copies", "") == set()
    with engine.connect() as connection:
        assert list(LOG.breaks(connection)) == []
        assert list(breaks(connection)) == []
    case = client.get(f"/v1/recalls/cases/{case_id}").json()
    assert (case["counts"]["confirmed"], case["counts"]["removal_refused"]) == (1, 1)
    assert client.get(f"/recalls/cases/{case_id}").status_code == 200
    assert client.get("/review/webhooks").status_code == 200
    again = Erasure.of(engine, place).erase(Which(seller=SELLER), "command line")
    assert {what: n for what, n in again.items() if n} == {}
    engine.dispose()


def test_the_product_is_known_again_and_others_are_left_alone(gone: tuple[TestClient, int, dict[str, int]]) -> None:
    client, _, _ = gone
    assert client.get("/v1/assessments", params={"limit": 50}).json()["assessments"][0]["listing_id"] == "li-other"
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    known = KnownRecalls(services.engine.model, services.store.engine)  # as a server that starts now
    known.refresh()
    again = Listing.model_validate({**LISTING, "id": "li-again", "seller_id": "s-3", "title": "Stuffed animal"})
    (signature,) = known.signer.listings([again])
    assert set(known.matcher.judgements.confirmed("", signature).values()) == {"nearly identical"}


def test_sqlite_keeps_no_bytes_of_what_was_erased(small_desk: Desk, settings: Settings, tmp_path: Path) -> None:
    case_id = small_desk.case()
    match, _ = small_desk.found(case_id, listing("a", title=TITLE, seller_id=SELLER), listing("b"))
    line = small_desk.desk.cases.get(case_id)
    small_desk.desk.matches.judge(line, [match], MatchState.REFUSED, "ada", "another one", small_desk.now)
    small_desk.engine.dispose()
    assert files_with(tmp_path, SELLER)
    engine = open_database(f"sqlite:///{tmp_path / 'small.db'}")
    Erasure.of(engine, settings).erase(Which(seller=SELLER), "command line")
    assert [files_with(tmp_path, word) for word in (SELLER, TITLE)] == [set(), set()]
    engine.dispose()


def test_what_a_recall_still_needs_goes_when_it_is_through(small_desk: Desk) -> None:
    case_id = small_desk.case(kind=NoticeKind.ORDER, authority="NVWA", country="NL")
    first, second = small_desk.found(case_id, listing("a", seller_id=SELLER), listing("b", seller_id=SELLER))
    desk, line = small_desk.desk, small_desk.desk.cases.get(case_id)
    (order,) = desk.matches.judge(line, [first], MatchState.CONFIRMED, "ada", "", small_desk.now).orders
    names = Names(["a", "b"])
    done, needed = CaseErasure(small_desk.engine).erase(names, "command line", "seller")
    assert (done["kept until their recall is through"], needed) == (2, {"a", "b"})
    assert desk.orders.get(order).listing_id == "a"
    sweep = Retention(small_desk.engine, Keep()).sweep
    assert sweep(small_desk.now)["listings whose recall is through"] == 0
    desk.orders.receipt(order, "shop", small_desk.now, removed_at=small_desk.now)
    desk.matches.judge(line, [second], MatchState.REFUSED, "ada", "another one", small_desk.now)
    with writing(small_desk.engine) as connection:  # nobody listens: the events have left
        connection.execute(text("UPDATE hook_events SET dispatched_at = created_at"))
    assert sweep(small_desk.now)["listings whose recall is through"] == 2
    assert desk.orders.get(order).listing_id.startswith(ERASED_PREFIX)
    assert tables_with(small_desk.engine, SELLER) == set()
    assert sweep(small_desk.now)["listings whose recall is through"] == 0
    with small_desk.engine.connect() as connection:
        assert list(LOG.breaks(connection)) == []

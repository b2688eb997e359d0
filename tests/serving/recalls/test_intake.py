"""Alerts taken in from sources: by polling, conditionally, one for each product, errors included."""

from __future__ import annotations

import datetime as dt
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from models.domain.errors import InputError
from serving.recalls import alerts as kept
from serving.recalls.documents import DOCUMENTS, read
from serving.recalls.source_states import SourceStates
from serving.recalls.sources import Source, load_sources
from serving.store.hook_tables import EventRow
from serving.store.recall_tables import AlertRow, RecallCaseRow
from tests.serving.recalls.conftest import (
    BEAR,
    NOW,
    SAMPLES,
    Desk,
    Register,
    Reply,
    numbered,
    source,
    weekly,
    weekly_list,
)

LIST = "/list/xml/en"


def count(desk: Desk, table: Any) -> int:
    with desk.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def references(desk: Desk) -> list[str]:
    with desk.engine.connect() as connection:
        return list(connection.execute(select(AlertRow.reference).order_by(AlertRow.reference)).scalars())


def state_of(desk: Desk, name: str) -> Any:
    return SourceStates(desk.engine).all()[name]


def test_weekly_reports_are_taken_in_and_every_document_is_kept_with_its_hash(desk: Desk, register: Register) -> None:
    detail = (SAMPLES / "safety_gate_weekly_detail.xml").read_bytes()
    register.says(LIST, weekly_list(register, {"/30001": "04/01/2030", "/30002": "11/01/2030", "/old": "01/06/2029"}))
    register.says("/30001", detail)
    register.says("/30002", weekly(BEAR))
    polled = desk.poll(source(register, "safety-gate-weekly", LIST))
    assert polled.failures == []
    assert (polled.documents, polled.new) == (2, 6)
    assert register.paths() == [LIST, "/30001", "/30002"]  # what lies before the first look is left
    assert "SR/90001/30" in references(desk)
    assert count(desk, RecallCaseRow) == 6
    with desk.engine.connect() as connection:
        key = connection.execute(select(DOCUMENTS.c.id).where(DOCUMENTS.c.url == f"{register.url}/30001")).scalar_one()
        found = read(connection, key)
        told = connection.execute(select(EventRow.body).where(EventRow.kind == "alert.received")).scalars().all()
    assert found is not None
    assert found[1] == detail
    assert len(found[0].sha256) == 64
    assert {each["reference"] for each in told} == set(references(desk))


def test_what_has_not_changed_is_not_sent_again(small_desk: Desk, register: Register) -> None:
    register.says(LIST, weekly_list(register, {"/a": "04/01/2030", "/b": "11/01/2030", "/c": "12/01/2030"}))
    for path, number in (("/a", 1), ("/b", 2), ("/c", 3)):
        register.says(path, weekly(*numbered(1, number)))
    small_desk.poll(source(register, "safety-gate-weekly", LIST))
    register.asked.clear()
    small_desk.later(hours=13)
    polled = small_desk.poll(source(register, "safety-gate-weekly", LIST))
    assert polled.documents == 0
    assert polled.unchanged == 3  # the list, and the newest two, which may still be corrected
    assert register.paths() == [LIST, "/b", "/c"]
    assert all("if-none-match" in each.headers for each in register.asked)
    assert count(small_desk, DOCUMENTS) == 4


def test_a_report_that_is_cut_off_stops_no_other_and_comes_again(desk: Desk, register: Register) -> None:
    good, broken = weekly(*numbered(2)), weekly(*numbered(3, 10))
    register.says(LIST, weekly_list(register, {"/a": "04/01/2030", "/b": "07/01/2030", "/c": "11/01/2030"}))
    register.says("/a", Reply(broken, cut=150))  # the connection breaks
    register.says("/b", Reply(broken[:-80]))  # the server has only half of it
    register.says("/c", good)
    polled = desk.poll(source(register, "safety-gate-weekly", LIST))
    assert polled.new == 2
    assert len(polled.failures) == 2
    assert "/a: " in polled.failures[0]
    assert f"{register.url}/b: line 1" in polled.failures[1]
    assert "not well-formed XML" in polled.failures[1]
    state = state_of(desk, "safety-gate-weekly")
    assert set(state.cursor["reports"]) == {f"{register.url}/c"}
    assert state.failures == 1
    assert NOW < state.next_at <= NOW + dt.timedelta(minutes=10)  # sooner than its usual twelve hours
    with desk.engine.connect() as connection:
        told = connection.execute(
            select(DOCUMENTS.c.failure).where(DOCUMENTS.c.url == f"{register.url}/b")
        ).scalar_one()
    assert "not well-formed" in told
    register.says("/a", broken)
    register.says("/b", weekly(*numbered(1, 20)))
    desk.later(minutes=11)
    again = desk.poll(source(register, "safety-gate-weekly", LIST))
    assert again.failures == []
    assert again.new == 4
    assert state_of(desk, "safety-gate-weekly").failures == 0


def test_a_server_that_asks_to_be_left_alone_is(small_desk: Desk, register: Register) -> None:
    weekly_reports = source(register, "safety-gate-weekly", LIST, every_minutes=10)
    register.says(LIST, Reply(b"slow down", 429, {"Retry-After": "7200"}))
    polled = small_desk.poll(weekly_reports)
    assert "429" in polled.failures[0]
    assert state_of(small_desk, "safety-gate-weekly").next_at == NOW + dt.timedelta(hours=2)
    small_desk.later(hours=1)
    assert small_desk.poller(weekly_reports).poll_next() is None


def test_failures_are_tried_again_less_and_less_often(small_desk: Desk, register: Register) -> None:
    weekly_reports = source(register, "safety-gate-weekly", LIST)
    register.says(LIST, Reply(b"", 500))
    waits = []
    for _ in range(6):
        small_desk.poll(weekly_reports)
        state = state_of(small_desk, "safety-gate-weekly")
        waits.append((state.next_at - small_desk.now).total_seconds())
        small_desk.now = state.next_at
    assert waits[0] <= 600
    assert waits[5] > 3 * waits[0]
    assert all(wait <= 43_200 for wait in waits)


def test_a_list_that_names_another_host_makes_us_ask_nobody(small_desk: Desk, register: Register) -> None:
    register.says(LIST, b"<l><weeklyReport><URL>http://169.254.169.254/latest</URL></weeklyReport></l>")
    polled = small_desk.poll(source(register, "safety-gate-weekly", LIST))
    assert "another host" in polled.failures[0]
    assert register.paths() == [LIST]


def test_a_source_on_an_address_that_is_not_public_is_refused_unless_an_operator_allows_it(
    small_desk: Desk, register: Register
) -> None:
    from serving.recalls.fetching import Fetcher, FetchError, client_of

    with pytest.raises(FetchError, match="not public"):
        Fetcher(client_of()).get(source(register, "cpsc"), register.url)
    assert register.asked == []


def test_what_is_longer_than_allowed_or_packed_to_be_is_not_read(small_desk: Desk, register: Register) -> None:
    bomb = gzip.compress(b"<a>" + b" " * 3_000_000)
    for reply in (Reply(b" " * 1_200_000), Reply(bomb, headers={"Content-Encoding": "gzip"})):
        register.says(LIST, reply)
        polled = small_desk.poll(source(register, "safety-gate-weekly", LIST, max_mb=1))
        assert "more than 1,000,000 bytes" in polled.failures[0]
        small_desk.later(hours=13)
    assert count(small_desk, DOCUMENTS) == 0


def portal_record(alert: Any, number: int, **facts: Any) -> dict[str, Any]:
    return {
        "id": number, "reference": alert.reference, "publicationDate": f"{alert.date}T00:00:00Z",
        "notificationType": {"code": "SR", "name": "Serious risk"}, "country": {"key": "nl", "name": "Netherlands"},
        "product": {"nameSpecific": alert.title, "brands": [{"brand": alert.brand}],
                    "barcodes": [{"barcode": code} for code in alert.barcodes],
                    "modelTypes": [{"modelType": model} for model in alert.models],
                    "versions": [{"language": {"key": "EN"}, "name": "", "description": alert.description}]},
        "risk": {"riskType": [{"key": "riskType.choking", "name": "CHOKING"}]}, **facts,
    }  # fmt: skip


MOST_RECENT = "/notification/mostRecent/"


def portal_of(register: Register, *alerts: Any) -> None:
    pages = [{"content": [{"id": n, "publicationDate": f"{a.date}T00:00:00Z"} for n, a in enumerate(alerts, 1)]}, []]
    register.says(MOST_RECENT, *pages, *pages, *pages)
    for number, alert in enumerate(alerts, 1):
        register.says(f"/notification/{number}", portal_record(alert, number))


def test_the_portal_is_gone_through_alert_by_alert(small_desk: Desk, register: Register) -> None:
    old = replace(BEAR, reference="SR/00001/29", date=dt.date(2029, 10, 1))
    portal_of(register, BEAR, *[replace(each, date=dt.date(2030, 1, 12)) for each in numbered(1, 8)], old)
    polled = small_desk.poll(source(register, "safety-gate-portal"))
    assert polled.failures == []
    assert references(small_desk) == ["SR/00007/30", "SR/00008/30"]
    assert state_of(small_desk, "safety-gate-portal").cursor == {"since": "2030-01-12"}
    assert orjson.loads(register.asked[0].body) == {"language": "en", "page": "0"}


def test_an_alert_that_the_portal_no_longer_has_is_withdrawn_and_its_clocks_end(desk: Desk, register: Register) -> None:
    portal_of(register, BEAR)
    portal = source(register, "safety-gate-portal")
    desk.poll(portal)
    desk.later(hours=30)
    register.says(MOST_RECENT, [])
    register.says("/notification/1", Reply(status=404))
    polled = desk.poll(portal)
    assert polled.withdrawn == 1
    (line,) = desk.desk.cases.page(_all(), desk.now)
    assert line.alert.withdrawn_at == desk.now
    assert line.case.due_at is None
    assert desk.acts(line.case.id)[-2:] == ["withdrawn", "clock_ended"]
    portal_of(register, BEAR)
    desk.later(hours=30)
    desk.poll(portal)
    (line,) = desk.desk.cases.page(_all(), desk.now)
    assert line.alert.withdrawn_at is None
    assert "restored" in desk.acts(line.case.id)
    assert line.case.due_at is not None  # its clock runs anew


def _all() -> Any:
    from serving.recalls.cases import CaseFilter

    return CaseFilter(state="all")


def test_opendatasoft_is_read_page_by_page_from_the_cursor_on(small_desk: Desk, register: Register) -> None:
    record = orjson.loads((SAMPLES / "opendatasoft.json").read_bytes())["results"][0]
    first = [{**record, "alert_number": f"SR/{n:05}/30"} for n in range(100)]
    register.says("/records", {"results": first}, {"results": [{**record, "alert_number": "SR/00500/30"}]})
    polled = small_desk.poll(source(register, "opendatasoft", "/records"))
    assert (polled.documents, polled.new) == (2, 101)
    assert "offset=100" in register.paths()[1]
    assert "alert_date+%3E%3D+date%272029-12-08%27" in register.paths()[0]
    assert state_of(small_desk, "opendatasoft").cursor == {"since": "2030-02-01"}


def test_recalls_of_the_cpsc_are_asked_for_since_the_cursor(small_desk: Desk, register: Register) -> None:
    register.says("/Recall", (SAMPLES / "cpsc_recalls.json").read_bytes())
    recalls = source(register, "cpsc", "/Recall", issuer="cpsc")
    polled = small_desk.poll(recalls)
    assert polled.new > 0
    since = state_of(small_desk, "cpsc").cursor["since"]
    small_desk.later(hours=13)
    small_desk.poll(recalls)
    start = dt.date.fromisoformat(since) - dt.timedelta(days=7)
    assert register.paths()[1] == f"/Recall?format=json&RecallDateStart={start}"


def test_a_cursor_does_not_move_past_what_could_not_be_read(small_desk: Desk, register: Register) -> None:
    register.says(
        "/Recall", b'[{"RecallNumber": "30-1", "Products": [{"Na', (SAMPLES / "cpsc_recalls.json").read_bytes()
    )
    recalls = source(register, "cpsc", "/Recall", issuer="cpsc")
    polled = small_desk.poll(recalls)
    assert "not readable as JSON" in polled.failures[0]
    assert state_of(small_desk, "cpsc").cursor == {}
    small_desk.later(minutes=11)
    assert small_desk.poll(recalls).new > 0


def test_a_bad_record_is_told_and_its_neighbours_are_taken(small_desk: Desk, register: Register) -> None:
    records = orjson.loads((SAMPLES / "cpsc_recalls.json").read_bytes())
    register.says("/Recall", [{"RecallID": None}, *records])
    polled = small_desk.poll(source(register, "cpsc", "/Recall", issuer="cpsc"))
    assert polled.new == len(records)
    assert "RecallNumber" in polled.failures[0]


def own(path: Path, **facts: object) -> Source:
    values = {"id": "own", "kind": "table", "url": str(path), "issuer": "own", "sure": "yours", "complete": True}
    return Source.model_validate({**values, **facts})


def test_a_table_of_ones_own_is_followed_rows_that_vanish_too(small_desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "alerts.csv"
    path.write_text("id,title,labels\nA-1,Bear,\nA-2,Lamp,\n", "utf-8")
    assert small_desk.poll(own(path)).new == 2
    small_desk.later(hours=13)
    assert small_desk.poll(own(path)).unchanged == 1
    path.write_text("id,title,labels\nA-1,Brown bear,\n", "utf-8")
    small_desk.later(hours=13)
    polled = small_desk.poll(own(path))
    assert (polled.updated, polled.withdrawn) == (1, 1)
    path.write_text('id,title,labels\nA-1,"Brown', "utf-8")
    small_desk.later(hours=13)
    polled = small_desk.poll(own(path))
    assert polled.withdrawn == 0
    assert f"{path}: line 2" in polled.failures[0]
    path.unlink()
    small_desk.later(hours=13)
    assert "No such file" in small_desk.poll(own(path)).failures[0]


def test_two_sources_of_one_alert_make_one_of_it(desk: Desk, register: Register) -> None:
    trusted = source(register, "safety-gate-portal", rank=0)
    register.says(LIST, weekly_list(register, {"/a": "11/01/2030"}))
    register.says("/a", weekly(replace(BEAR, reference="SR/7/2030", barcodes=(), brand="SOFTPAW", title="Bear, plush")))
    desk.poll(source(register, "safety-gate-weekly", LIST, rank=1))
    desk.later(hours=1)
    portal_of(register, BEAR)
    polled = desk.poll(trusted)
    assert (polled.new, polled.updated) == (0, 1)
    (line,) = desk.desk.cases.page(_all(), desk.now)
    assert (line.alert.alert.brand, line.alert.alert.title) == ("Softpaw", "Plush bear")
    assert line.alert.alert.barcodes == BEAR.barcodes
    with desk.engine.connect() as connection:
        assert [each.source for each in kept.sightings(connection, line.alert.id)] == [
            "safety-gate-weekly", "safety-gate-portal",
        ]  # fmt: skip
    acts = desk.acts(line.case.id)
    assert acts.count("received") == 1
    assert acts.count("clock_started") == 1  # the second source starts no second clock
    assert acts[-1] == "updated"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("SR/00007/30", "sr/7/2030", True),
        ("00007/30", "SR/00007/30", True),  # the prefix was left out
        ("SR/00007/30", "OR/00007/30", False),
        ("SR/00007/30", "SR/00007/29", False),
    ],
)
def test_numbers_are_told_apart_by_prefix_number_and_year(
    small_desk: Desk, first: str, second: str, same: bool
) -> None:
    small_desk.receive(replace(BEAR, reference=first))
    small_desk.receive(replace(BEAR, reference=second))
    assert count(small_desk, AlertRow) == (1 if same else 2)


def test_a_number_without_its_prefix_is_another_alert_where_the_product_differs(small_desk: Desk) -> None:
    small_desk.receive(replace(BEAR, reference="00007/30"))
    small_desk.receive(replace(BEAR, reference="SR/00007/30", brand="Lumo", title="Lamp", barcodes=(), models=()))
    assert count(small_desk, AlertRow) == 2


def test_what_an_update_changed_is_told_and_the_store_is_searched_anew(desk: Desk) -> None:
    case_id = desk.case()
    desk.found(case_id)
    desk.later(hours=1)
    desk.receive(replace(BEAR, models=("PB-7", "PB-8"), measures="Recall"))
    (event,) = [each for each in desk.desk.cases.history(case_id) if each.kind == "updated"]
    told = {each["field"]: each["now"] for each in orjson.loads(event.new)["changes"]}
    assert told == {"models": ["PB-7", "PB-8"], "measures": "Recall"}
    assert not desk.desk.cases.get(case_id).case.searched


def test_taking_the_same_document_again_changes_nothing(desk: Desk) -> None:
    case_id = desk.case()
    before = desk.acts(case_id)
    desk.later(hours=1)
    assert desk.case() == case_id
    assert desk.acts(case_id) == before
    assert count(desk, DOCUMENTS) == 1


def test_a_source_is_asked_by_one_worker_at_a_time(desk: Desk, register: Register) -> None:
    chosen = [source(register, "cpsc", "/Recall", issuer="cpsc")]
    states = SourceStates(desk.engine)
    held = states.claim(chosen, NOW)
    assert held is not None
    assert states.claim(chosen, NOW + dt.timedelta(minutes=9)) is None
    later = NOW + dt.timedelta(minutes=11)  # the first one is taken for dead
    taken = states.claim(chosen, later)
    assert taken is not None
    with pytest.raises(Exception, match="Another worker"):
        states.renew(held, later)
    states.release(taken, later, later + dt.timedelta(hours=1))
    assert states.claim(chosen, later) is None


def test_the_sources_that_ship_are_in_order_and_marked_by_how_sure_they_are() -> None:
    shipped = load_sources()
    assert {each.kind for each in shipped} == {
        "safety-gate-portal", "safety-gate-weekly", "opendatasoft", "cpsc", "table",
    }  # fmt: skip
    assert [each.rank for each in shipped] == list(range(len(shipped)))
    assert {each.id: each.sure for each in shipped}["cpsc"] == "memory"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("kind: rss", r"'rss' of sources\.0\.kind"),
        ("url: ftp://x", r"'ftp://x' of sources\.0\.url"),
        ("every_minutes: 0", r"value 0 of sources\.0\.every_minutes"),
        ("colour: red", r"'red' of sources\.0\.colour"),
        ("url: somewhere.xml", "is asked over the network"),
    ],
)
def test_a_file_of_sources_that_is_not_in_order_names_value_and_line(tmp_path: Path, line: str, what: str) -> None:
    facts = {"id": "a", "kind": "cpsc", "url": "https://x.example", "issuer": "cpsc", "sure": "yours"}
    name, _, value = line.partition(": ")
    text = "\n    ".join(f"{key}: {each}" for key, each in {**facts, name: value}.items())
    path = tmp_path / "sources.yaml"
    path.write_text(f"sources:\n  - {text}\n", "utf-8")
    with pytest.raises(InputError, match=what):
        load_sources(path)

"""``hazardlens audit``: logs that are whole, one that was changed, and a log as a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from serving.recalls.events import CaseEvent
from serving.review.events import Event, head
from serving.store.database import open_database, writing
from serving.store.migrating import migrate
from serving.store.review_tables import ReviewEventRow
from tests.hazardlens.conftest import RunCommand
from tests.serving.recalls.conftest import Desk as RecallsDesk
from tests.serving.recalls.conftest import listing
from tests.serving.review.conftest import ASK, BLOCK, RELEASE, Desk, answered


@pytest.fixture
def worked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk at which something was done, over the database that the commands find."""
    url = f"sqlite:///{tmp_path / 'h.db'}"
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", url)
    engine = open_database(url)
    migrate(engine)
    desk = Desk(engine)
    desk.take(answered("a"), answered("b"))
    desk.decide("ada", BLOCK)
    desk.decide("ben", ASK)
    desk.decide("cy", RELEASE)
    yield desk
    engine.dispose()


def newest(desk: Desk) -> str:
    with desk.engine.connect() as connection:
        return str(head(connection))


def cut_off(desk: Desk, *numbers: int) -> None:
    """Remove entries, as somebody with the password of the database could."""
    with writing(desk.engine) as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS review_events_no_delete"))
        connection.execute(delete(ReviewEventRow).where(ReviewEventRow.number.in_(numbers)))


def test_a_whole_log_ends_with_0_and_shows_its_head(run: RunCommand, worked: Desk) -> None:
    ended = run("audit", "verify")
    assert (ended.code, ended.out) == (0, f"head {newest(worked)}\ncase-head 0:{'0' * 64}\n")
    assert "whole: 6 on reviews, 0 on cases" in ended.err
    cases = {"head": f"0:{'0' * 64}", "breaks": []}
    expected = {"whole": True, "head": newest(worked), "breaks": [], "cases": cases}
    assert run("audit", "verify", "--json").json == expected


def test_every_break_is_shown_and_the_command_ends_with_1(run: RunCommand, worked: Desk) -> None:
    cut_off(worked, 2, 4)
    ended = run("audit", "verify")
    assert ended.code == 1
    assert ended.out.splitlines()[:2] == [
        "reviews entry 3: entries 2 to 2 are missing", "reviews entry 5: entries 4 to 4 are missing",
    ]  # fmt: skip
    assert "breaks found: 2" in ended.err
    told = run("audit", "verify", "--json")
    assert (told.code, told.json["whole"], [each["number"] for each in told.json["breaks"]]) == (1, False, [3, 5])


def test_a_cut_off_end_is_found_by_the_head_that_was_printed(run: RunCommand, worked: Desk) -> None:
    noted = run("audit", "verify", "--json").json["head"]
    assert run("audit", "verify", "--head", noted).code == 0
    cut_off(worked, 6)
    assert run("audit", "verify").code == 0
    ended = run("audit", "verify", "--head", noted)
    assert (ended.code, "the log ends at entry 5" in ended.out) == (1, True)


def test_the_log_of_cases_is_checked_and_exported_too(run: RunCommand, worked: Desk, tmp_path: Path) -> None:
    recalls = RecallsDesk(worked.engine)
    case_id = recalls.case()
    recalls.found(case_id, listing("li-77"))
    noted = run("audit", "verify", "--json").json["cases"]["head"]
    out = tmp_path / "cases.jsonl"
    run("audit", "export", "--out", out, "--log", "cases")
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    for row in rows:
        event = CaseEvent(**{**row, "at": datetime.fromisoformat(row["at"])})
        assert event.digest == event.own_digest()
    assert f"{len(rows)}:{rows[-1]['digest']}" == noted
    assert run("audit", "verify", "--case-head", noted).code == 0
    with writing(worked.engine) as connection:
        connection.execute(text("DROP TRIGGER case_events_no_update"))
        connection.execute(text("UPDATE case_events SET kind = 'closed' WHERE number = 2"))
    ended = run("audit", "verify")
    assert (ended.code, ended.out.startswith("head")) == (1, True)
    assert "cases entry 2: its content does not fit its digest" in ended.out


@pytest.mark.parametrize("head", ["6", "x:y", "6:" + "f" * 63, "-1:" + "0" * 64, ""])
def test_what_is_no_head_is_refused_with_the_mend(run: RunCommand, worked: Desk, head: str) -> None:
    ended = run("audit", "verify", "--head", head)
    assert worked.engine is not None
    assert ended.code == 1
    assert "--head" in ended.err
    assert "as audit verify printed them" in ended.err


@pytest.mark.parametrize("name", ["log.csv", "new/log.jsonl"])
def test_the_log_as_a_file_can_be_checked_without_the_database(
    run: RunCommand, worked: Desk, tmp_path: Path, name: str
) -> None:
    out = tmp_path / name
    assert run("audit", "export", "--out", out, "--json").json == {"out": str(out), "entries": 6}
    if name.endswith("csv"):
        with out.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    previous = "0" * 64
    for row in rows:
        number, item = int(row["number"]), int(row["item_id"])
        event = Event(**{**row, "number": number, "item_id": item, "at": datetime.fromisoformat(row["at"])})
        assert (event.digest, event.previous) == (event.own_digest(), previous)
        previous = event.digest
    assert f"{len(rows)}:{previous}" == newest(worked)


def test_a_file_that_cannot_be_written_whole_is_not_there(run: RunCommand, worked: Desk, tmp_path: Path) -> None:
    with writing(worked.engine) as connection:
        connection.execute(text("DROP TRIGGER review_events_no_update"))
        connection.execute(text("UPDATE review_events SET at = 'never' WHERE number = 4"))
    refused = run("audit", "export", "--out", tmp_path / "log.csv")
    assert (refused.code, "cannot be read" in refused.err, "audit verify" in refused.err) == (1, True, True)
    verified = run("audit", "verify")
    assert (verified.code, verified.out.startswith("reviews entry 4: it cannot be read")) == (1, True)
    assert [path.name for path in tmp_path.iterdir() if "log" in path.name] == []


def test_a_name_that_tells_no_format_is_refused(run: RunCommand, worked: Desk, tmp_path: Path) -> None:
    ended = run("audit", "export", "--out", tmp_path / "log.txt")
    assert worked.engine is not None
    assert (ended.code, "end the name in .csv or .jsonl" in ended.err) == (1, True)
    ended = run("audit", "export", "--out", tmp_path / "log.csv", "--log", "plans")
    assert (ended.code, "give one of reviews, cases" in ended.err) == (1, True)


def test_a_database_without_reviews_is_refused_and_none_is_made(run: RunCommand, tmp_path: Path) -> None:
    missing = tmp_path / "mistyped.db"
    ended = run("audit", "verify", "--database", f"sqlite:///{missing}")
    assert (ended.code, "there is no such database" in ended.err) == (1, True)
    assert not missing.exists()
    missing.touch()
    assert "no reviews are kept" in run("audit", "verify", "--database", f"sqlite:///{missing}").err
    old = open_database(f"sqlite:///{missing}")
    migrate(old, "0014")
    old.dispose()
    assert "an older version wrote" in run("audit", "verify", "--database", f"sqlite:///{missing}").err
    away = run("audit", "verify", "--database", "postgresql://nobody@127.0.0.1:1/none")
    assert (away.code, "cannot be read" in away.err) == (1, True)

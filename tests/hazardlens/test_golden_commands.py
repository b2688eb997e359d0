"""``hazardlens golden``: answers that are known, from a table or from items that were decided."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.review.browsing import Filter
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database
from serving.store.migrating import migrate
from tests.hazardlens.conftest import RunCommand
from tests.serving.review.conftest import RELEASE, Desk, answered

COLUMNS = ("id", "date", "lang", "title", "brand", "category", "description", "captions", "labels", "risk_level")
MAGNETS = ("balls", "2030-01-03", "en", "Magnetic ball set", "", "Toys", "216 small magnets", "", "choking", "serious")
NOTEBOOK = ("book", "2030-01-03", "en", "Lined notebook A5", "", "Stationery", "80 sheets", "", "", "none")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk over the database that the commands find."""
    url = f"sqlite:///{tmp_path / 'h.db'}"
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", url)
    engine = open_database(url)
    migrate(engine)
    yield Desk(engine)
    engine.dispose()


def a_table(place: Path, *rows: tuple[str, ...]) -> Path:
    with place.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return place


def test_rows_of_a_table_become_answers_without_an_item(
    run: RunCommand, desk: Desk, tmp_path: Path, small_model_dir: Path
) -> None:
    table = a_table(tmp_path / "known.csv", MAGNETS, NOTEBOOK, ("open", *MAGNETS[1:-1], ""))
    ended = run("golden", "add", table, "--model", small_model_dir, "--json")
    assert ended.code == 0
    assert ended.json["added"] == 2
    assert ended.json["left"] == {"open": "it has no risk_level: give none, low, medium, high or serious"}
    assert AssessmentStore(desk.engine).count() == 2
    assert desk.browsing.count(Filter(state="all"), desk.now) == 0  # nothing follows from them
    listed = run("golden", "list", "--json").json
    assert {(each["title"], each["level"], tuple(each["hazards"])) for each in listed} == {
        ("Magnetic ball set", "serious", ("choking",)),
        ("Lined notebook A5", "none", ()),
    }
    again = run("golden", "add", table, "--model", small_model_dir)
    assert (again.code, again.out) == (1, "0 known answers added\n")
    assert again.err.count("\n") == 3  # each row says why it was left


def test_a_level_that_its_hazards_contradict_is_left_with_the_reason(
    run: RunCommand, desk: Desk, tmp_path: Path, small_model_dir: Path
) -> None:
    table = a_table(tmp_path / "known.csv", (*NOTEBOOK[:-1], "serious"), (*MAGNETS[:-1], "none"))
    ended = run("golden", "add", table, "--model", small_model_dir)
    assert desk.engine is not None
    assert (ended.code, ended.out) == (1, "0 known answers added\n")
    assert "name hazards for a risk, and none for level none" in ended.err


def test_an_item_becomes_an_answer_once_its_decision_is_final(run: RunCommand, desk: Desk) -> None:
    desk.take(answered("a", "medium"), answered("b", "medium"))
    first, second = (item.id for item in desk.browsing.of_listing("a") + desk.browsing.of_listing("b"))
    desk.decide("ada", RELEASE, first)
    ended = run("golden", "add", "--item", first, "--item", second, "--json")
    assert (ended.code, ended.json["added"], list(ended.json["left"])) == (0, 1, [f"item {second}"])
    assert "has no decision that is final" in ended.json["left"][f"item {second}"]
    (known,) = run("golden", "list", "--json").json
    assert (known["item_id"], known["level"], known["hazards"]) == (first, "none", [])
    missing = run("golden", "add", "--item", 999)
    assert (missing.code, "There is no item 999" in missing.err) == (1, True)


def test_an_answer_that_is_retired_is_handed_out_no_more(
    run: RunCommand, desk: Desk, tmp_path: Path, small_model_dir: Path
) -> None:
    assert desk.engine is not None
    run("golden", "add", a_table(tmp_path / "known.csv", NOTEBOOK), "--model", small_model_dir)
    (known,) = run("golden", "list", "--json").json
    assert run("golden", "retire", known["id"]).out == f"{known['id']} is handed out no more\n"
    assert "0/20 uses, retired" in run("golden", "list").out
    twice = run("golden", "retire", known["id"])
    assert (twice.code, "see hazardlens golden list" in twice.err) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("known.csv", "--item", "1")])
def test_a_table_or_items_are_given_and_not_both(run: RunCommand, desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.engine is not None
    ended = run("golden", "add", *arguments)
    assert (ended.code, "give a table, or items by --item N" in ended.err) == (1, True)

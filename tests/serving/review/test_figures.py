"""Figures on a period's reviews, counted by hand beside."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.action import Action
from models.domain.risk import RiskLevel
from serving.oversight.figures import FIGURES, Reviews, Table
from serving.oversight.flow import waiting
from serving.oversight.scope import Scope
from serving.review.appeals import Appeals
from serving.review.browsing import Filter
from serving.review.golden import GoldenAnswers, GoldenMix
from serving.review.intervals import Difference, Share
from serving.review.verdicts import Verdict
from serving.review.words import Outcome
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered

DAY = dt.timedelta(days=1)
JUSTIFIED = Verdict(Outcome.JUSTIFIED_ALERT, Action.PUBLISH_WITH_WARNING, RiskLevel.MEDIUM)


def table(desk: Desk, name: str, days: int = 7, queue: str = "") -> Table:
    with desk.engine.connect() as connection:
        return FIGURES[name](Reviews(connection, Scope(desk.now, days, queue)))


@pytest.fixture
def worked(desk: Desk) -> Desk:
    """Five items on Monday; four are decided on Tuesday, one of them by two people; one waits on Wednesday."""
    desk.take(
        answered("risk", "serious"), answered("sure", "high"), answered("asked", "high"), answered("false", "medium"),
        answered("toys", "high", queue="toys"),
    )  # fmt: skip
    desk.now += DAY
    ids = {item.listing_id: item.id for item in desk.browsing.page(Filter(), desk.now)}
    desk.decide("ada", BLOCK, ids["risk"])
    desk.decide("ben", BLOCK, ids["risk"])
    desk.decide("ada", ASK, ids["sure"])
    desk.decide("ada", JUSTIFIED, ids["asked"])
    desk.decide("ada", RELEASE, ids["false"])
    undone = desk.decide("cy", RELEASE, ids["toys"])
    desk.decisions.undo(undone, "cy", desk.now)
    desk.claims.release(ids["toys"], "cy", desk.now)
    desk.now += DAY
    return desk


def test_what_came_in_went_out_and_stayed(worked: Desk) -> None:
    rows = {row[0]: row[1:] for row in table(worked, "flow").rows}
    assert rows["2026-03-01"] == (0, 0, 0)
    assert rows["2026-03-02"] == (5, 0, 5)
    assert rows["2026-03-03"] == (0, 4, 1)
    assert rows["2026-03-04"] == (0, 0, 1)
    assert table(worked, "flow", queue="toys").column("open at the end")[-3:] == [1, 1, 1]


def test_what_waits_and_for_how_long(worked: Desk) -> None:
    with worked.engine.connect() as connection:
        found = waiting(connection, Scope(worked.now))
        later = waiting(connection, Scope(worked.now + 30 * DAY))
        nothing = waiting(connection, Scope(worked.now, queue="empty"))
    assert (found.total, found.overdue, found.oldest) == (1, 0, NOW)
    assert found.ages[2] == ("1–3 d", 1, 0)
    assert (later.overdue, later.ages[-1]) == (1, ("> 7 d", 0, 1))
    assert (nothing.total, nothing.oldest) == (0, None)


def test_decisions_by_day_and_finding(worked: Desk) -> None:
    rows = {row[0]: row[1:] for row in table(worked, "decisions").rows}
    assert rows["2026-03-03"] == (3, 1, 1), "the second look counts, what was taken back does not"
    assert sum(rows["2026-03-02"]) == 0  # type: ignore[arg-type]


def test_deadlines_kept_and_missed(desk: Desk) -> None:
    desk.take(answered("a"), answered("b"))
    first, second = (item.id for item in desk.browsing.page(Filter(), NOW))
    desk.decide("ada", RELEASE, first)
    desk.now += 20 * DAY  # five working days are over
    desk.decide("ada", RELEASE, second)
    found = table(desk, "clocks", 30)
    assert (found.column("kept")[-21], found.column("missed")[-21]) == (1, 0)
    assert (found.column("kept")[-1], found.column("missed")[-1]) == (0, 1)


def test_precision_is_of_the_last_word_on_each_item(worked: Desk) -> None:
    rows = {row[0]: row for row in table(worked, "precision-by-level").rows}
    assert rows["serious"][1:4] == (1, 1, 1.0)
    assert rows["high"][1:4] == (2, 1, 0.5)
    assert rows["high"][6] == 2, "it was right to ask of both"
    assert rows["medium"][1:4] == (1, 0, 0.0)


def test_a_ruling_on_a_complaint_is_the_last_word(worked: Desk) -> None:
    item = next(item for item in worked.browsing.page(Filter(state="decided"), worked.now) if item.listing_id == "sure")
    appeals = Appeals(worked.engine)
    appeal = appeals.receive(item.id, "It is safe.", "root", worked.now)
    appeals.rule(appeal.id, "eve", "overturned", "right", worked.now)
    rows = {row[0]: row for row in table(worked, "precision-by-level").rows}
    assert rows["high"][1:4] == (2, 0, 0.0)


def test_calibration_compares_the_said_with_the_found(worked: Desk) -> None:
    months = table(worked, "months")
    (row,) = months.rows
    assert row[0] == "2026-03"
    assert row[2:4] == (4, 2)
    assert row[1] == pytest.approx((0.925 + 0.925 + 0.925 + 0.05) / 4)
    unsafe = [row for row in table(worked, "reliability").rows if row[0] == "unsafe"]
    assert [row[1:5] for row in unsafe] == [(0.5, 4, 2, 0.5)]


def test_levels_side_by_side(worked: Desk) -> None:
    rows = {row[0]: row[1:] for row in table(worked, "levels").rows}
    assert rows["serious"] == (0, 0, 0, 0, 2)
    assert rows["high"] == (0, 0, 1, 1, 0)


def test_a_long_time_is_told_by_weeks(worked: Desk) -> None:
    found = table(worked, "flow", 90)
    assert [dt.date.fromisoformat(str(day)).weekday() for day in found.column("from")] == [0] * len(found.rows)
    assert found.rows[-1][1:] == (5, 4, 1)


def test_known_answers_count_in_no_figure(worked: Desk) -> None:
    before = {name: table(worked, name) for name in FIGURES}
    item = next(item for item in worked.browsing.page(Filter(state="decided"), worked.now) if item.listing_id == "sure")
    GoldenAnswers(worked.engine).add_item(item.id, "root", worked.now)
    worked.claims = replace(worked.claims, mix=GoldenMix(1.0, lambda: 0.0))
    worked.decide("dan", BLOCK)
    assert {name: table(worked, name) for name in FIGURES} == before


def test_an_empty_desk_has_empty_figures(desk: Desk) -> None:
    assert [name for name in FIGURES if not table(desk, name).is_empty] == []


def test_a_file_runs_nothing_in_a_spreadsheet() -> None:
    written = Table(("category", "toys"), [("=cmd()", 1), ("-1", 2), ("a,b", 3)]).as_csv()
    assert written.splitlines() == ["category,toys", "'=cmd(),1", "'-1,2", '"a,b",3']


@given(st.integers(0, 300), st.integers(1, 300))
def test_an_interval_holds_its_share(hits: int, total: int) -> None:
    share = Share(min(hits, total), total)
    assert share.value is not None
    assert 0 <= share.low <= share.value + 1e-12
    assert share.value - 1e-12 <= share.high <= 1


def test_intervals_are_those_of_the_literature() -> None:
    """Newcombe (1998): 56/70 less 48/80 is 0.2, from 0.0524 to 0.3339 by method 10."""
    found = Difference(Share(56, 70), Share(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert found.is_real
    assert not Difference(Share(1, 2), Share(0, 0)).is_real

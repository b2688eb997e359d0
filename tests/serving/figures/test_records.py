"""Figures from the tables of the recall desk, on both databases."""

from __future__ import annotations

import csv
import datetime as dt
import io

from models.deadlines.calendar import WorkCalendar
from serving.figures.counting import Duration, Share
from serving.figures.records import figures_of
from serving.figures.telling import COLUMNS, as_csv, as_json
from serving.store.assessments import AssessmentStore
from tests.serving.figures.conftest import NOW, Cases

CALENDAR = WorkCalendar("NL", "Europe/Amsterdam")
MARCH = dt.date(2026, 3, 1), dt.date(2026, 3, 31)
AS_OF = NOW + dt.timedelta(days=60)


def after(hours: float) -> dt.datetime:
    return NOW + dt.timedelta(hours=hours)


def filled(store: AssessmentStore) -> Cases:
    """An order with three listings, monitoring with one, a consumer's notice with one, and what does not count."""
    cases = Cases(store.engine)
    ordered = cases.case("order", identified_at=after(24), informed_at=after(50))
    cases.order(ordered, cases.match(ordered), after(2))
    cases.order(ordered, cases.match(ordered), after(100))  # Friday: late
    cases.match(ordered)  # identified, never ordered down
    cases.match(ordered, state="refused")
    cases.match(ordered, state="proposed", judged_at=None)
    found = cases.case("monitoring", category="=Lighters", authority="", country="")
    again = cases.match(found, relisted=True)
    cases.order(found, again, after(2), ordered_at=after(1))
    told = cases.case("consumer", identified_at=after(1))
    cases.order(told, cases.match(told), after(3))
    earlier = cases.case("order", received_at=NOW - dt.timedelta(days=30))
    cases.match(earlier, judged_at=NOW - dt.timedelta(days=29))
    return cases


def test_figures_of_what_the_desk_kept(store: AssessmentStore) -> None:
    filled(store)
    found = figures_of(store.engine, *MARCH, CALENDAR, AS_OF)

    assert found.kpi_1 == Share(1, 3)
    assert found.kpi_2 == Share(1, 1)
    assert found.identification == Share(2, 3)
    assert found.reappearance == Share(1, 5)
    assert found.remove == Duration(4, 2.5, 100.0)
    assert found.identify == Duration(2, 12.5, 24.0)
    assert found.inform == Duration(1, 50.0, 50.0)
    assert [each.name for each in found.groups["authority"]] == ["", "NVWA"]


def test_an_empty_desk_has_no_shares(store: AssessmentStore) -> None:
    found = as_json(figures_of(store.engine, *MARCH, CALENDAR, AS_OF))
    assert found["kpi_1"] == {"share": None, "numerator": 0, "denominator": 0, "pending": 0}
    assert found["groups"] == {"authority": [], "category": [], "country": []}


def test_a_table_has_every_figure_and_no_formula(store: AssessmentStore) -> None:
    filled(store)
    rows = list(csv.DictReader(io.StringIO(as_csv(figures_of(store.engine, *MARCH, CALENDAR, AS_OF)))))
    assert tuple(rows[0]) == COLUMNS
    first = rows[0]
    assert (first["figure"], first["numerator"], first["denominator"]) == ("kpi_1", "1", "3")
    assert float(first["share"]) == 1 / 3
    assert {row["name"] for row in rows if row["group"] == "category"} == {"'=Lighters", "Toys"}
    assert all(row["definition"] for row in rows)

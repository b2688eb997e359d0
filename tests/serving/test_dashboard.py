"""The dashboard over HTTP: its charts and files, and the pages of known answers."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from serving.access.principal import Role
from serving.console.charts import Picture, Series, bars, diagonal, dots, lines
from serving.oversight.counted import CountedFigures
from serving.oversight.figures import FIGURES
from serving.settings import Settings
from tests.serving.conftest import bearer, client_of
from tests.serving.review.conftest import answered
from tests.serving.test_console import ASK, FORM, fill

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def place(small_model_dir: object, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('dashboard') / 'h.db'}"
    return Settings(
        model=small_model_dir,  # type: ignore[arg-type]
        database_url=url,
        review_learn_daily=0,
        review_grace_seconds=0,
        review_golden_share=1.0,
    )


@pytest.fixture(scope="module")
def server(place: Settings) -> Iterator[TestClient]:
    """An admin's client; two listings were decided by ada, and two wait."""
    with client_of(place, name="root") as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        ada = bearer(place, Role.REVIEWER, name="ada")
        ids = fill(client, *(answered(f"{HOSTILE} {i}", seller="s", title=HOSTILE) for i in range(4)))
        for number in ids[:2]:
            client.post(f"/review/items/{number}/claim", headers=ada).raise_for_status()
            stored = client.app.state.services.desk.browsing.item(number)  # type: ignore[attr-defined]
            form = {**ASK, "assessment": stored.assessment_id}
            client.post(f"/review/items/{number}/decide", data=form, headers={**ada, **FORM}, follow_redirects=False)
        yield client


def test_the_page_has_every_figure_as_chart_or_table(server: TestClient) -> None:
    page = server.get("/review/dashboard?days=7").text
    for name in set(FIGURES) - {"trial"}:
        assert f'id="figure-{name}"' in page
        assert f"/review/dashboard/{name}.csv?days=7" in page
    assert page.count('<svg class="chart" role="img" aria-label="') >= 7
    assert "style=" not in page, "the policy for content refuses it"


def test_a_figure_comes_as_a_file(server: TestClient) -> None:
    answer = server.get("/review/dashboard/decisions.csv?days=7")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="decisions.csv"'
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert len(rows) == 7
    assert rows[-1]["confirmed_risk"] == "2"


def test_figures_are_counted_once_a_minute(server: TestClient) -> None:
    now = [dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)]
    figures = CountedFigures(server.app.state.services.desk.engine, lambda: now[0])  # type: ignore[attr-defined]
    first = figures.of(7)
    now[0] += dt.timedelta(seconds=59)
    assert figures.of(7) is first
    assert figures.of(7, "safety").scope.queue == "safety"
    now[0] += dt.timedelta(seconds=1)
    assert figures.of(7).scope.now == now[0]
    for number in range(100):
        figures.of(7, f"no queue {number}")
    assert len(figures._found) < 100, "addresses that somebody makes up take no memory for ever"


@pytest.mark.parametrize("name", ["nothing.csv", "flow", "flow.xls", ".csv"])
def test_no_other_file_is_there(server: TestClient, name: str) -> None:
    assert server.get(f"/review/dashboard/{name}").status_code == 404


@pytest.mark.parametrize("query", ["days=-3", "days=100000", "queue=%00", "queue=" + "x" * 500, f"queue={HOSTILE}"])
def test_what_is_asked_wrongly_does_no_harm(server: TestClient, query: str) -> None:
    answer = server.get(f"/review/dashboard?{query}")
    assert answer.status_code == 200
    assert HOSTILE not in answer.text


def test_an_admin_makes_a_known_answer_which_a_reviewer_cannot_tell(server: TestClient, place: Settings) -> None:
    decided = server.app.state.services.desk.browsing.of_listing(f"{HOSTILE} 0")[0]  # type: ignore[attr-defined]
    assert "/golden" in server.get(f"/review/items/{decided.id}").text
    ben = bearer(place, Role.REVIEWER, name="ben")
    assert "/golden" not in server.get(f"/review/items/{decided.id}", headers=ben).text
    assert server.post(f"/review/items/{decided.id}/golden", follow_redirects=False).status_code == 303
    assert server.post(f"/review/items/{decided.id}/golden").status_code == 409, "it is one already"
    listed = server.get("/review/golden").text
    assert "0 / 20" in listed
    assert HOSTILE not in listed

    led = server.post("/review/next", headers={**ben, **FORM}, follow_redirects=False).headers["location"]
    page = server.get(led, headers=ben).text
    copy = server.app.state.services.desk.browsing.item(int(led.split("?")[0].rsplit("/", 1)[1]))  # type: ignore[attr-defined]
    assert copy.sample == "golden"
    assert "golden" not in page.lower()
    assert "known answer" not in page.lower()
    assert server.get(led, headers=bearer(place, Role.REVIEWER, name="cy")).status_code == 404

    block = {**ASK, "action": "block", "level": "serious", "assessment": copy.assessment_id}
    path = led.split("?")[0]
    server.post(f"{path}/decide", data=block, headers={**ben, **FORM}, follow_redirects=False)
    again = server.get(path, headers=ben).text
    assert "Second look" in again, "a block of any other item would wait for a second person now"
    assert "1 / 20" in server.get("/review/golden").text
    quality = server.get("/review/quality", headers=ben).text
    assert "1 / 1" in quality
    assert server.post("/review/golden/1/retire", follow_redirects=False).status_code == 303
    assert "retired" in server.get("/review/golden").text


numbers = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=1, max_size=60)


@given(numbers, st.text(max_size=20))
def test_any_values_and_names_give_a_picture(values: list[int | None], name: str) -> None:
    clean = "".join(letter for letter in name if letter.isprintable())
    labels = [f"{clean}{i}" for i in range(len(values))]
    series = [Series(clean, values), Series("b", values), Series("c", values)]
    shares = [(clean, None if v is None else v / 10**6, 0.0, 1.0, 3) for v in values]
    points = [(v / 10**6, v / 10**6, 0.0, 1.0) for v in values if v is not None]
    for drawn in (
        lines(Picture(clean), labels, series),
        bars(Picture(clean), labels, series),
        dots(Picture(clean), shares),
        diagonal(Picture(clean), [(clean, points)]),
    ):
        root = ElementTree.fromstring(drawn)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == clean
        for rect in root.iter("rect"):
            assert float(rect.attrib["height"]) > 0
            assert 0 <= float(rect.attrib["y"]) <= 210


def test_bars_are_as_high_as_their_values() -> None:
    root = ElementTree.fromstring(bars(Picture("x"), ["a", "b"], [Series("one", [10, 20])]))
    low, high = (float(rect.attrib["height"]) for rect in root.iter("rect"))
    assert high / low == pytest.approx(2, rel=0.02)


def test_a_share_is_drawn_between_0_and_100_percent() -> None:
    root = ElementTree.fromstring(lines(Picture("x", as_share=True), ["a"], [Series("s", [0.5], [(0.25, 0.75)])]))
    texts = [text.text for text in root.iter("text")]
    assert texts[:5] == ["0 %", "25 %", "50 %", "75 %", "100 %"]

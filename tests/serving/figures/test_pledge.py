"""The pledge's figures by API, on the console and printed; the register of commitments and its evidence."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.main import get_command

from hazardlens.cli import app as commands
from hazardlens.cli import main
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.notices.commitments import Status, load_commitments
from serving.access.routes import ROLES
from serving.api.figures import half_year
from serving.figures.telling import DEFINITIONS
from serving.settings import Settings
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database
from serving.store.migrating import migrate
from tests.serving.figures.test_records import filled
from tests.serving.test_error_shape import check

SHIPPED = (datasets_dir() / "commitments.yaml").read_text(encoding="utf-8")
AREAS = load_commitments()


def test_the_figures_of_a_period_are_told_with_their_definitions(client: TestClient) -> None:
    filled(client.app.state.services.store)  # type: ignore[attr-defined]
    found = client.get("/v1/figures/pledge", params={"from": "2026-03-01", "to": "2026-03-31"}).json()
    assert found["kpi_1"]["numerator"] == 1
    assert found["kpi_1"]["denominator"] == 3
    assert found["definitions"] == DEFINITIONS
    table = client.get("/v1/figures/pledge", params={"from": "2026-03-01", "to": "2026-03-31", "format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == 'attachment; filename="pledge-2026-03-01-2026-03-31.csv"'
    page = client.get("/review/figures", params={"from": "2026-03-01", "to": "2026-03-31"}).text
    assert "33.3 %" in page
    assert "NVWA" in page
    running = client.get("/v1/figures/pledge").json()
    assert half_year(dt.date.fromisoformat(running["from"]))[1].isoformat() == running["to"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"from": "2026-03-31", "to": "2026-03-01"}, "to"), ({"from": "March"}, "from"), ({"format": "xml"}, "format")],
)
def test_a_period_that_is_none_is_refused(shared_client: TestClient, query: dict[str, str], field: str) -> None:
    problem = check(shared_client.get("/v1/figures/pledge", params=query), 422)
    assert problem.errors[0].field == field


@pytest.mark.parametrize("query", ["from=2026-03-31&to=2026-03-01", "from=x&to=%00", ""])
def test_the_page_shows_some_period_whatever_the_address_says(shared_client: TestClient, query: str) -> None:
    page = shared_client.get(f"/review/figures?{query}")
    assert page.status_code == 200
    assert "nothing to count" in page.text


def test_the_report_is_printed_as_page_pdf_and_table(settings: Settings, tmp_path: Path, capsys: Any) -> None:
    engine = open_database(settings.database_url)
    migrate(engine)
    filled(AssessmentStore(engine))
    engine.dispose()
    out = tmp_path / "out"
    period = ["--from", "2026-03-01", "--to", "2026-03-31"]
    given = ["report", "pledge", *period, "--out", str(out), "--database", settings.database_url, "--json"]

    assert main(given) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["kpi_1"]["share"] == pytest.approx(1 / 3)
    page = (out / "pledge.html").read_text(encoding="utf-8")
    assert "33.3%" in page
    assert DEFINITIONS["kpi_1"] in page
    assert "Consult recall information" in page
    assert (out / "pledge.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "pledge.csv").read_text(encoding="utf-8").startswith("group,name,figure")


def test_a_period_of_the_report_that_ends_before_it_begins_is_refused(tmp_path: Path, capsys: Any) -> None:
    given = ["report", "pledge", "--from", "2026-03-31", "--to", "2026-03-01", "--out", str(tmp_path / "out")]
    assert main(given) == 1
    assert "--to: value 2026-03-01 is before --from" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_register_has_the_twenty_areas_and_invents_none() -> None:
    assert [each.id for each in AREAS] == [*map(str, range(1, 13)), *"abcdefgh"]
    for area in AREAS:
        assert bool(area.source) == area.verified, area.id
        assert bool(area.name) == (area.status is not Status.OPEN), area.id
        assert bool(area.evidence) == (area.status is not Status.OPEN), area.id
    assert [each.id for each in AREAS if each.status is Status.OPEN] == list("efgh")


def command_names(command: Any, before: str = "") -> set[str]:
    found = set()
    for name, each in getattr(command, "commands", {}).items():
        found |= {f"{before}{name}"} | command_names(each, f"{before}{name} ")
    return found


def test_all_evidence_is_there() -> None:
    patterns = {pattern for method, pattern in ROLES if method == "GET"} | {pattern for _, pattern in ROLES}
    known = {
        "page": {pattern for pattern in patterns if not pattern.startswith("/v1")},
        "route": {pattern for pattern in patterns if pattern.startswith("/v1")},
        "figure": set(DEFINITIONS),
        "command": command_names(get_command(commands)),
    }
    missing = [(area.id, each) for area in AREAS for each in area.evidence if each.name not in known[each.kind]]
    assert missing == []


def test_the_page_of_commitments_says_what_nobody_has_verified(shared_client: TestClient) -> None:
    page = shared_client.get("/review/commitments").text
    assert page.count("not verified") == sum(not each.verified for each in AREAS)
    for link in re.findall(r'href="(/review/figures#\w+|/authorities)"', page):
        assert shared_client.get(link.split("#")[0]).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id: "2"', 'id: "1"', "id '1' stands twice"),
        ('id: "2"', "id: 2", "is no text"),
        ("status: supported", "status: done", "'done' of status is not known"),
        ("evidence: [{figure: kpi_2}", "evidence: [{figures: kpi_2}", "is none"),
        ("    source: first progress report on the Product Safety Pledge\n", "", "source is missing"),
        ("{id: e, verified: false, status: open", "{id: e, verified: false, status: partly", "name is missing"),
        ("areas:", "commitments:", "areas is missing"),
    ],
)
def test_a_broken_register_names_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SHIPPED
    file = tmp_path / "commitments.yaml"
    file.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_commitments(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)

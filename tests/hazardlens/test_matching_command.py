"""``hazardlens match``: alerts and listings in, matches with their reasons out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.domain.resources import datasets_dir
from models.domain.taxonomy import Taxonomy
from models.sources.detect import read_alerts
from tests.hazardlens.conftest import RunCommand

ALERTS = datasets_dir() / "samples" / "safety_gate_portal.json"


@pytest.fixture
def listings(tmp_path: Path, taxonomy: Taxonomy) -> Path:
    """A table with a listing that offers the first alert's product, one that offers something else, and a bad row."""
    alert = read_alerts(ALERTS, taxonomy)[0][0]
    offer = {"id": "offer", "title": f"{alert.brand} {alert.title}", "description": alert.description}
    rows = [offer, {"id": "bag", "title": "Cotton tote bag with long handles"}, {"id": "broken"}]
    path = tmp_path / "listings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_match_names_both_sides_its_score_and_its_reasons(
    run: RunCommand, small_model_dir: Path, listings: Path, tmp_path: Path, taxonomy: Taxonomy
) -> None:
    out = tmp_path / "matches.jsonl"
    ended = run("match", "--model", small_model_dir, "--alerts", ALERTS, "--listings", listings, "--out", out, "--json")
    assert ended.code == 0, ended.err
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [set(row) for row in rows] == [{"listing_id", "alert_id", "score", "reasons"}] * len(rows)
    assert rows[0]["listing_id"] == "offer"
    assert rows[0]["alert_id"] == read_alerts(ALERTS, taxonomy)[0][0].reference
    assert 0.5 <= rows[0]["score"] <= 1
    assert all(reason[:2] in ("+ ", "- ") for reason in rows[0]["reasons"])
    summary = json.loads(ended.out)
    assert summary["matched"] == 1
    assert summary["alerts"] == 2
    assert summary["listings"] == 3, "one without a title is read too"


@pytest.mark.parametrize(
    ("changes", "named"), [({"--out": "matches.csv"}, "matches.csv"), ({"--least": "1.5"}, "--least")]
)
def test_what_cannot_be_is_named_before_the_work_begins(
    run: RunCommand, small_model_dir: Path, listings: Path, tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    options = {"--model": small_model_dir, "--alerts": ALERTS, "--listings": listings, "--out": "m.jsonl", **changes}
    options["--out"] = tmp_path / str(options["--out"])
    ended = run("match", *(part for pair in options.items() for part in pair))
    assert ended.code == 1
    assert named in ended.err
    assert not (tmp_path / "m.jsonl").exists()

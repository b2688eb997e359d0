"""``hazardlens score``: one result a row, in order, whatever the rows hold."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_info

from hazardlens.result_files import result_file
from hazardlens.result_rows import COLUMNS, score_rows
from hazardlens.scoring_pool import WORTH_IT, ScoringPool, ScoringPoolError, _Worker, processes_for
from models.captioning.building import pictures_can_be_read
from models.classifier.classifier import HazardClassifier
from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.plan.plan import Plan
from models.sources.listings import ScoredInput, to_json_line
from tests.captioning.conftest import draw
from tests.hazardlens.conftest import RunCommand

SAMPLES = datasets_dir() / "samples"


def json_lines(path: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def listings(tmp_path: Path) -> Path:
    """Six rows, of which two cannot be read."""
    path = tmp_path / "listings.csv"
    rows = [
        b"id,title,description,colour",
        b"a,Green laser pointer pen 5000 mW,Burns paper,green",
        b"b,Caf\xe9 mug \xff,Ceramic,white",
        b'c,"Never closed,x,y',
        b"d,,,",
        b"e," + b"A" + b"," + b"long words " * 100_000 + b",x",
        b"f,Too,many,cells,here",
    ]
    path.write_bytes(b"\n".join(rows) + b"\n")
    return path


def test_every_row_gives_one_result_in_order(
    run: RunCommand, small_model_dir: Path, listings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "results.jsonl"
    ended = run("score", "--model", small_model_dir, "--in", listings, "--out", out, "--json")
    results = json_lines(out)

    assert ended.code == 0
    assert [result["id"] for result in results] == ["a", "b", "row-4", "d", "e", "row-7"]
    assert [bool(result["error"]) for result in results] == [False, False, True, False, False, True]
    assert "line 4" in results[2]["error"]
    assert any("UTF-8" in note for note in results[1]["notes"])
    assert any("cut to" in note for note in results[4]["notes"])
    assert results[3]["abstains"]
    assert (ended.json["rows"], ended.json["errors"]) == (6, 2)
    assert ended.json["input"]["ignored_columns"] == ["colour"]


def test_a_result_is_what_the_assessment_says(
    run: RunCommand, small_model_dir: Path, small_model: HazardClassifier, default_plan: Plan, tmp_path: Path
) -> None:
    listing = Listing(id="x", title="216 magnetic balls, strong neodymium", description="Fun for kids, 3+")
    (tmp_path / "one.jsonl").write_text(to_json_line(listing) + "\n", encoding="utf-8")

    run("score", "--model", small_model_dir, "--in", tmp_path / "one.jsonl", "--out", tmp_path / "out.jsonl")
    (result,) = json_lines(tmp_path / "out.jsonl")
    assessment = small_model.assess(listing, default_plan)

    assert tuple(result) == COLUMNS
    assert set(result["hazards"]) == set(small_model.taxonomy.names)
    assert result["hazards"] == pytest.approx({h.risk_type: h.probability for h in assessment.hazards})
    assert result["risk_score"] == pytest.approx(assessment.risk_score)
    assert result["risk_level"] == assessment.risk_level
    assert set(result["level_probabilities"]) == set(RiskLevel)
    assert sum(result["level_probabilities"].values()) == pytest.approx(1)
    assert result["action"] in set(Action)


def test_every_format_holds_the_same(run: RunCommand, small_model_dir: Path, listings: Path, tmp_path: Path) -> None:
    for ending in ("jsonl", "jsonl.gz", "csv", "parquet"):
        run("score", "--model", small_model_dir, "--in", listings, "--out", tmp_path / f"r.{ending}")
    expected = json_lines(tmp_path / "r.jsonl")

    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as stream:
        from_csv = [_from_cells(row) for row in csv.DictReader(stream)]
    assert json_lines(tmp_path / "r.jsonl.gz") == expected
    assert from_csv == expected
    assert pq.read_table(tmp_path / "r.parquet").to_pylist() == expected


def _from_cells(row: dict[str, str]) -> dict[str, Any]:
    objects = ("hazards", "level_probabilities", "abstains", "notes", "risk_score")
    return {name: None if text == "" else json.loads(text) if name in objects else text for name, text in row.items()}


def test_a_plan_can_be_given(run: RunCommand, small_model_dir: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    strict = {"name": "strict", "version": "9", "mitigate": {"otherwise": "block", "rules": []}}
    plan.write_text(json.dumps(strict), encoding="utf-8")
    out = tmp_path / "r.jsonl"

    table = SAMPLES / "examples.csv"
    ended = run("score", "--model", small_model_dir, "--in", table, "--out", out, "--plan", plan, "--json")

    assert {result["action"] for result in json_lines(out)} == {"block"}
    assert ended.json["versions"]["plan"].startswith("strict@9+")


def test_the_progress_bar_knows_the_total(
    run: RunCommand, small_model_dir: Path, listings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r.jsonl"
    shown = run("score", "--model", small_model_dir, "--in", listings, "--out", out, "--progress")
    quiet = run("score", "--model", small_model_dir, "--in", listings, "--out", out)

    assert "6/6" in shown.err
    assert "scoring" not in quiet.err


def test_results_never_replace_the_listings(run: RunCommand, small_model_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "listings.jsonl"
    path.write_text('{"id": "1", "title": "Lamp"}\n', encoding="utf-8")
    ended = run("score", "--model", small_model_dir, "--in", path, "--out", tmp_path / "." / "listings.jsonl")

    assert ended.code == 1
    assert path.read_text(encoding="utf-8") == '{"id": "1", "title": "Lamp"}\n'


def test_a_file_that_breaks_off_leaves_no_result_and_keeps_the_old_one(
    run: RunCommand, small_model_dir: Path, tmp_path: Path
) -> None:
    whole = gzip.compress(b'{"id": "1", "title": "Lamp"}\n' * 3_000, mtime=0)
    (tmp_path / "in.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out.jsonl"
    out.write_text("old\n", encoding="utf-8")

    ended = run("score", "--model", small_model_dir, "--in", tmp_path / "in.jsonl.gz", "--out", out)

    assert ended.code == 1
    assert out.read_text(encoding="utf-8") == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl.gz", "out.jsonl"]


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz", "r.csv", "r.parquet"])
def test_a_half_written_file_never_has_the_name_of_a_result(tmp_path: Path, name: str) -> None:
    names: list[str] = []

    def interrupted() -> None:
        with result_file(tmp_path / name, ["fire"]) as write:
            write([{**dict.fromkeys(COLUMNS), "id": "1", "abstains": [], "notes": []}])
            names.extend(path.name for path in tmp_path.iterdir())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert len(names) == 1
    assert names[0].endswith(".part")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["r", "r.xlsx", "r.csv.part", "r.json"])
def test_an_unknown_ending_is_refused_before_anything_is_done(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"\.jsonl, \.jsonl\.gz, \.csv, \.parquet"), result_file(tmp_path / name, []):
        pytest.fail("the file was opened")

    assert list(tmp_path.iterdir()) == []


class Fragile:
    """A model that fails at one listing."""

    def __init__(self, model: HazardClassifier) -> None:
        self.model = model

    def assess(self, listing: Listing, plan: Plan) -> Assessment:
        if listing.id == "poison":
            raise ZeroDivisionError("on purpose")
        return self.model.assess(listing, plan)

    def assess_many(self, listings: Any, plan: Plan) -> Iterator[Assessment]:
        return (self.assess(listing, plan) for listing in listings)


def test_a_listing_that_breaks_the_model_loses_no_other(small_model: HazardClassifier, default_plan: Plan) -> None:
    rows = [
        ScoredInput(i, name, Listing(id=name, title=f"Lamp {name}")) for i, name in enumerate(["a", "poison", "c"], 1)
    ]

    chunks = list(score_rows(Fragile(small_model), default_plan, rows, chunk=2))  # type: ignore[arg-type]

    assert [len(chunk) for chunk in chunks] == [2, 1]
    first, second, third = (result for chunk in chunks for result in chunk)
    assert first["error"] is third["error"] is None
    assert second["error"] == "row 2: could not be assessed: ZeroDivisionError: on purpose"
    assert second["hazards"] is None


def test_several_processes_give_the_same_results_in_the_same_order(
    run: RunCommand, small_model_dir: Path, tmp_path: Path
) -> None:
    table = tmp_path / "many.jsonl"
    titles = ["Green laser pointer pen 5000 mW", "Cotton bag", "Neodymium magnetic balls for kids", "Погремушка"]
    rows = [Listing(id=f"{i}", title=f"{titles[i % 4]} {i // 8}") for i in range(600)]
    lines = [to_json_line(row) for row in rows]
    lines.insert(300, '{"broken": ')
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")

    for n in (1, 2):
        out = tmp_path / f"{n}.jsonl"
        command = ("score", "--model", small_model_dir, "--in", table, "--out", out, "--processes", n, "--json")
        assert run(*command).json["processes"] == n
    alone, shared = json_lines(tmp_path / "1.jsonl"), json_lines(tmp_path / "2.jsonl")

    assert [result["id"] for result in shared] == [
        *(str(i) for i in range(300)),
        "row-301",
        *(str(i) for i in range(300, 600)),
    ]
    assert shared == alone


def test_a_model_that_changed_while_processes_started_is_told(
    small_model: HazardClassifier, small_model_dir: Path, default_plan: Plan
) -> None:
    rows = [ScoredInput(1, "a", Listing(id="a", title="Cotton bag"))]
    pool = ScoringPool(small_model_dir, None, "of-yesterday", default_plan.bound_to(small_model.guarantees).id, 1)

    with pytest.raises(ScoringPoolError, match="not of-yesterday"):
        list(pool.score(rows))


def test_a_process_that_cannot_begin_is_told(tmp_path: Path) -> None:
    rows = [ScoredInput(1, "a", Listing(id="a", title="Cotton bag"))]

    with pytest.raises(ScoringPoolError, match="--processes 1"):
        list(ScoringPool(tmp_path / "no-model", None, "v", "p", 1).score(rows))


def test_long_lists_take_every_core_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.classifier.cores.usable_cores", lambda: 3)
    rows = [ScoredInput(i, str(i), None) for i in range(WORTH_IT)]

    assert processes_for(iter(rows), None)[0] == 3
    assert processes_for(iter(rows[1:]), None)[0] == 1
    assert processes_for(iter(rows), 2)[0] == 2
    assert list(processes_for(iter(rows), None)[1]) == rows
    with pytest.raises(InputError, match="--processes"):
        processes_for(iter(rows), 0)


def test_equal_content_is_assessed_once(
    small_model: HazardClassifier, default_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assessed: list[str] = []
    real = small_model.assess_many

    def counting(listings: Any, plan: Plan, **options: Any) -> Iterator[Assessment]:
        kept = list(listings)
        assessed.extend(listing.id for listing in kept)
        return real(kept, plan, **options)

    monkeypatch.setattr(small_model, "assess_many", counting)
    rows = [ScoredInput(i, str(i), Listing(id=str(i), title=("Cotton bag", "Toy gun")[i % 2])) for i in range(6)]
    (results,) = score_rows(small_model, default_plan, rows)

    assert sorted(assessed) == ["0", "1"]
    assert [result["id"] for result in results] == ["0", "1", "2", "3", "4", "5"]
    assert results[0]["risk_score"] == results[2]["risk_score"] != results[1]["risk_score"]


@pytest.mark.skipif(not pictures_can_be_read(), reason="the extra pictures is not installed")
def test_what_pictures_say_counts_where_they_are_asked_for(
    run: RunCommand, small_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAZARDLENS_PICTURES", str(tmp_path / "pictures"))
    monkeypatch.setenv("HAZARDLENS_CAPTIONER_SECONDS", "300")
    file = io.BytesIO()
    draw(("GREEN LASER\n5000 mW", 40), size=(760, 240)).image.save(file, "PNG")
    box, broken = base64.b64encode(file.getvalue()).decode(), base64.b64encode(b"%PDF-1.7").decode()
    pen = {"title": "Cat toy pen", "description": "Keeps your cat busy"}
    rows = [
        {"id": "box", **pen, "images": [box, broken]},
        {"id": "url", **pen, "images": ["https://shop.example/1.jpg"]},
    ]
    listings, out = tmp_path / "listings.jsonl", tmp_path / "results.jsonl"
    listings.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    command = ("score", "--model", small_model_dir, "--in", listings, "--out", out)

    assert run(*command).code == 0
    before = json_lines(out)
    assert [row["notes"] for row in before] == [["images: not read; --pictures reads them"]] * 2
    assert run(*command, "--pictures").code == 0
    seen, refused = json_lines(out)
    assert RiskLevel(seen["risk_level"]).rank > RiskLevel(before[0]["risk_level"]).rank
    assert any(note.startswith("images[1]: is PDF, no picture") for note in seen["notes"])
    assert refused["notes"][0].startswith("images[0].url: is a URL, and this server fetches none")
    assert {name: refused[name] for name in ("risk_level", "hazards")} == {
        name: before[1][name] for name in ("risk_level", "hazards")
    }


def test_processes_that_score_keep_linear_algebra_to_their_own_thread(small_model_dir: Path) -> None:
    given = (small_model_dir, None, "full")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _Worker.begin, given) as pool:
        found = pool.submit(threadpool_info).result(60)
    threads = [library["num_threads"] for library in found if library["user_api"] == "blas"]
    assert set(threads) == {1}

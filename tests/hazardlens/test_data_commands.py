"""``hazardlens ingest`` and ``corpus``: example tables that read back as they were."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardlens.example_lines import example_line
from models.domain.alert import Example
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.sources.examples import read_examples
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database
from serving.store.migrating import migrate
from tests.hazardlens.conftest import RunCommand
from tests.serving.review.conftest import ASK, RELEASE, Desk, answered

SAMPLES = datasets_dir() / "samples"
_NAMES = load_taxonomy().names
_WORDS = st.text(st.characters(exclude_categories=["C"]), max_size=20).map(str.strip)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("safety_gate_weekly_detail.xml", 5),
        ("safety_gate_portal.json", 2),
        ("opendatasoft.json", 3),
        ("opendatasoft_v1.json", 2),
        ("cpsc_recalls.json", 4),
        ("examples.csv", 44),
        ("examples.jsonl", 17),
    ],
)
def test_every_sample_becomes_an_example_table(
    run: RunCommand, taxonomy: Taxonomy, tmp_path: Path, name: str, rows: int
) -> None:
    out = tmp_path / "new" / "examples.jsonl"
    ended = run("ingest", SAMPLES / name, "--out", out, "--json")
    examples, _ = read_examples(out, taxonomy, labelled=False)

    assert ended.code == 0
    assert ended.json["read"] == rows == len(examples)


def test_no_word_about_the_defect_reaches_the_table(run: RunCommand, tmp_path: Path) -> None:
    out = tmp_path / "examples.jsonl"
    run("ingest", SAMPLES / "cpsc_recalls.json", "--out", out)
    known = {"id", "date", "lang", "title", "brand", "category", "description", "captions", "labels", "source", "url"}

    assert all(set(json.loads(line)) <= known for line in out.read_text(encoding="utf-8").splitlines())


def test_a_table_keeps_its_levels(run: RunCommand, taxonomy: Taxonomy, tmp_path: Path) -> None:
    out = tmp_path / "examples.jsonl.gz"
    run("ingest", SAMPLES / "examples.csv", "--out", out)

    before, _ = read_examples(SAMPLES / "examples.csv", taxonomy)
    after, _ = read_examples(out, taxonomy)
    assert after == before
    assert gzip.decompress(out.read_bytes()).count(b"\n") == len(before)


def test_without_out_the_examples_go_to_stdout_and_the_report_to_stderr(run: RunCommand) -> None:
    ended = run("ingest", SAMPLES / "safety_gate_weekly_detail.xml")

    assert [json.loads(line)["id"] for line in ended.out.splitlines()]
    assert "5 read" in ended.err


def test_a_refused_row_is_told_with_its_place(run: RunCommand, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,title,labels\n1,Lamp,fire\n2,Bag\n", encoding="utf-8")
    ended = run("ingest", table, "--out", tmp_path / "o.jsonl")

    assert ended.code == 0
    assert "1 read, 1 refused" in ended.out
    assert f"{table}: line 3" in ended.out


def test_strict_stops_at_the_first_bad_row_and_writes_nothing(run: RunCommand, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,title,labels\n1,Lamp,fire\n2,Bag\n", encoding="utf-8")
    ended = run("ingest", table, "--out", tmp_path / "o.jsonl", "--strict")

    assert ended.code == 1
    assert "line 3" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@given(
    st.builds(
        Example,
        id=_WORDS.filter(bool),
        title=_WORDS,
        date=_WORDS,
        lang=_WORDS,
        brand=_WORDS,
        category=_WORDS,
        description=_WORDS,
        captions=st.lists(_WORDS.filter(bool), max_size=3).map(tuple),
        labels=st.none() | st.lists(st.sampled_from(_NAMES), max_size=3, unique=True).map(tuple),
        risk_level=st.none() | st.sampled_from(RiskLevel),
        weight=st.sampled_from([1.0, 0.5, 1.5]),
        source=_WORDS,
    )
)
def test_what_is_written_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, example: Example) -> None:
    path = tmp_path_factory.mktemp("line") / "one.jsonl"
    path.write_bytes(example_line(example))

    assert read_examples(path, load_taxonomy(), labelled=False)[0] == [example]


def test_a_corpus_is_deterministic_and_has_a_card(run: RunCommand, taxonomy: Taxonomy, tmp_path: Path) -> None:
    first, again, other = (tmp_path / f"{name}.jsonl" for name in ("first", "again", "other"))
    ended = run("corpus", "--out", first, "--size", 150, "--seed", 3, "--card", tmp_path / "card.md", "--json")
    run("corpus", "--out", again, "--size", 150, "--seed", 3)
    run("corpus", "--out", other, "--size", 150, "--seed", 4)
    examples, _ = read_examples(first, taxonomy)

    assert ended.json["listings"] == len(examples) == 150
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    assert (tmp_path / "card.md").read_text(encoding="utf-8").startswith("# ")


def test_decisions_of_reviewers_become_an_example_table(
    run: RunCommand, taxonomy: Taxonomy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, out = f"sqlite:///{tmp_path / 'h.db'}", tmp_path / "reviews.jsonl"
    engine = open_database(url)
    migrate(engine)
    desk = Desk(engine, now=datetime.now(UTC) - timedelta(hours=1))
    AssessmentStore(engine).save([answered("a"), answered("b", title="Block of wood")])
    desk.take(answered("a"), answered("b", title="Block of wood"))
    desk.decide("ada", ASK)
    desk.decide("ada", RELEASE)
    engine.dispose()

    told = run("ingest", "decisions", "--database", url, "--out", out, "--json").json
    examples, _ = read_examples(out, taxonomy, strict=True)
    assert (told["path"], told["format"], told["read"]) == ("decisions", "reviews", 2)
    assert [(example.id, example.labels) for example in examples] == [("a", ("burns",)), ("b", ())]
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", url)
    assert out.read_bytes().decode() == run("ingest", "decisions").out
    refused = run(
        "ingest", "decisions", "--database", f"sqlite:///{tmp_path / 'none.db'}", "--out", tmp_path / "x.jsonl"
    )
    assert (refused.code, "there is no such database" in refused.err) == (1, True)
    assert not (tmp_path / "x.jsonl").exists()

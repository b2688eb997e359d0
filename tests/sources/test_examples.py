from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import logging
import tempfile
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.risk import RiskLevel
from models.domain.taxonomy import load_taxonomy, parse_taxonomy
from models.sources.examples import COLUMNS, iter_examples, iter_ordinary, read_examples, read_ordinary

TAXONOMY = load_taxonomy()


def write(path: Path, examples: list[Example]) -> Path:
    rows = [
        {
            "id": e.id, "date": e.date, "lang": e.lang, "title": e.title, "brand": e.brand, "category": e.category,
            "description": e.description, "captions": list(e.captions), "labels": list(e.labels or ()),
            "risk_level": str(e.risk_level or ""),
            "sample_weight": "" if e.weight == 1 else str(e.weight), "source": e.source, "url": e.url,
        }
        for e in examples
    ]  # fmt: skip
    if path.suffix == ".parquet":
        lists = {"captions", "labels"}
        schema = pa.schema([(c, pa.list_(pa.string()) if c in lists else pa.string()) for c in COLUMNS])
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
        return path
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as stream:
        if "jsonl" in path.name:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            writer = csv.writer(stream, delimiter="\t" if "tsv" in path.name else ",")
            writer.writerow(COLUMNS)
            for row in rows:
                flat = {**row, "captions": " ; ".join(row["captions"]), "labels": ";".join(row["labels"])}
                writer.writerow([flat[c] for c in COLUMNS])
    return path


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters=";"), min_size=1, max_size=20)
EXAMPLES = st.builds(
    Example, id=WORDS, title=TEXT, date=TEXT, lang=TEXT, brand=TEXT, category=TEXT, description=TEXT, source=TEXT,
    captions=st.lists(WORDS, max_size=3).map(tuple),
    labels=st.lists(st.sampled_from(TAXONOMY.names), unique=True, max_size=4).map(tuple),
    risk_level=st.none() | st.sampled_from(list(RiskLevel)), weight=st.just(1.0) | st.floats(1e-6, 1_000),
)  # fmt: skip


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.jsonl", "t.jsonl.gz", "t.parquet"])
@settings(max_examples=40, deadline=None)
@given(examples=st.lists(EXAMPLES, max_size=5))
def test_a_table_written_and_read_gives_the_same_examples(name: str, examples: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / name, examples)
        found, report = read_examples(path, TAXONOMY, strict=True)
    assert found == examples
    assert (report.read, report.refused, report.repaired) == (len(examples), 0, 0)
    assert len(report.sha256) == 64


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "1e9", "much"])
def test_what_is_no_weight_is_refused_with_the_mend(tmp_path: Path, weight: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"id,title,labels,sample_weight\n1,Lamp,fire,{weight}\n2,Lamp,fire,2\n", encoding="utf-8")
    (kept,), report = read_examples(path, TAXONOMY)
    assert (kept.id, kept.weight) == ("2", 2.0)
    assert (report.refusals[0].column, "above 0" in report.refusals[0].hint) == ("sample_weight", True)


HEADER = "id,title,labels\n"


def test_a_bad_row_is_refused_and_the_next_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "1,a,fire\n2,b\n3,c,nonsenze\n4,d,\n", encoding="utf-8")
    # Whatever level a command of an earlier test has set for the project's own log.
    with caplog.at_level(logging.INFO, logger="models.sources.report"):
        examples, report = read_examples(path, TAXONOMY)
    assert [(e.id, e.labels) for e in examples] == [("1", ("fire",)), ("4", ())]
    assert [(r.line, r.column) for r in report.refusals] == [(3, ""), (4, "labels")]
    assert report.rows == 4
    assert "2 refused" in caplog.text
    assert "line 4: column 'labels'" in caplog.text


def test_a_quote_left_open_costs_its_own_row_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + '1,a,fire\n2,"b,fire\n3,c,cuts\n4,d,\n', encoding="utf-8")
    examples, report = read_examples(path, TAXONOMY)
    assert [e.id for e in examples] == ["1", "3", "4"]
    assert [r.line for r in report.refusals] == [3]


def test_a_file_of_bad_rows_only_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "1,a,x9\n2,b,y9\n", encoding="utf-8")
    with pytest.raises(InputError, match="all 2 rows were refused"):
        read_examples(path, TAXONOMY)


def test_unknown_labels_go_to_the_fallback_where_asked_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "1,a,fire;glare\n2,b,glare\n", encoding="utf-8")
    examples, report = read_examples(path, TAXONOMY, unknown="other")
    assert [e.labels for e in examples] == [("fire", "other"), ("other",)]
    assert report.unknown_labels == {"glare": 2}


def test_a_taxonomy_without_fallback_refuses_unknown_labels_always(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('id,title,labels\n1,a,"slips, trips and falls"\n2,b,glare\n', encoding="utf-8")
    own = parse_taxonomy({"risk_types": ["slips, trips and falls"]})
    examples, report = read_examples(path, own, unknown="other")
    assert examples[0].labels == ("slips, trips and falls",)
    assert [r.line for r in report.refusals] == [3]


def test_broken_bytes_a_bom_nul_bytes_and_crlf_survive(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    head = b"\xef\xbb\xbfID, Title ,labels\r\n"
    path.write_bytes(head + b"1,caf\xe9 \xff,fire\r\n2,a\x00b,fire\r\n3,ok\xef\xbf\xbd,fire\r\n")
    examples, report = read_examples(path, TAXONOMY, strict=True)
    assert [e.title for e in examples] == ["caf\ufffd \ufffd", "a b", "ok\ufffd"]
    assert (report.replaced_bytes, report.repaired) == (2, 2)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_spreadsheet_exports_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text('id;title;labels\r\n1;käse, jung;"fire;cuts"\r\n', encoding=encoding)
    examples, _ = read_examples(path, TAXONOMY, strict=True)
    assert (examples[0].title, examples[0].labels) == ("käse, jung", ("fire", "cuts"))


def test_a_cell_of_a_megabyte_is_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,title,labels,description\n1,a,fire," + "é" * 1_000_000 + "\n", encoding="utf-8")
    examples, _ = read_examples(path, TAXONOMY, strict=True)
    assert len(examples[0].description) == 1_000_000


def test_empty_titles_are_kept_and_a_missing_id_is_given(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + ",,fire\n", encoding="utf-8")
    examples, report = read_examples(path, TAXONOMY, strict=True)
    assert (examples[0].id, examples[0].title, report.repaired) == ("row-2", "", 1)


def test_lone_surrogates_in_json_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 7, "title": "a\\ud83d", "labels": ""}\n', encoding="utf-8")
    examples, report = read_examples(path, TAXONOMY)
    assert (examples[0].id, examples[0].title, report.repaired) == ("7", "a?", 1)


def test_what_states_the_defect_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    text = "id,title,labels,hazard_text,raw_labels,label_kind\n1,a,fire,SECRET,SECRET,SECRET\n"
    path.write_text(text, encoding="utf-8")
    examples, report = read_examples(path, TAXONOMY)
    assert "SECRET" not in repr(examples)
    assert report.ignored_columns == ["hazard_text", "raw_labels", "label_kind"]


def test_ordinary_listings_need_no_labels_and_have_none(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,source,lang,title,labels,price\nl1,shop,en,Tea towel,fire,3\n", encoding="utf-8")
    examples, report = read_ordinary(path, strict=True)
    assert examples == [Example("l1", "Tea towel", lang="en", source="shop", labels=None)]
    assert examples[0].labels is None
    assert "labels" in report.ignored_columns


def test_labels_are_optional_where_none_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "1", "title": "a"}\n\n{"id": "2", "title": "b", "labels": "Fire"}\n', encoding="utf-8")
    examples, _ = read_examples(path, TAXONOMY, labelled=False, strict=True)
    assert [e.labels for e in examples] == [None, ("fire",)]


def test_parquet_with_numbers_dates_dictionaries_and_broken_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({
        "ID": pa.array([41.0]), "title": pa.array(["a"]).dictionary_encode(), "date": [dt.date(2030, 1, 4)],
        "labels": ["fire; cuts"], "captions": [None], "image": [b"x" * 100],
        "description": pa.Array.from_buffers(pa.string(), 1, pa.array([b"caf\xe9"]).buffers()),
    })  # fmt: skip
    pq.write_table(table, path)
    examples, report = read_examples(path, TAXONOMY, strict=True)
    assert examples == [Example("41", "a", date="2030-01-04", labels=("fire", "cuts"), description="caf\ufffd")]
    assert report.replaced_bytes == 1
    assert report.ignored_columns == ["image"]


def test_a_gzip_that_breaks_off_says_so_after_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    rows = "".join(f"{i},title {i * 7919 % 10007},fire\n" for i in range(20_000))
    packed = gzip.compress((HEADER + rows).encode())
    path.write_bytes(packed[: len(packed) // 2])
    stream = iter_examples(path, TAXONOMY)
    assert next(stream).id == "0"
    with pytest.raises(InputError, match=r"line \d+: the file breaks off"):
        list(stream)


def test_a_long_table_streams_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8") as stream:
        stream.write("id,title\n")
        stream.writelines(f"{i},{'words ' * 30}{i}\n" for i in range(30_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in iter_ordinary(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30_000
    assert peak < path.stat().st_size / 2


def test_the_sample_holds_every_risk_type_and_level(samples: Path) -> None:
    examples, report = read_examples(samples / "examples.csv", TAXONOMY, strict=True)
    assert {label for e in examples for label in e.labels or ()} == set(TAXONOMY.names)
    assert {e.risk_level for e in examples} == set(RiskLevel)
    assert report.repaired == 0
    lines, _ = read_examples(samples / "examples.jsonl", TAXONOMY, strict=True)
    assert all(example in examples for example in lines)


def test_the_report_is_plain_values(samples: Path) -> None:
    _, report = read_examples(samples / "examples.csv", TAXONOMY)
    assert json.loads(json.dumps(report.as_dict()))["read"] == report.read

"""Uploads of jobs: rows in order, from any row on, each judged on its own; files as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.api.intake import Refusal
from serving.api.problems import ProblemError
from serving.jobs.inputs import LONGEST_LINE, Bounds, InputRow, count_rows, read_rows
from serving.pictures.offered import Hosts, Offered, PictureRules
from serving.store.jobs import InputFormat

AMPLE = Bounds(rows=1_000_000, unpacked=1_000_000_000)
ROWS: list[dict[str, Any]] = [
    {"id": "1", "title": "Laser pointer", "captions": ["green beam"], "attributes": {"power": "5 mW"}},
    {"id": "2", "title": "Bóia 👶", "description": "דוב", "target_countries": ["DE", "FR"]},
    {"id": "3", "title": ""},
]
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("description", pa.string()),
        ("captions", pa.list_(pa.string())),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("target_countries", pa.list_(pa.string())),
    ]
)


def written(path: Path, kind: str, rows: Sequence[dict[str, Any]] = ROWS, batch: int = 2) -> Path:
    if kind == "jsonl":
        path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        return path
    table = pa.Table.from_pylist(
        [{**row, "attributes": list(row.get("attributes", {}).items()) or None} for row in rows], schema=SCHEMA
    )
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=batch)
        return path
    opened = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    with opened(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=batch)
    return path


KINDS: list[tuple[str, InputFormat]] = [
    ("jsonl", "jsonl"), ("stream", "arrow"), ("file", "arrow"), ("parquet", "parquet"),
]  # fmt: skip


@pytest.mark.parametrize(("written_as", "kind"), KINDS)
def test_every_format_gives_the_same_listings(tmp_path: Path, written_as: str, kind: InputFormat) -> None:
    path = written(tmp_path / "f", written_as)
    assert count_rows(path, kind, AMPLE) == 3
    assert [row.given for row in read_rows(path, kind, "/j")] == [Listing.model_validate(row) for row in ROWS]


@pytest.mark.parametrize(("written_as", "kind"), KINDS)
@pytest.mark.parametrize("done", [0, 1, 2, 3, 300, 700])
def test_reading_goes_on_after_any_row(tmp_path: Path, written_as: str, kind: InputFormat, done: int) -> None:
    rows = [{"id": str(i), "title": "x" * (i % 7)} for i in range(700 if done > 3 else 3)]
    path = written(tmp_path / "f", written_as, rows, batch=290)
    read = list(read_rows(path, kind, "/j"))
    position = read[done - 1].position if done else 0
    assert list(read_rows(path, kind, "/j", done, position)) == read[done:]


JSON_LINES = st.lists(
    st.one_of(
        st.builds(lambda i: json.dumps({"id": str(i), "title": "t"}).encode(), st.integers()),
        st.binary(max_size=12).filter(lambda line: line.strip(b"\xef\xbb\xbf \t\r\v\f") and b"\n" not in line),
        st.sampled_from([b"{", b"[]", b"null", b'"\\ud800"', b'{"id": "x", "title": "\\ud800"}']),
    ),
    max_size=12,
)


@given(JSON_LINES, st.data())
def test_each_line_is_a_row_whatever_it_holds(lines: list[bytes], data: st.DataObject) -> None:
    ends = data.draw(st.lists(st.sampled_from([b"\n", b"\r\n", b"\n\n  \n"]), min_size=len(lines), max_size=len(lines)))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "f"
        path.write_bytes(b"".join(line + end for line, end in zip(lines, ends, strict=True)))
        rows = list(read_rows(path, "jsonl", "/j"))
        assert len(rows) == len(lines) == count_rows(path, "jsonl", AMPLE)
        for index, row in enumerate(rows):
            if isinstance(row.given, Refusal):
                assert row.given.problem.instance == f"/j#/listings/{index}"
        after = data.draw(st.integers(0, len(rows)))
        position = rows[after - 1].position if after else 0
        assert list(read_rows(path, "jsonl", "/j", after, position)) == rows[after:]


def problem_of(row: InputRow) -> Any:
    assert isinstance(row.given, Refusal)
    return row.given.problem


def test_a_bad_row_says_what_is_wrong_and_loses_no_other(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": "1", "title": "a"}\n{"id": "2", "titel": "b"}\n{"id": \n{"id": "4", "title": "d"}'
    )
    first, second, third, fourth = read_rows(path, "jsonl", "/v1/jobs/7")
    assert (first.given, fourth.given) == (Listing(id="1", title="a"), Listing(id="4", title="d"))
    assert [error.hint for error in problem_of(second).errors if error.field == "titel"] == ["did you mean 'title'?"]
    assert problem_of(second).instance == "/v1/jobs/7#/listings/1"
    assert "line 1, column" in problem_of(third).detail


def test_pictures_come_as_a_column_too(tmp_path: Path) -> None:
    image = {"url": "https://img.shop.example/1.jpg", "alt": "front"}
    rows = [{"id": "1", "title": "a", "images": [image]}, {"id": "2", "title": "b", "images": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "f")
    rules = PictureRules(hosts=Hosts(("img.shop.example",)))
    first, second = read_rows(tmp_path / "f", "parquet", "/j", rules=rules)
    assert first.pictures == (Offered(url=image["url"], alt="front"),)
    assert (second.given, second.pictures) == (Listing(id="2", title="b"), ())


def test_a_line_without_end_is_not_held_in_memory_and_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b'{"id": "1", "title": "' + b"x" * (LONGEST_LINE + 3_000_000) + b'"}\n{"id": "2", "title": "b"}\n')
    long, short = read_rows(path, "jsonl", "/j")
    assert f"{LONGEST_LINE:,} bytes" in problem_of(long).detail
    assert short.given == Listing(id="2", title="b")


@pytest.mark.parametrize("written_as", ["stream", "file", "parquet"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.98])
def test_a_table_that_breaks_off_is_refused(tmp_path: Path, written_as: str, share: float) -> None:
    kind: InputFormat = "parquet" if written_as == "parquet" else "arrow"
    data = written(tmp_path / "f", written_as, ROWS * 50, batch=20).read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="is not readable as"):
        count_rows(tmp_path / "cut", kind, AMPLE)


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_bytes_that_are_no_table_are_refused(tmp_path: Path, kind: InputFormat) -> None:
    (tmp_path / "f").write_bytes(b'{"id": "1"}' * 100)
    with pytest.raises(InputError, match="is not readable as"):
        count_rows(tmp_path / "f", kind, AMPLE)


def test_texts_that_are_no_text_make_an_arrow_stream_damaged(tmp_path: Path) -> None:
    broken = pa.array([b"a", b"\xff"], pa.binary()).view(pa.string())
    batch = pa.record_batch([broken, broken], ["id", "title"])
    with pa.ipc.new_stream(tmp_path / "f", batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(InputError, match=r"record batch 0: is damaged: .*UTF8"):
        count_rows(tmp_path / "f", "arrow", AMPLE)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["id", "title", "descripton"], "descripton: is not a known field .did you mean 'description'"),
        (["id"], "title: is missing"),
        (["id", "title", "title"], "title: stands twice"),
    ],
)
def test_a_table_with_other_columns_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    batch = pa.record_batch([pa.array(["x"])] * len(names), names)
    with pa.ipc.new_stream(tmp_path / "f", batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(InputError, match=said):
        count_rows(tmp_path / "f", "arrow", AMPLE)


def test_a_cell_of_another_type_costs_one_row(tmp_path: Path) -> None:
    table = pa.table({"id": ["1", "2"], "title": ["a", None], "price": pa.array([None, 2.5])})
    pq.write_table(table, tmp_path / "f")
    first, second = read_rows(tmp_path / "f", "parquet", "/j")
    assert first.given == Listing(id="1", title="a")
    assert {error.field: error.message for error in problem_of(second).errors} == {
        "title": "is missing",
        "price": "is no text",
    }


@pytest.mark.parametrize(("written_as", "kind"), KINDS)
def test_a_job_has_as_many_rows_as_are_allowed(tmp_path: Path, written_as: str, kind: InputFormat) -> None:
    path = written(tmp_path / "f", written_as, ROWS * 4)
    assert count_rows(path, kind, Bounds(12, 1_000_000)) == 12
    with pytest.raises(ProblemError, match="at most 11 listings"):
        count_rows(path, kind, Bounds(11, 1_000_000))


def repeating(path: Path, written_as: str) -> Path:
    """Write 2,000 rows with one text of a megabyte: a file of some kilobytes that stands for two gigabytes."""
    text = pa.array(["x" * 1_000_000])
    title = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), text)
    table = pa.table({"id": [str(i) for i in range(2_000)], "title": title})
    if written_as == "parquet":
        pq.write_table(table, path, compression="zstd", store_schema=False)
        return path
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(path, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=100)
    return path


@pytest.mark.parametrize("written_as", ["stream", "parquet"])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path: Path, written_as: str) -> None:
    kind: InputFormat = "parquet" if written_as == "parquet" else "arrow"
    path = repeating(tmp_path / "f", written_as)
    assert path.stat().st_size < 100_000
    before = pa.default_memory_pool().bytes_allocated()
    with pytest.raises(ProblemError, match="Unpacked, the listings have more than the 100,000,000 bytes"):
        count_rows(path, kind, Bounds(1_000_000, 100_000_000))
    assert pa.default_memory_pool().bytes_allocated() - before < 100_000_000


def test_a_row_of_a_dictionary_has_the_size_of_its_text(tmp_path: Path) -> None:
    path = repeating(tmp_path / "f", "parquet")
    row = next(read_rows(path, "parquet", "/j"))
    assert 1_000_000 < row.size < 1_100_000

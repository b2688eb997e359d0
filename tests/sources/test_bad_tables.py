from __future__ import annotations

from pathlib import Path

import pytest

from models.domain.errors import InputError
from models.domain.taxonomy import load_taxonomy
from models.sources.examples import read_examples

TAXONOMY = load_taxonomy()
HEADER = "id,title,labels\n"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["t.csv", "empty"]),
        ("id,titel,labels\n1,a,fire\n", ["t.csv: line 1: column 'title'", "missing", "did you mean 'titel'"]),
        ("id,title\n1,a\n", ["line 1: column 'labels'", "missing", "columns found: id, title"]),
        ("id,title,labels,labels\n1,a,fire,fire\n", ["line 1", "'labels'", "twice"]),
        (HEADER + "1,a,strangullation\n", ["line 2: column 'labels'", "'strangullation'", "mean 'strangulation'"]),
        (HEADER + '1,a,fire\n2,"b\nc",qzx\n', ["line 3: column 'labels'", "'qzx'", "electric shock"]),
        (HEADER + "1,a\n", ["line 2", "2 cells", "3 columns"]),
        (HEADER + "1,a,fire,b,c\n", ["line 2", "5 cells", "quote"]),
        (HEADER + '1,"a,fire\n2,b,fire\n', ["line 2", "never closed"]),
        ("id,title,labels,risk_level\n1,a,fire,sereous\n", ["line 2: column 'risk_level'", "'sereous'", "'serious'"]),
    ],
)
def test_a_bad_csv_names_file_line_column_and_mend(tmp_path: Path, content: str, parts: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_examples(path, TAXONOMY, strict=True)
    for part in parts:
        assert part in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("{", ["line 1", "not readable as JSON", "one complete JSON object"]),
        ("[1]", ["line 1", "JSON list", "object"]),
        ('{"id": "1", "labels": []}', ["line 1: column 'title'", "missing"]),
        ('{"id": "1", "title": "a"}', ["line 1: column 'labels'", "missing"]),
        ('{"id": "1", "title": "a", "labels": null}', ["line 1: column 'labels'", "null", "empty text or list"]),
        ('{"id": "1", "title": "a", "labels": 7}', ["column 'labels'", "neither text nor a list"]),
        ('{"id": "1", "title": "a", "labels": ["burnz"]}', ["column 'labels'", "did you mean 'burns'"]),
        ("[" * 100_000, ["line 1", "JSON"]),
        ('{"id": ' + "9" * 5_000 + "}", ["line 1", "JSON"]),
    ],
)
def test_a_bad_json_line_names_line_column_and_mend(tmp_path: Path, line: str, parts: list[str]) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_examples(path, TAXONOMY, strict=True)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("t.xlsx", b"PK\x03\x04rest", ["Excel", "CSV"]),
        ("t.parquet", b"no parquet", ["not", "Parquet"]),
        ("t.parquet", b"PAR1 broken", ["not readable as Parquet"]),
        ("t.doc", b"words", ["'.doc'", ".jsonl", ".parquet"]),
        ("t.csv.gz", b"\x1f\x8b\x08broken", ["gzip"]),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_known_formats(
    tmp_path: Path, name: str, content: bytes, parts: list[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_examples(tmp_path / name, TAXONOMY)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["absent.csv", "."])
def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"no such file|cannot be read"):
        read_examples(tmp_path / name, TAXONOMY)

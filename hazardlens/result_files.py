"""Files of results: JSON lines, CSV or Parquet, written beside their name and renamed when they are whole."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import orjson

from hazardlens.result_rows import COLUMNS, Result
from models.domain.errors import InputError
from models.domain.risk import RiskLevel

Write = Callable[[Sequence[Result]], None]
_OBJECTS = ("hazards", "level_probabilities", "abstains", "notes")


@contextmanager
def result_file(path: Path, hazards: Sequence[str]) -> Iterator[Write]:
    """Open a file of results; yields a function that appends some.

    The rows go to ``NAME.PID.part``. It takes the file's name when the block ends well, and is removed when it does
    not: a file of that name is always whole.

    Parameters
    ----------
    path : Path
        Ends in one of `endings`.
    hazards : sequence of str
        Names of the risk types, the keys of `hazards`.

    Raises
    ------
    InputError
        If the ending is not known.
    """
    opener = _opener(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        with opener(part, hazards) as write:
            yield write
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Return the name under which a file is written until it is whole."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def endings() -> str:
    """Return the known endings, for messages."""
    return ", ".join(_OPENERS)


def check_ending(path: Path) -> None:
    """Raise `InputError` if results cannot be written under that name."""
    _opener(path)


@contextmanager
def text_lines(path: Path, *, packed: bool) -> Iterator[IO[bytes]]:
    """Open a file for lines of bytes, plain or as gzip; equal lines give equal bytes."""
    with path.open("wb") as plain:
        if not packed:
            yield plain
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) as stream:
            yield cast("IO[bytes]", stream)


@contextmanager
def _json_lines(part: Path, hazards: Sequence[str]) -> Iterator[Write]:
    with text_lines(part, packed=False) as stream:
        yield lambda rows: stream.writelines(map(json_line, rows))


@contextmanager
def _packed_json_lines(part: Path, hazards: Sequence[str]) -> Iterator[Write]:
    with text_lines(part, packed=True) as stream:
        yield lambda rows: stream.writelines(map(json_line, rows))


def json_line(row: Any) -> bytes:
    """Return a row as one line of JSON."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def _csv(part: Path, hazards: Sequence[str]) -> Iterator[Write]:
    with part.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        table.writeheader()
        yield lambda rows: table.writerows(map(_cells, rows))


def _cells(row: Result) -> dict[str, Any]:
    objects = {name: orjson.dumps(row[name]).decode() for name in _OBJECTS if row[name] is not None}
    return {**row, **objects}


@contextmanager
def _parquet(part: Path, hazards: Sequence[str]) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def figures(names: Sequence[str]) -> Any:
        return pa.struct([(name, pa.float64()) for name in names])

    types = {
        "hazards": figures(hazards),
        "risk_score": pa.float64(),
        "level_probabilities": figures([level.value for level in RiskLevel]),
        "abstains": pa.list_(pa.string()),
        "notes": pa.list_(pa.string()),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    with pq.ParquetWriter(part, schema) as table:
        yield lambda rows: table.write_table(pa.Table.from_pylist(list(rows), schema=schema))


_OPENERS: dict[str, Callable[[Path, Sequence[str]], AbstractContextManager[Write]]] = {
    ".jsonl": _json_lines,
    ".jsonl.gz": _packed_json_lines,
    ".csv": _csv,
    ".parquet": _parquet,
}


def _opener(path: Path) -> Callable[[Path, Sequence[str]], AbstractContextManager[Write]]:
    for ending, opener in _OPENERS.items():
        if path.name.lower().endswith(ending):
            return opener
    raise InputError("results cannot be written under this name", place=str(path), hint=f"end it in {endings()}")

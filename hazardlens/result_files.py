"""Files of results: JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from hazardlens.result_rows import COLUMNS, Result
from hazardlens.whole_files import byte_lines, written_whole
from models.domain.errors import InputError
from models.domain.risk import RiskLevel

Write = Callable[[Sequence[Result]], None]
Opener = Callable[[Path, Sequence[str]], AbstractContextManager[Write]]
_OBJECTS = ("hazards", "level_probabilities", "abstains", "notes")


@contextmanager
def result_file(path: Path, hazards: Sequence[str]) -> Iterator[Write]:
    """Open a file of results; yields a function that appends some. Until the block ends the name ends in ``.part``.

    Parameters
    ----------
    path : Path
        Its ending gives the format; see `check_ending`.
    hazards : sequence of str
        Names of the risk types, the keys of `hazards`.

    Raises
    ------
    InputError
        If the ending is not known.
    """
    opener = _opener(path)
    with written_whole(path) as part, opener(part, hazards) as write:
        yield write


def check_ending(path: Path) -> None:
    """Raise `InputError` if results cannot be written under that name."""
    _opener(path)


@contextmanager
def _json_lines(part: Path, _: Sequence[str], *, packed: bool) -> Iterator[Write]:
    with byte_lines(part, packed=packed) as stream:
        yield lambda rows: stream.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


@contextmanager
def _csv(part: Path, _: Sequence[str]) -> Iterator[Write]:
    with part.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        table.writeheader()
        yield lambda rows: table.writerows(map(_cells, rows))


def _cells(row: Result) -> Result:
    return {**row, **{name: orjson.dumps(row[name]).decode() for name in _OBJECTS if row[name] is not None}}


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


_OPENERS: dict[str, Opener] = {
    ".jsonl": partial(_json_lines, packed=False),
    ".jsonl.gz": partial(_json_lines, packed=True),
    ".csv": _csv,
    ".parquet": _parquet,
}


def _opener(path: Path) -> Opener:
    for ending, opener in _OPENERS.items():
        if path.name.lower().endswith(ending):
            return opener
    hint = f"end it in {', '.join(_OPENERS)}"
    raise InputError("results cannot be written under this name", place=str(path), hint=hint)

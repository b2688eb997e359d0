"""Tables as rows of cells, whatever the file: CSV, TSV, JSON lines or Parquet, plain or gzip."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.domain.errors import InputError
from models.sources.files import TextLines, base_suffix, first_bytes, parse_json
from models.sources.rows import Row, fold_column, refuse_repeated

MAX_CELL = 16 * 1024 * 1024
"""Longest cell of a CSV file, in code points. One beyond it is almost surely a quote that was never closed."""

TABLE_FORMATS = "CSV (.csv), TSV (.tsv), JSON lines (.jsonl, .ndjson), each also as .gz, and Parquet (.parquet)"
_SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True)
class Table:
    """An open table.

    Parameters
    ----------
    format : str
        ``csv``, ``tsv``, ``jsonl`` or ``parquet``.
    columns : tuple of str or None
        Lower-case column names; None for JSON lines, where every row has its own.
    """

    format: str
    columns: tuple[str, ...] | None
    rows: Iterator[Row]
    unit: str = "line"


def table_format(path: Path) -> str:
    """Return ``csv``, ``tsv``, ``jsonl`` or ``parquet``, from the content where it is plain and else from the name.

    Raises
    ------
    InputError
        If it is none of them; the message lists the known formats.
    """
    head = first_bytes(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    suffix = base_suffix(path)
    if head.startswith(b"PK\x03\x04"):
        raise InputError(
            "a zip archive or Excel workbook, not a table",
            place=str(path),
            hint=f"unpack it or save it as CSV; known formats: {TABLE_FORMATS}",
        )
    known = _SUFFIXES.get(suffix)
    if known is None and head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        known = "jsonl"
    if known is None:
        raise InputError(
            f"no table format has the ending {suffix!r}", place=str(path), hint=f"known formats: {TABLE_FORMATS}"
        )
    if not head.strip() and known != "jsonl":  # no line is a table of no rows; no header is none at all
        raise InputError("the file is empty", place=str(path), hint="a table needs at least a header")
    if known == "parquet":
        raise InputError("named like Parquet, but its content is not", place=str(path), hint="write it again")
    return known


@contextmanager
def open_table(path: Path, wanted: Iterable[str]) -> Iterator[Table]:
    """Open a table for one pass over its rows.

    Parameters
    ----------
    path : Path
        The file.
    wanted : iterable of str
        Columns of interest: they choose the delimiter of a CSV file, and Parquet reads no others.

    Raises
    ------
    InputError
        If the file is of no known format, is empty or damaged, or its header repeats a wanted column.
    """
    kind = table_format(path)
    names = frozenset(wanted)
    if kind == "parquet":
        from models.sources.parquet_rows import open_parquet  # pyarrow takes 0.1 s to load, which CSV need not pay

        columns, rows = open_parquet(path, names)
        yield Table(kind, columns, rows, unit="row")
        return
    lines = TextLines(path, newline="\n" if kind == "jsonl" else "")
    try:
        if kind == "jsonl":
            yield Table(kind, None, _json_rows(lines))
        else:
            columns, rows = _delimited(lines, kind, names)
            yield Table(kind, columns, rows)
    finally:
        lines.close()


class _CsvLines:
    """Feeds the CSV parser and remembers the lines of the row in progress, to hand them out again."""

    def __init__(self, lines: TextLines) -> None:
        self.source = lines
        self.line = 0
        self.exhausted = False
        self.record: list[str] = []
        self.waiting: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.waiting:
            line = self.waiting.pop()
        else:
            try:
                line = next(self.source)
            except StopIteration:
                self.exhausted = True
                raise
        self.line += 1
        self.record.append(line)
        return line

    def begin(self) -> int:
        """Start a new row and return its line."""
        self.record = []
        self.exhausted = False
        return self.line + 1

    def rewind(self) -> None:
        """Hand out again all but the first line of the row in progress."""
        self.waiting.extend(reversed(self.record[1:]))
        self.line -= len(self.record) - 1


def _delimited(lines: TextLines, kind: str, wanted: frozenset[str]) -> tuple[tuple[str, ...], Iterator[Row]]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
    feed = _CsvLines(lines)
    header_line = next((line for line in feed if line.strip()), "")
    delimiter = (
        "\t"
        if kind == "tsv"
        else max(
            ",;\t", key=lambda d: sum(fold_column(name.strip('"')) in wanted for name in header_line.strip().split(d))
        )
    )
    columns = tuple(fold_column(name) for name in next(csv.reader([header_line], delimiter=delimiter), []))
    refuse_repeated(columns, wanted, f"{lines.path}: line {feed.line}")
    return columns, _delimited_rows(feed, columns, delimiter)


def _delimited_rows(feed: _CsvLines, columns: tuple[str, ...], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        start = feed.begin()
        replaced = feed.source.replaced
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(start, error=f"not readable as CSV: {error}", hint="is a quote left open?")
            feed.rewind()
            continue
        if feed.exhausted and feed.record:
            # The parser asked for more in the middle of a row: a quote was opened and never closed.
            yield Row(
                start, error="a quote is opened and never closed", hint='close it, or write a quote inside a cell as ""'
            )
            feed.rewind()
            continue
        if not cells:
            continue
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        if len(cells) != len(columns):
            until = f" (to line {feed.line})" if feed.line > start else ""
            yield Row(
                start,
                error=f"{len(cells)} cells{until}, but the header has {len(columns)} columns",
                hint="quote cells that hold the delimiter, a quote or a line end",
            )
            continue
        yield Row(start, dict(zip(columns, cells, strict=True)), feed.source.replaced - replaced)


def _json_rows(lines: TextLines) -> Iterator[Row]:
    replaced = 0
    for line in lines:
        if not line.strip():
            continue
        broken, replaced = lines.replaced - replaced, lines.replaced
        try:
            value = parse_json(line)
        except ValueError as error:
            yield Row(lines.number, error=f"not readable as JSON: {error}", hint="one complete JSON object a line")
            continue
        if isinstance(value, dict):
            yield Row(lines.number, {fold_column(key): cell for key, cell in value.items()}, broken)
        else:
            yield Row(
                lines.number,
                error=f"a JSON {type(value).__name__}, not an object",
                hint='one JSON object a line: {"id": ..., "title": ...}',
            )

"""Reads the input of a job: JSON Lines, Arrow or Parquet, row by row, from any row on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.api.body import parse_json
from serving.api.intake import Refusal, read_listing, refusal_of
from serving.api.pictured import Given, given_of
from serving.api.problems import (
    BODY_TOO_LARGE,
    ROW_TOO_LONG,
    TOO_MANY_LISTINGS,
    FieldError,
    ProblemError,
    problem,
    shortened,
)
from serving.pictures.offered import Offered, PictureRules, with_images_removed
from serving.store.jobs import InputFormat

LONGEST_LINE = 20_000_000
"""Bytes of a line; a listing at all of its limits is a fifth of it, the rest is for pictures in base64."""
_ROWS = 256
_HELD = 16_000_000
"""Bytes of rows that are Python values at a time, unless a single row has more."""
_SEVERAL = "send the listings in several jobs"
_SKIP = 1 << 20
_BOM = b"\xef\xbb\xbf"
_ARROW_FILE = b"ARROW1\0\0"


@dataclass(frozen=True)
class InputRow:
    """A row of the input.

    Parameters
    ----------
    given : Listing or Refusal
    pictures : tuple of Offered
    position : int
        Where the next row of JSON Lines begins, in bytes; 0 for other formats.
    size : int
        Bytes of the row, roughly; they bound how many are held at a time.
    """

    given: Listing | Refusal
    position: int
    size: int = field(compare=False)
    pictures: tuple[Offered, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """How much an upload may hold.

    Parameters
    ----------
    rows : int
    unpacked : int
        Bytes of all cells. A few kilobytes of Arrow or Parquet can stand for many gigabytes.
    """

    rows: int
    unpacked: int

    def check(self, rows: int, unpacked: int) -> None:
        """Raise a `ProblemError` with status 413 for more than that."""
        if rows > self.rows:
            raise ProblemError(TOO_MANY_LISTINGS, f"A job takes at most {self.rows:,} listings; {_SEVERAL}.")
        if unpacked > self.unpacked:
            detail = f"Unpacked, the listings have more than the {self.unpacked:,} bytes that are read; {_SEVERAL}."
            raise ProblemError(BODY_TOO_LARGE, detail)


def count_rows(path: Path, kind: InputFormat, bounds: Bounds) -> int:
    """Return the number of rows, having read all of the file once, or as much of it as is allowed.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: it breaks off, is of another kind, or has other columns than a listing.
    ProblemError
        413 if it holds more than the bounds.
    """
    total = unpacked = 0
    if kind == "jsonl":
        for total, _ in enumerate(_lines(path, 0), start=1):
            bounds.check(total, 0)  # its bytes are those of the upload
        return total
    if kind == "parquet":
        bounds.check(*_announced(path))
    for number, batch in enumerate(_batches(path, kind)):
        try:
            batch.validate(full=True)  # offsets and texts of an upload are not to be trusted
        except ValueError as error:
            raise InputError(
                f"is damaged: {error}", place=f"record batch {number}", hint="write the file again"
            ) from error
        total += batch.num_rows
        unpacked += _unpacked(batch)
        bounds.check(total, unpacked)
    return total


def read_rows(
    path: Path,
    kind: InputFormat,
    instance: str,
    done: int = 0,
    position: int = 0,
    rules: PictureRules | None = None,
) -> Iterator[InputRow]:
    """Yield the rows after the first `done`, each judged on its own.

    Parameters
    ----------
    instance : str
        Path of the job, for the problems of rows.
    position : int
        Of the last row that is done.
    rules : PictureRules, optional
        What pictures are taken; without, rows that have some are refused.
    """
    if kind == "jsonl":
        for index, (line, after) in enumerate(_lines(path, position), start=done):
            given = _of_line(line, index, instance, rules)
            yield InputRow(given.listing, after, len(line or b""), given.pictures)
        return
    index = 0
    for batch in _batches(path, kind):
        if index + batch.num_rows <= done:
            index += batch.num_rows
            continue
        first = max(0, done - index)
        index += first
        for start in range(first, batch.num_rows, _ROWS):
            part = batch.slice(start, _ROWS)
            size = _unpacked(part) // max(1, part.num_rows)
            for record in _records(part, alone=size * part.num_rows > _HELD):
                given = _given(_plain(record), index, instance, rules)
                yield InputRow(given.listing, 0, size, given.pictures)
                index += 1


def _records(part: Any, alone: bool) -> Iterator[Any]:
    """Yield the rows as Python values, all made at once or each alone."""
    for start in range(0, part.num_rows, 1 if alone else _ROWS):
        yield from part.slice(start, 1 if alone else _ROWS).to_pylist()


def _of_line(line: bytes | None, index: int, instance: str, rules: PictureRules | None) -> Given:
    place = f"{instance}#/listings/{index}"
    if line is None:
        detail = f"The line has more than {LONGEST_LINE:,} bytes; cut it."
        return Given(Refusal(None, problem(ROW_TOO_LONG, detail, place)))
    try:
        return _given(parse_json(line), index, instance, rules)
    except ProblemError as error:
        return Given(Refusal(None, error.at(place)))


def _given(raw: object, index: int, instance: str, rules: PictureRules | None) -> Given:
    if rules is not None:
        return given_of(raw, index, {}, rules, instance)
    plain, images = with_images_removed(raw)
    if images is None:
        return Given(read_listing(plain, index, instance))
    found = f"{len(images)} pictures" if isinstance(images, list) else shortened(images)
    mend = "submit the job with store=true, or leave the pictures out"
    error = FieldError(
        field="images", value=found, message="cannot be read later by a job that stores nothing", hint=mend
    )
    return Given(refusal_of(plain, [error], index, instance))


def _lines(path: Path, position: int) -> Iterator[tuple[bytes | None, int]]:
    """Yield (line, where the next begins); None for a line that is too long. Blank lines are passed over."""
    with path.open("rb") as file:
        if position == 0 and file.read(len(_BOM)) == _BOM:
            position = len(_BOM)
        file.seek(position)
        while line := file.readline(LONGEST_LINE + 1):
            position += len(line)
            if len(line) > LONGEST_LINE:
                while line and not line.endswith(b"\n"):
                    line = file.readline(_SKIP)
                    position += len(line)
                yield None, position
            elif text := line.strip():
                yield text, position


def _batches(path: Path, kind: InputFormat) -> Iterator[Any]:
    """Yield the record batches of an Arrow stream, an Arrow file or a Parquet file."""
    with _readable(kind):
        for number, batch in enumerate(_parquet(path) if kind == "parquet" else _arrow(path)):
            if number == 0:
                _check_columns(batch.schema.names)
            yield batch


@contextmanager
def _readable(kind: InputFormat) -> Iterator[None]:
    """Turn what the reader says of a file into an `InputError`."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        name = {"arrow": "an Arrow stream", "parquet": "Parquet"}[kind]
        raise InputError(f"is not readable as {name}: {error}", place="the body", hint="send it again whole") from error


def _arrow(path: Path) -> Iterator[Any]:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        if source.read(len(_ARROW_FILE)) == _ARROW_FILE:
            reader = pa.ipc.open_file(source)
            yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
        else:
            source.seek(0)
            yield from pa.ipc.open_stream(source)


def _parquet(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        texts = [column.name for column in file.schema_arrow if pa.types.is_string(column.type)]
    # As a dictionary, a long text that every row repeats stands in memory once.
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        yield from file.iter_batches(batch_size=_ROWS)


def _announced(path: Path) -> tuple[int, int]:
    """Return rows and unpacked bytes of a Parquet file, as it says itself."""
    import pyarrow.parquet as pq

    with _readable("parquet"), pq.ParquetFile(path) as file:
        facts = file.metadata
        return facts.num_rows, sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))


def _unpacked(batch: Any) -> int:
    """Return the bytes of all cells, those of a dictionary as often as they stand in a row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column in batch.columns:
        kind = column.type
        if not pa.types.is_dictionary(kind) or not (
            pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
        ):
            total += column.nbytes
            continue
        lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
        total += column.indices.nbytes + (pc.sum(lengths.cast(pa.int64())).as_py() or 0)
    return total


def _check_columns(names: list[str]) -> None:
    known = [*Listing.model_fields, "images"]
    hint = f"known are {', '.join(known)}"
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise InputError("is not a known field", place=name, hint=f"did you mean {close[0]!r}?" if close else hint)
        if names.count(name) > 1:
            raise InputError("stands twice", place=name, hint="give each column once")
    for name in ("id", "title"):
        if name not in names:
            raise InputError("is missing", place=name, hint="add the column")


def _plain(value: Any) -> Any:
    """Return a value as JSON would give it: columns that are null are absent, maps are objects."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):
            return {name: _plain(item) for name, item in value if item is not None}
        return [_plain(item) for item in value]
    return value

"""What is replayed: kept assessments with their listings, from a file, in shards that several processes read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import orjson

from models.domain.errors import InputError

_ENDINGS = (".jsonl", ".jsonl.gz", ".ndjson")
_LEAST_SHARD = 4_000_000
"""Bytes below which another shard is not worth its process."""


class Record(NamedTuple):
    """One kept assessment.

    Parameters
    ----------
    day : str
        Day it was made (ISO 8601), empty where unknown.
    assessment : mapping
        As JSON gives it, its decision included.
    candidate : mapping or None
        What a candidate model found in the same listing; None replays `assessment` itself.
    circumstances : mapping
        What the decision knew beyond the listing; keys of `models.plan.facts.Circumstances`.
    """

    day: str
    listing: Mapping[str, Any]
    assessment: Mapping[str, Any]
    candidate: Mapping[str, Any] | None = None
    circumstances: Mapping[str, Any] = {}


class Unreadable(NamedTuple):
    """A record that could not be read, with its place."""

    place: str
    message: str


class Shard(Protocol):
    """A part of the history. It is sent to another process, so it holds places, not records."""

    def records(self) -> Iterator[Record | Unreadable]:
        """Yield the records of this part, in order."""
        ...


@dataclass(frozen=True)
class FileShard:
    """Lines of a JSON-lines file that begin within a range of bytes; the whole of a ``.gz`` file."""

    path: Path
    start: int = 0
    end: int | None = None

    def records(self) -> Iterator[Record | Unreadable]:
        """Yield one record a line; blank lines are passed over."""
        with closing(_opened(self.path)) as file:
            place = self.start
            if place:
                file.seek(place - 1)
                place += len(file.readline()) - 1  # the line that the shard before began
            for line in file:
                if self.end is not None and place >= self.end:
                    return
                if line.strip():
                    yield read_record(line, f"{self.path}, byte {place:,}")
                place += len(line)


def file_shards(path: Path, parts: int) -> list[FileShard]:
    """Cut a file of kept assessments into at most `parts` shards.

    Parameters
    ----------
    path : Path
        JSON lines (``.jsonl``, ``.jsonl.gz``), one object a line with `listing` and `assessment`, as
        ``GET /v1/assessments/{id}`` answers.

    Raises
    ------
    InputError
        If there is no such file, or its name ends otherwise.
    """
    if not path.name.endswith(_ENDINGS):
        hint = "give .jsonl or .jsonl.gz, one object a line with listing and assessment"
        raise InputError("is no file of kept assessments", place=str(path), hint=hint)
    if not path.is_file():
        raise InputError("no such file", place=str(path), hint="give a file, or --on history for the store")
    size = path.stat().st_size
    if path.suffix == ".gz":
        return [FileShard(path)]
    count = max(1, min(parts, size // _LEAST_SHARD))
    edges = [size * i // count for i in range(count + 1)]
    return [FileShard(path, start, end) for start, end in pairwise(edges)]


def holds_assessments(path: Path) -> bool:
    """Tell whether the first line of a file is a kept assessment; otherwise it may be a table of listings."""
    if not path.name.endswith(_ENDINGS) or not path.is_file():
        return False
    with closing(_opened(path)) as file:
        first = next((line for line in file if line.strip()), b"")
    return isinstance(read_record(first, ""), Record)


def read_record(line: bytes, place: str) -> Record | Unreadable:
    """Return one record of a JSON text, or why there is none."""
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Unreadable(place, f"is no JSON: {error.msg}")
    if not isinstance(raw, dict) or not isinstance(raw.get("assessment"), dict):
        return Unreadable(place, "has no object 'assessment'")
    if not isinstance(raw.get("listing"), dict):
        return Unreadable(place, "has no object 'listing'")
    return Record(
        str(raw.get("created_at") or "")[:10], raw["listing"], raw["assessment"], None, raw.get("circumstances") or {}
    )


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")

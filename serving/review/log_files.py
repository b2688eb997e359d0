"""The log of acts as a file that others can read, and check by themselves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Literal

import orjson

from serving.review.events import Event

LogFormat = Literal["csv", "jsonl"]
COLUMNS = tuple(field.name for field in fields(Event))


def log_lines(entries: Iterable[Event], format: LogFormat) -> Iterator[bytes]:
    """Yield the lines of a file with these entries, one entry in memory at a time; CSV begins with its columns.

    `old` and `new` stay the texts that the digests are of.
    """
    if format == "jsonl":
        for event in entries:
            yield orjson.dumps(vars(event), option=orjson.OPT_APPEND_NEWLINE)
        return
    text = io.StringIO()
    writer = csv.writer(text)

    def line(cells: Iterable[object]) -> bytes:
        text.seek(0)
        text.truncate()
        writer.writerow(cells)
        return text.getvalue().encode()

    yield line(COLUMNS)
    for event in entries:
        yield line({**vars(event), "at": event.at.isoformat()}.values())

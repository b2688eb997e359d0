"""A log of acts as a file that others can read, and check by themselves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Literal

import orjson
from sqlalchemy import Connection

from serving.store.chained_log import ChainedLog, E

LogFormat = Literal["csv", "jsonl"]


def log_lines(log: ChainedLog[E], connection: Connection, format: LogFormat) -> Iterator[bytes]:
    """Yield the lines of a file with every entry of a log, one in memory at a time; CSV begins with its columns.

    `old` and `new` stay the texts that the digests are of.
    """
    entries = log.events(connection)
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

    yield line(field.name for field in fields(log.entry))
    for event in entries:
        yield line({**vars(event), "at": event.at.isoformat()}.values())

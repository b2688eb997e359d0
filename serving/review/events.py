"""The log of every act: append-only, each entry chained by SHA-256 to the one before."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from serving.review.words import Act
from serving.store.review_tables import ReviewEventRow

START = "0" * 64
"""What the first entry is chained to."""

_TABLE = ReviewEventRow.__table__


@dataclass(frozen=True)
class Event:
    """One act as it is kept. `old` and `new` are JSON objects as texts: the digest is of these very texts."""

    number: int
    at: dt.datetime
    actor: str
    kind: str
    item_id: int | None
    old: str
    new: str
    previous: str
    digest: str

    def own_digest(self) -> str:
        """Return what the digest must be."""
        parts = [
            self.number, self.at.astimezone(dt.UTC).isoformat(), self.actor, self.kind, self.item_id,
            self.old, self.new, self.previous,
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()


@dataclass(frozen=True)
class Head:
    """The newest entry: who keeps it elsewhere can tell later that nothing before it was changed or cut off."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def read(cls, text: str) -> Head:
        """Return a head that was written by `str`.

        Raises
        ------
        ValueError
            If the text is none.
        """
        written = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text.strip())
        if written is None:
            raise ValueError(f"{text!r} is no head")
        return cls(int(written[1]), written[2])


@dataclass(frozen=True)
class Break:
    """A place where the log was changed."""

    number: int
    what: str


def append(
    connection: Connection,
    at: dt.datetime,
    actor: str,
    kind: Act,
    item_id: int | None,
    new: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
) -> Event:
    """Add an act to the log, within the transaction that does it.

    The caller holds the lock under which acts are done one after another; otherwise two would get one number, and the
    database refuses the later.
    """
    last = head(connection)
    unsigned = Event(
        last.number + 1,
        at.astimezone(dt.UTC),
        actor,
        kind.value,
        item_id,
        _json(old or {}),
        _json(new),
        last.digest,
        "",
    )
    event = Event(**{**vars(unsigned), "digest": unsigned.own_digest()})
    connection.execute(insert(ReviewEventRow).values(**vars(event)))
    return event


def head(connection: Connection) -> Head:
    """Return the newest entry's number and digest; 0 and zeros for an empty log."""
    query = select(_TABLE.c.number, _TABLE.c.digest).order_by(_TABLE.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Head(0, START) if row is None else Head(row.number, row.digest)


def events(connection: Connection, item_id: int | None = None, after: int = 0) -> Iterator[Event]:
    """Yield entries in their order: of one item, or of all, from a number on."""
    query = select(_TABLE).where(_TABLE.c.number > after).order_by(_TABLE.c.number)
    if item_id is not None:
        query = query.where(_TABLE.c.item_id == item_id)
    with connection.execute(query.execution_options(yield_per=1_000)) as rows:
        for row in rows:
            yield Event(*row)


def breaks(connection: Connection, known: Head | None = None) -> Iterator[Break]:
    """Yield every place where the log is not as it was written.

    Parameters
    ----------
    known : Head, optional
        The newest entry at an earlier time, kept elsewhere. Without it a log whose end was cut off looks whole.
    """
    previous, number = START, 0
    found = known is None or known.number == 0
    try:
        for event in events(connection):
            if event.number != number + 1:
                missing = f"entries {number + 1} to {event.number - 1} are missing"
                yield Break(event.number, missing)
            elif event.previous != previous:
                yield Break(event.number, "it is not chained to the entry before")
            if event.digest != event.own_digest():
                yield Break(event.number, "its content does not fit its digest")
            if known is not None and event.number == known.number:
                found = True
                if event.digest != known.digest:
                    yield Break(event.number, "its digest is not the one that was noted")
            previous, number = event.digest, event.number
    except ValueError as error:  # SQLite keeps any text as a time
        yield Break(number + 1, f"it cannot be read, and nothing after it was: {error}")
        return
    if not found and known is not None:
        yield Break(known.number, f"the log ends at entry {number}, before the one that was noted")


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()

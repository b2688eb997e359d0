"""Logs that are only ever added to: each entry is chained by SHA-256 to the one before."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import Connection, Select, insert, select
from sqlalchemy.orm import DeclarativeBase

START = "0" * 64
"""What the first entry is chained to."""


@dataclass(frozen=True)
class Entry:
    """One act as it is kept; a log of its own adds, as one more field, the id of what the act is about.

    `old` and `new` are JSON objects as texts: the digest is of these very texts.
    """

    number: int
    at: dt.datetime
    actor: str
    kind: str

    def own_digest(self) -> str:
        """Return what the digest must be."""
        beside = {"digest", "salt", "personal"} | ({"seal"} if vars(self).get("seal") is None else set())
        parts = [value for name, value in vars(self).items() if name not in beside]
        parts[1] = self.at.astimezone(dt.UTC).isoformat()
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


E = TypeVar("E", bound=Entry)


class ChainedLog(Generic[E]):
    """The log in one table, whose columns are the fields of its entries.

    Parameters
    ----------
    row : type
        The table as a model.
    entry : type
        What an entry is read as.
    subject : str
        Column with the id of what an act is about.
    """

    def __init__(self, row: type[DeclarativeBase], entry: type[E], subject: str) -> None:
        self._row, self.entry, self._subject = row, entry, subject
        self._table = row.__table__

    def append(
        self,
        connection: Connection,
        at: dt.datetime,
        actor: str,
        kind: str,
        subject: int | None,
        new: Mapping[str, Any],
        old: Mapping[str, Any] | None = None,
    ) -> E:
        """Add an act, within the transaction that does it.

        The caller holds the lock under which acts are done one after another; otherwise two would get one number, and
        the database refuses the later.
        """
        return self._append(connection, at, actor, kind, subject, new, old or {}, {})

    def _append(
        self,
        connection: Connection,
        at: dt.datetime,
        actor: str,
        kind: str,
        subject: int | None,
        new: Mapping[str, Any],
        old: Mapping[str, Any],
        more: Mapping[str, Any],
    ) -> E:
        """Add an act with values of more columns."""
        last = self.head(connection)
        values: dict[str, Any] = {
            "number": last.number + 1,
            "at": at.astimezone(dt.UTC),
            "actor": actor,
            "kind": str(kind),
            self._subject: subject,
            "old": as_json(old),
            "new": as_json(new),
            "previous": last.digest,
            "digest": "",
            **more,
        }
        values["digest"] = self.entry(**values).own_digest()
        connection.execute(insert(self._row).values(**values))
        return self.entry(**values)

    def head(self, connection: Connection) -> Head:
        """Return the newest entry's number and digest; 0 and zeros for an empty log."""
        table = self._table
        query = select(table.c.number, table.c.digest).order_by(table.c.number.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        return Head(0, START) if row is None else Head(row.number, row.digest)

    def events(self, connection: Connection, subject: int | None = None, after: int = 0) -> Iterator[E]:
        """Yield entries in their order: of one subject, or of all, from a number on."""
        table = self._table
        query = self._query().where(table.c.number > after).order_by(table.c.number)
        if subject is not None:
            query = query.where(table.c[self._subject] == subject)
        with connection.execute(query.execution_options(yield_per=1_000)) as rows:
            for row in rows:
                yield self.entry(*row)

    def _query(self) -> Select[Any]:
        """Return what reads the fields of entries."""
        return select(self._table)

    def _further_check(self, connection: Connection) -> Callable[[E], str | None]:  # noqa: ARG002
        """Return what else can be wrong with an entry of such a log."""
        return lambda _: None

    def breaks(self, connection: Connection, known: Head | None = None) -> Iterator[Break]:
        """Yield every place where the log is not as it was written.

        Parameters
        ----------
        known : Head, optional
            The newest entry at an earlier time, kept elsewhere. Without it a log whose end was cut off looks whole.
        """
        previous, number = START, 0
        found = known is None or known.number == 0
        further_check = self._further_check(connection)
        try:
            for event in self.events(connection):
                values = vars(event)
                if event.number != number + 1:
                    yield Break(event.number, f"entries {number + 1} to {event.number - 1} are missing")
                elif values["previous"] != previous:
                    yield Break(event.number, "it is not chained to the entry before")
                if values["digest"] != event.own_digest():
                    yield Break(event.number, "its content does not fit its digest")
                if (wrong := further_check(event)) is not None:
                    yield Break(event.number, wrong)
                if known is not None and event.number == known.number:
                    found = True
                    if values["digest"] != known.digest:
                        yield Break(event.number, "its digest is not the one that was noted")
                previous, number = values["digest"], event.number
        except ValueError as error:  # SQLite keeps any text as a time
            yield Break(number + 1, f"it cannot be read, and nothing after it was: {error}")
            return
        if not found and known is not None:
            yield Break(known.number, f"the log ends at entry {number}, before the one that was noted")


def as_json(value: Mapping[str, Any]) -> str:
    """Return an object as the text that is kept and digested."""
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()

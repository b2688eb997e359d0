"""Kept assessments as a history to replay: read past SQLAlchemy's types, in parts that follow the table's own order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import orjson
from sqlalchemy import Connection, Engine, text

from models.simulation.records import Record, Unreadable
from serving.store.database import open_database

_CHUNK = 1_000
_PART = {
    "sqlite": "a.rowid >= :low AND a.rowid < :high",
    "postgresql": "a.ctid >= '({low},0)' AND a.ctid < '({high},0)'",
}
_EDGES = {
    "sqlite": "SELECT coalesce(min(rowid), 0), coalesce(max(rowid) + 1, 0) FROM assessments",
    "postgresql": "SELECT 0, pg_relation_size('assessments') / current_setting('block_size')::int",
}
_NEWEST = """NOT EXISTS (SELECT 1 FROM assessments n WHERE n.listing_id = a.listing_id AND
 (n.created_at > a.created_at OR (n.created_at = a.created_at AND n.id > a.id)))"""


@dataclass(frozen=True)
class StoreShard:
    """A stretch of the table: of row ids in SQLite, of pages in PostgreSQL.

    Parameters
    ----------
    url : str
        Of the database.
    low, high : int
        First, and first after the last.
    since : date or None
        Earlier assessments are left out.
    newest : bool
        Of several assessments of one listing only the newest counts.
    """

    url: str
    low: int
    high: int
    since: dt.date | None = None
    newest: bool = True

    def records(self) -> Iterator[Record | Unreadable]:
        """Yield the assessments of this stretch."""
        engine = open_database(self.url)
        try:
            with engine.connect() as connection:
                yield from self._read(connection)
        finally:
            engine.dispose()

    def _read(self, connection: Connection) -> Iterator[Record | Unreadable]:
        kind = connection.dialect.name
        conditions = [_PART[kind].format(low=self.low, high=self.high)]
        values: dict[str, object] = {"low": self.low, "high": self.high} if kind == "sqlite" else {}
        if self.since is not None:
            conditions.append("a.created_at >= :since")
            # SQLite keeps moments as texts, which compare as such.
            values["since"] = self.since.isoformat() if kind == "sqlite" else self.since
        if self.newest:
            conditions.append(_NEWEST)
        columns = "CAST(a.created_at AS TEXT), CAST(a.listing AS TEXT), CAST(a.assessment AS TEXT), a.id"
        query = text(f"SELECT {columns} FROM assessments a WHERE {' AND '.join(conditions)}")
        rows = connection.execution_options(stream_results=True, yield_per=_CHUNK).execute(query, values)
        for created, listing, assessment, key in rows:
            try:
                yield Record(str(created)[:10], orjson.loads(listing), orjson.loads(assessment))
            except orjson.JSONDecodeError as error:
                yield Unreadable(f"assessment {key}", f"is no JSON: {error.msg}")


def store_shards(engine: Engine, parts: int, since: dt.date | None = None, newest: bool = True) -> list[StoreShard]:
    """Cut the history into `parts` stretches.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    """
    with engine.connect() as connection:
        low, high = connection.execute(text(_EDGES[engine.dialect.name])).one()
    url = engine.url.render_as_string(hide_password=False)
    if engine.dialect.name == "postgresql":
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    edges = [int(low) + (int(high) - int(low)) * i // parts for i in range(parts + 1)]
    return [StoreShard(url, start, end, since, newest) for start, end in pairwise(edges) if start < end]


def count_history(engine: Engine) -> int:
    """Return the number of kept assessments, for a progress bar."""
    with engine.connect() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM assessments")).scalar_one()
    return found

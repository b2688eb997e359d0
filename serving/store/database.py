"""Opens the database of a URL: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase

from models.domain.errors import InputError

_BEGIN = "hazardlens_begin"
_WAIT_MS = 30_000
_HINT = "write sqlite:///path/to/file.db or postgresql://user:password@host/name"


def open_database(url: str) -> Engine:
    """Return an engine for the URL; nothing is connected yet.

    Parameters
    ----------
    url : str
        ``sqlite:///file.db`` (its directory is made) or ``postgresql://...`` (by the driver psycopg).

    Raises
    ------
    InputError
        If the URL is of another kind, or its driver is not installed.
    """
    place = "HAZARDLENS_DATABASE_URL"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InputError("value is not a database URL", place=place, hint=_HINT) from error
    shown = parsed.render_as_string(hide_password=True)
    kind = parsed.drivername.split("+")[0]
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise InputError(f"value {shown!r} names no file", place=place, hint="sqlite:///path/to/file.db")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed,
            json_serializer=dump_json,
            json_deserializer=orjson.loads,
            hide_parameters=True,  # an error would quote listings in the log
            pool_use_lifo=True,  # whoever wrote last still knows the pages: another connection would read them anew
            connect_args={"timeout": _WAIT_MS / 1_000},
        )
        _tune_sqlite(engine)
        return engine
    if kind in ("postgresql", "postgres"):
        try:
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                json_serializer=dump_json,
                json_deserializer=orjson.loads,
                hide_parameters=True,
                pool_pre_ping=True,
                pool_use_lifo=True,
                connect_args={"connect_timeout": 5},
            )
        except ModuleNotFoundError as error:
            raise InputError(
                "the PostgreSQL driver is not installed", place=place, hint="pip install 'psycopg[binary]'"
            ) from error
    raise InputError(f"value {shown!r} is of an unknown kind", place=place, hint=_HINT)


def dump_json(value: Any) -> str:
    """Return JSON text; an `orjson.Fragment` passes as it is."""
    return orjson.dumps(value).decode()


def _tune_sqlite(engine: Engine) -> None:
    """WAL lets readers read while one writes; NORMAL is durable against a crash of the process in that mode."""

    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _: object) -> None:
        # The driver would open transactions by itself and only before some statements; we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in (f"busy_timeout = {_WAIT_MS}", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def overwrite_what_is_deleted(engine: Engine) -> None:
    """Have the connections of an engine leave nothing of what they delete in the file.

    PostgreSQL keeps old versions of rows until it vacuums, which it does by itself.
    """
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def pragma(connection: Any, _: object) -> None:
            connection.execute("PRAGMA secure_delete = ON")

        engine.dispose()  # those that are there already are made anew


def empty_the_journal(engine: Engine) -> None:
    """Write SQLite's journal into its file and empty it, unless somebody is reading: then that is done later."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that will write.

    SQLite takes the write lock at once, where a transaction that began by reading would fail when it cannot upgrade.
    """
    with engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}) as connection, connection.begin():
        yield connection


@contextmanager
def one_at_a_time(engine: Engine, key: int) -> Iterator[Connection]:
    """Give a connection in a transaction that will write, in which nobody else under the same key does.

    For acts that depend on what is there when they begin.
    """
    with writing(engine) as connection:
        wait_for_turn(connection, key)
        yield connection


def wait_for_turn(connection: Connection, key: int) -> None:
    """Wait, in a transaction that will write, until no other one under the same key is under way.

    SQLite has waited when the transaction began; PostgreSQL gives the lock back when it ends.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def insert_into(engine: Engine, table: type[DeclarativeBase]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that knows ``ON CONFLICT``, in the words of the database."""
    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)

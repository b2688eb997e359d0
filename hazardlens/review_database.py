"""The server's database, opened to read what reviewers did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.domain.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine

DatabaseUrl = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The server's database; else HAZARDLENS_DATABASE_URL.")
]


@contextmanager
def review_database(url: str | None) -> Iterator[Engine]:
    """Give the database; it must be there with its reviews, and nothing is made in it.

    A mistyped address must not look like a server at which nothing was ever done.

    Raises
    ------
    InputError
        If it cannot be opened, or no reviews are kept in it.
    """
    from sqlalchemy import inspect, make_url
    from sqlalchemy.exc import OperationalError

    from serving.settings import Settings
    from serving.store.database import open_database
    from serving.store.recall_tables import CaseEventPersonalRow
    from serving.store.review_tables import ReviewEventRow

    address = url or Settings.from_environment().database_url
    place = "HAZARDLENS_DATABASE_URL" if url is None else "--database"
    hint = "give the database of a server, which makes the tables when it starts"
    if address.startswith("sqlite") and not Path(make_url(address).database or "").is_file():
        raise InputError("there is no such database", place=place, hint=hint)
    engine = open_database(address)
    try:
        try:
            kept = inspect(engine).has_table(ReviewEventRow.__tablename__)
            current = inspect(engine).has_table(CaseEventPersonalRow.__tablename__)
        except OperationalError as error:
            raise InputError(f"the database cannot be read: {error.orig}", place=place, hint=hint) from error
        if not kept:
            raise InputError("no reviews are kept in this database", place=place, hint=hint)
        if not current:
            hint = "start the server of this version on it once: that brings its tables up to date"
            raise InputError("an older version wrote this database", place=place, hint=hint)
        yield engine
    finally:
        engine.dispose()

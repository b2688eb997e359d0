"""The server's database, opened to change who may use it and what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.domain.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def server_database(url: str | None = None) -> Iterator[Engine]:
    """Give the database, migrated.

    Parameters
    ----------
    url : str, optional
        By default that of HAZARDLENS_DATABASE_URL.

    Raises
    ------
    InputError
        If it cannot be opened, or does not answer.
    """
    from sqlalchemy.exc import OperationalError

    from serving.settings import Settings
    from serving.store.database import open_database
    from serving.store.migrating import migrate

    place = "HAZARDLENS_DATABASE_URL"
    engine = open_database(url or Settings.from_environment().database_url)
    try:
        migrate(engine)
        yield engine
    except OperationalError as error:
        hint = "check the address, and that the database runs and lets this machine in"
        raise InputError(f"the database does not answer: {error.orig}", place=place, hint=hint) from error
    finally:
        engine.dispose()

"""Brings a database to the schema of this version; safe when several processes start at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, inspect, text

from models.domain.errors import InputError
from serving.store import (  # noqa: F401  (makes their tables known)
    account_tables,
    buyer_tables,
    hook_tables,
    match_tables,
    picture_tables,
    recall_tables,
    review_tables,
)
from serving.store.database import wait_for_turn, writing
from serving.store.tables import Base

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x48415A4C  # "HAZL"
_ALEMBIC = threading.Lock()
"""Alembic keeps its context in globals of the process."""
_log = logging.getLogger("hazardlens.store")


def migrate(engine: Engine, target: str = "head") -> None:
    """Upgrade to a revision, by default the newest.

    Raises
    ------
    InputError
        If the database was written by a newer hazardlens.
    """
    # Most starts find the newest schema, and need not pay for Alembic's import.
    if target != "head" or _written_in(engine) != {last_script()}:
        _run(engine, target, lambda script, revision: script._upgrade_revs(target, revision))


def migrate_down(engine: Engine, target: str = "base") -> None:
    """Downgrade to a revision; ``base`` drops every table."""
    _run(engine, target, lambda script, revision: script._downgrade_revs(target, revision))


def current_revision(engine: Engine) -> str | None:
    """Return the revision the database stands at, None for an empty one."""
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the newest revision that this version knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def last_script() -> str:
    """Return the number of the last migration, by the names of the files: `newest_revision` without Alembic."""
    return max(path.name[1:5] for path in (_SCRIPTS / "versions").glob("v[0-9]*.py"))


def _written_in(engine: Engine) -> set[str]:
    """Return what Alembic has noted in the database of its schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return set()
        return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _run(engine: Engine, target: str, steps: Callable[[ScriptDirectory, Any], Any]) -> None:
    """Run migrations in one transaction under a lock: it happens wholly and once, or not at all.

    Alembic's `env.py` is left out on purpose: it would have to be imported in a state that only Alembic makes.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    script = ScriptDirectory(str(_SCRIPTS))
    environment = EnvironmentContext(
        Config(), script, fn=lambda revision, _: steps(script, revision), destination_rev=target
    )
    with _ALEMBIC, environment as context:
        try:
            with writing(engine) as connection:
                wait_for_turn(connection, _LOCK)
                context.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=True)
                with context.begin_transaction():
                    context.run_migrations()
        except CommandError as error:
            raise InputError(
                f"the database's schema is not known to this version: {error}",
                place="HAZARDLENS_DATABASE_URL",
                hint="use the hazardlens that wrote it, or a newer one",
            ) from error
    _log.info("database at schema %s", target)

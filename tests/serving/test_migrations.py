"""Schema versions, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from models.domain.errors import InputError
from serving.store.database import open_database, writing
from serving.store.migrating import current_revision, last_script, migrate, migrate_down, newest_revision
from serving.store.tables import Base

ROOT = Path(__file__).parents[2]


def test_up_and_down_and_up_again(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    assert current_revision(engine) is None
    migrate(engine)
    assert current_revision(engine) == newest_revision()
    assert inspect(engine).has_table("assessments")
    migrate_down(engine)
    assert current_revision(engine) is None
    assert not inspect(engine).has_table("assessments")
    migrate(engine)
    migrate(engine)  # nothing to do is fine
    assert inspect(engine).has_table("assessments")
    engine.dispose()


def test_the_last_script_is_the_newest_revision() -> None:
    assert last_script() == newest_revision()


def test_migrations_make_exactly_the_models(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


START = (
    "import sys; from serving.store import database, migrating; migrating.migrate(database.open_database(sys.argv[1]))"
)


def test_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, empty_database_url], env=environment, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    engine = open_database(empty_database_url)
    assert current_revision(engine) == newest_revision()
    engine.dispose()


def test_threads_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [engine] * 4))
    assert current_revision(engine) == newest_revision()
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="9999"):
        migrate(engine)
    engine.dispose()

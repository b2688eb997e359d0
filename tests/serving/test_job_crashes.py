"""Jobs of real server processes: killed in the middle, and several at work on one store."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url, text

from serving.jobs.runner import CHUNK_ROWS
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database

ROOT = Path(__file__).parents[2]
NDJSON = {"Content-Type": "application/x-ndjson"}
TOTAL = 3 * CHUNK_ROWS + 7


class Server:
    """A server process; `url` is where it listens."""

    def __init__(self, model: Path, database: str, jobs: Path, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "HAZARDLENS_MODEL": str(model), "HAZARDLENS_PORT": str(port),
            "HAZARDLENS_DATABASE_URL": database, "HAZARDLENS_JOBS": str(jobs),
            "HAZARDLENS_ACCESS": "off",
        }  # fmt: skip
        command = [sys.executable, "-c", "import sys; from serving.app import run; sys.exit(run())"]
        with log.open("ab") as stream:
            self.process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
        self.http = httpx.Client(base_url=self.url, timeout=60)
        self._log, self._database = log, database

    def ready(self) -> Server:
        """Wait until it would assess."""
        wait_for(lambda: self.process.poll() is not None or self._answers("/readyz"), 120)
        assert self.process.poll() is None, self._log.read_text()
        return self

    def job(self, job_id: str) -> Any:
        """Return a job."""
        return self.http.get(f"/v1/jobs/{job_id}").json()

    def rows(self, job_id: str) -> list[Any]:
        """Return the result of a job."""
        response = self.http.get(f"/v1/jobs/{job_id}/result")
        assert response.status_code == 200, response.text
        return [json.loads(line) for line in response.text.splitlines()]

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def freeze(self) -> None:
        """Stop it where it writes nothing: a transaction that it holds open would hold up everybody."""
        while True:
            self.process.send_signal(signal.SIGSTOP)
            if not writes(self._database):
                return
            self.process.send_signal(signal.SIGCONT)
            time.sleep(0.02)

    def close(self) -> None:
        """End it whatever its state."""
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def _answers(self, path: str) -> bool:
        try:
            return self.http.get(path).status_code == 200
        except httpx.TransportError:
            return False


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def writes(database: str) -> bool:
    """Whether somebody is in a transaction that writes."""
    if database.startswith("sqlite"):
        connection = sqlite3.connect(str(make_url(database).database), timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
        return False
    engine = open_database(database)
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    with engine.connect() as reading:
        found = reading.execute(text(query)).scalar_one()
    engine.dispose()
    return bool(found)


StartServer = Callable[[], Server]


@pytest.fixture
def start(small_model_dir: Path, database_url: str, tmp_path: Path) -> Iterator[StartServer]:
    """Start a server on the test's database; each one started uses the same."""
    with ExitStack() as stack:

        def server() -> Server:
            made = Server(small_model_dir, database_url, tmp_path / "jobs", tmp_path / "log")
            stack.callback(made.close)
            return made.ready()

        yield server


def upload(total: int = TOTAL, different: int = 50) -> bytes:
    """Return listings, every fifth of them not valid, with so many different contents."""
    rows = [
        {"id": f"l{i}", **({"titel": "x"} if i % 5 == 4 else {"title": f"Lamp {i % different} for kids"})}
        for i in range(total)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def check_rows(rows: list[Any], total: int = TOTAL) -> None:
    assert [row["index"] for row in rows] == list(range(total))
    assert [row["listing_id"] for row in rows] == [f"l{i}" for i in range(total)]
    for i, row in enumerate(rows):
        if i % 5 == 4:
            assert row["error"]["errors"][0]["field"] in {"title", "titel"}
        else:
            assert row["assessment"]["listing_id"] == f"l{i}"


def test_a_job_survives_the_death_of_its_server(start: StartServer, database_url: str) -> None:
    first = start()
    headers = {**NDJSON, "Idempotency-Key": "once"}
    job_id = first.http.post("/v1/jobs", content=upload(), headers=headers).json()["id"]
    wait_for(lambda: first.job(job_id)["progress"]["read"] > 0)
    first.kill()

    second = start()
    again = second.http.post("/v1/jobs", content=upload(), headers=headers)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (job_id, "true")
    stood = second.job(job_id)
    assert 0 < stood["progress"]["read"] < TOTAL
    wait_for(lambda: second.job(job_id)["state"] == "done")
    check_rows(second.rows(job_id))
    assert second.job(job_id)["progress"]["refused"] == TOTAL // 5
    store = AssessmentStore(open_database(database_url))
    assert store.count() == TOTAL - TOTAL // 5
    store.close()


def test_a_stopped_server_hands_its_job_over_at_once(start: StartServer) -> None:
    first, second = start(), start()
    total = 4 * TOTAL
    content = upload(total, different=total)  # takes far longer than the second server needs to see the second job
    ids = [first.http.post("/v1/jobs?store=false", content=content, headers=NDJSON).json()["id"] for _ in range(2)]
    wait_for(lambda: all(second.job(job_id)["progress"]["read"] for job_id in ids))  # each server has taken one
    assert [second.job(job_id)["state"] for job_id in ids] == ["running", "running"]
    first.process.terminate()
    first.process.wait(60)
    wait_for(lambda: all(second.job(job_id)["state"] == "done" for job_id in ids))
    for job_id in ids:
        check_rows(second.rows(job_id), total)


def test_one_of_two_servers_dies_and_the_other_finishes(start: StartServer) -> None:
    first = start()
    job_id = first.http.post("/v1/jobs", content=upload(), headers=NDJSON).json()["id"]
    wait_for(lambda: first.job(job_id)["progress"]["read"] > 0)
    second = start()
    first.freeze()  # as good as dead, but it will write on
    wait_for(lambda: second.job(job_id)["progress"]["read"] == TOTAL)
    first.process.send_signal(signal.SIGCONT)
    wait_for(lambda: second.job(job_id)["state"] == "done")
    assert first.http.get("/readyz").status_code == 200
    check_rows(first.rows(job_id))
    check_rows(second.rows(job_id))

"""A real server process that is told to end: accepted work is finished, new calls are sent elsewhere, status 0."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
LISTINGS = [
    {"id": str(i), "title": f"Space heater number {i}", "description": "no thermostat " * 40} for i in range(400)
]


class Server:
    """A server with one thread, in a process of its own."""

    def __init__(self, model: Path, place: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.store = place / "h.db"
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "HAZARDLENS_MODEL": str(model), "HAZARDLENS_PORT": str(port),
            "HAZARDLENS_DATABASE_URL": f"sqlite:///{self.store}", "HAZARDLENS_THREADS": "1",
            "HAZARDLENS_ACCESS": "off", **settings,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from serving.app import run; sys.exit(run())"],
            env=environment,
            cwd=place,
        )
        deadline = time.monotonic() + 120
        while not self.ready():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    def begin(self, answers: list[Any]) -> threading.Thread:
        """Send a long list, and wait until it is being worked on."""

        def ask() -> None:
            with suppress(httpx.TransportError):
                answers.append(httpx.post(f"{self.url}/v1/assessments", json=LISTINGS, timeout=120))

        thread = threading.Thread(target=ask)
        thread.start()
        deadline = time.monotonic() + 60
        while "hazardlens_listings_in_flight 400.0" not in httpx.get(f"{self.url}/metrics", timeout=30).text:
            assert time.monotonic() < deadline
        return thread


@pytest.fixture
def server(small_model_dir: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(small_model_dir, tmp_path)
    yield server
    server.process.kill()
    server.process.wait(10)


def test_work_that_was_accepted_is_finished_while_new_calls_are_turned_away(server: Server) -> None:
    answers: list[Any] = []
    asking = server.begin(answers)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        server.process.send_signal(signal.SIGTERM)
        while (ready := client.get("/readyz")).status_code == 200:
            pass
        refused = client.post("/v1/assessments", json=LISTINGS[:1])
    assert not answers, "the work ended too early for this test to show anything"
    assert ready.status_code == refused.status_code == 503
    assert refused.json()["type"] == "urn:hazardlens:problem:draining"
    assert refused.headers["Retry-After"] == "1"
    asking.join(120)
    assert answers[0].status_code == 200
    assert len(answers[0].json()["results"]) == len(LISTINGS)
    assert server.process.wait(60) == 0
    with sqlite3.connect(server.store) as store:
        assert store.execute("SELECT count(*) FROM assessments").fetchone() == (len(LISTINGS),)


def test_an_idle_server_ends_at_once_and_well(server: Server) -> None:
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(60) == 0


def test_a_second_signal_does_not_wait_for_the_work(server: Server) -> None:
    answers: list[Any] = []
    asking = server.begin(answers)
    server.process.send_signal(signal.SIGTERM)
    while server.ready():
        pass
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    asking.join(60)
    assert not any(answer.status_code == 200 for answer in answers)

"""Processes that share a directory answer `/metrics` for each other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.worker_files import VARIABLE, files_for_workers, forget_dead_workers, shared_directory
from tests.serving.conftest import HEATER

ROOT = Path(__file__).parents[2]


class Worker:
    """A server in a process of its own, which keeps its samples in a directory."""

    def __init__(self, model: Path, place: Path, samples: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        environment = {
            **os.environ, VARIABLE: str(samples), "PYTHONPATH": str(ROOT), "HAZARDLENS_MODEL": str(model),
            "HAZARDLENS_DATABASE_URL": f"sqlite:///{place / 'h.db'}", "HAZARDLENS_ACCESS": "off",
        }  # fmt: skip
        command = [sys.executable, "-m", "hazardlens", "serve", "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.DEVNULL)

    def wait_until_ready(self) -> None:
        """Wait until it can assess."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                if self.http.get("/readyz").status_code == 200:
                    return
            except httpx.ConnectError:
                pass
            time.sleep(0.1)
        raise AssertionError("it did not become ready")

    def samples(self) -> dict[str, float]:
        """Samples by their text, such as ``hazardlens_ready``."""
        lines = self.http.get("/metrics").text.splitlines()
        return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}

    def end(self) -> None:
        """End it, at once where it does not listen."""
        self.http.close()
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def workers(small_model_dir: Path, tmp_path: Path) -> Iterator[list[Worker]]:
    """Two workers with one directory and one database."""
    with ExitStack() as stack:
        samples = tmp_path / "samples"
        samples.mkdir()
        started = []
        for _ in range(2):
            started.append(Worker(small_model_dir, tmp_path, samples))
            stack.callback(started[-1].end)
            started[-1].wait_until_ready()
        yield started


def test_any_worker_answers_for_all_and_a_dead_one_is_forgotten(workers: list[Worker]) -> None:
    first, second = workers
    for worker, times in ((first, 1), (second, 2)):
        for i in range(times):
            listing: dict[str, Any] = {**HEATER, "id": str(i), "brand": f"{worker.process.pid} {i}"}
            assert worker.http.post("/v1/assessments", json=[listing]).status_code == 200

    for worker in workers:
        told = worker.samples()
        assert told["hazardlens_listing_tokens_count"] == 3
        assert told["hazardlens_ready"] == 2
        assert sum(value for name, value in told.items() if name.startswith("hazardlens_model_info{")) == 2
        resident = [name for name in told if name.startswith("hazardlens_worker_resident_bytes{")]
        assert {f'pid="{w.process.pid}"' in name for name in resident for w in workers} == {True, False}
        assert len(resident) == 2

    second.end()
    told = first.samples()
    assert told["hazardlens_ready"] == 1
    assert told["hazardlens_listing_tokens_count"] == 3
    assert len([name for name in told if name.startswith("hazardlens_worker_resident_bytes{")]) == 1


def test_the_directory_is_new_and_goes_with_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert shared_directory() is None
    with files_for_workers() as directory:
        assert shared_directory() == directory
        assert list(directory.iterdir()) == []
    assert shared_directory() is None
    assert not directory.exists()


def test_a_directory_that_is_named_is_emptied_of_an_earlier_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("counter_1.db", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with files_for_workers() as directory:
        assert directory == tmp_path
        assert [file.name for file in directory.iterdir()] == ["notes.txt"]
    assert tmp_path.exists()


def test_only_the_gauges_of_dead_processes_are_dropped(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        for kind in ("counter", "histogram", "gauge_livesum", "gauge_liveall"):
            (tmp_path / f"{kind}_{pid}.db").touch()
    forget_dead_workers(tmp_path)

    left = {file.name for file in tmp_path.iterdir()}
    assert {f"counter_{ended.pid}.db", f"histogram_{ended.pid}.db"} <= left
    assert not any(name.startswith("gauge") and str(ended.pid) in name for name in left)
    assert {f"gauge_livesum_{os.getpid()}.db", f"gauge_liveall_{os.getpid()}.db"} <= left

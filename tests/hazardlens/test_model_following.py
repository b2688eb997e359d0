"""A server goes along with an alias of a real registry, and its workers with each other; MLflow stays outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import typer

from hazardlens.model_following import followed_link, model_place
from models.classifier.artifact import read_manifest
from tests.hazardlens.conftest import RunCommand
from tests.serving.conftest import free_port, saved_variant, within
from training.mlflow_store import opened
from training.registry import promote, rollback

ROOT = Path(__file__).resolve().parents[2]
URI = "models:/hazardlens@champion"


@pytest.fixture(scope="module")
def pair(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Directories of two models that answer differently."""
    home = tmp_path_factory.mktemp("pair")
    return saved_variant(small_model_dir, home / "first", 0.0), saved_variant(small_model_dir, home / "other", 1.0)


@pytest.fixture
def registry(pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Tracking URI of a store in which version 1, the first model, is the champion; in force for commands."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with opened(uri, create=True) as store:
        store.client.create_registered_model("hazardlens")
        for directory in pair:
            store.client.create_model_version("hazardlens", directory.as_uri())
    promote(1, tracking_uri=uri)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("HAZARDLENS_CACHE", str(tmp_path / "cache"))
    return uri


@contextmanager
def server(tmp_path: Path, model: str, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a server, and give its address once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "hazardlens", "serve", "--model", model, "--port", str(port), *options]
    environment = {
        **os.environ,
        "HAZARDLENS_DATABASE_URL": f"sqlite:///{tmp_path / 'h.db'}",
        "HAZARDLENS_MODEL_WATCH": "0.2",
        "HAZARDLENS_ACCESS": "off",
    }
    log = (tmp_path / "log").open("w+")
    with log, subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            within(300, lambda: process.poll() is not None or ready(url))
            assert process.poll() is None, (tmp_path / "log").read_text()
            yield url, process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def answering(url: str, asked: int = 1) -> set[str]:
    """Return the models that answer, each call over a connection of its own."""
    seen = set()
    for _ in range(asked):
        answer = httpx.post(f"{url}/v1/assessments", json=[{"id": "1", "title": "Green laser pointer"}]).json()
        assert answer["results"][0]["assessment"]["versions"] == answer["versions"]
        seen.add(answer["versions"]["model"])
    return seen


def test_the_server_answers_by_the_model_that_has_the_alias(
    registry: str, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    first, other = (read_manifest(directory).version for directory in pair)
    with server(tmp_path, URI) as (url, process):
        assert answering(url) == {first}
        promote(2, tracking_uri=registry)
        within(180, lambda: answering(url) == {other})
        rollback(tracking_uri=registry)
        within(180, lambda: answering(url) == {first})
        assert "mlflow" not in libraries_of(process.pid)
        children = children_of(process.pid)
        assert len(children) == 1
    within(60, lambda: not any(alive(pid) for pid in children))


def test_the_workers_of_a_server_come_to_the_same_model(pair: tuple[Path, Path], tmp_path: Path) -> None:
    first, other = (read_manifest(directory).version for directory in pair)
    link = tmp_path / "live"
    link.symlink_to(pair[0])
    with server(tmp_path, str(link), "--workers", "2") as (url, process):
        within(180, lambda: len(workers_that_are_ready(url)) == 2)
        assert answering(url, 20) == {first}
        (tmp_path / "new").symlink_to(pair[1])
        (tmp_path / "new").replace(link)
        within(180, lambda: answering(url, 20) == {other})
        assert process.poll() is None


def test_a_registry_that_does_not_answer_keeps_no_server_from_starting_again(
    registry: str, pair: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    with model_place(URI, 0.0) as place:
        assert place == followed_link(URI)
        assert place.resolve() == pair[0]
    Path(registry.removeprefix("sqlite:///")).write_bytes(b"no database")
    with model_place(URI, 0.0) as place:
        assert place.resolve() == pair[0]
    assert f"stays on {pair[0]}" in capfd.readouterr().err


def test_an_alias_that_nobody_has_is_told(registry: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), model_place("models:/hazardlens@nobody", 0.0):
        pass
    assert "no version has the alias 'nobody' (versions: 2, 1 (champion))" in capfd.readouterr().err


def test_follow_prints_one_line_and_keeps_the_link(
    run: RunCommand, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    ended = run("follow", URI, "--link", tmp_path / "live", "--once")
    assert (ended.code, ended.out, ended.err) == (0, f"{URI} is {(tmp_path / 'live').resolve()}\n", "")
    ended = run("follow", "models:/hazardlens@nobody", "--link", tmp_path / "none", "--once")
    assert ended.code == 1
    assert "no version has the alias 'nobody'" in ended.err


def libraries_of(pid: int) -> str:
    """Return the maps of a process: compiled parts of what it has imported stand there by their paths."""
    return Path(f"/proc/{pid}/maps").read_text()


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def workers_that_are_ready(url: str) -> set[str]:
    text = httpx.get(f"{url}/metrics").text
    return {line for line in text.splitlines() if line.startswith("hazardlens_worker_resident_bytes{")}

"""``hazardlens serve``: addresses, taken ports, a real server that starts and ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import serving.app
from hazardlens import Client
from hazardlens.commands.serve import addresses, require_free
from models.domain.errors import InputError
from serving.settings import Settings
from tests.hazardlens.conftest import RunCommand
from tests.serving.conftest import bearer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken() -> socket.socket:
    """A port on which somebody listens."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen()
    return held


def test_a_taken_port_is_told_before_the_model_is_loaded(
    run: RunCommand, small_model_dir: Path, taken: socket.socket
) -> None:
    with closing(taken):
        port = taken.getsockname()[1]
        ended = run("serve", "--model", small_model_dir, "--port", port)

    assert ended.code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.err
    assert "--port 8001" in ended.err


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(InputError, match=r"192\.0\.2\.1"):
        require_free("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::1", "[::1]"),
        ("::", "[::1]"),
        ("shop.example", "shop.example"),
    ],
)
def test_addresses_can_be_opened_as_they_are_printed(host: str, shown: str) -> None:
    text = addresses(Settings(host=host, port=81))

    assert text.splitlines() == [
        f"page     http://{shown}:81/",
        f"API      http://{shown}:81/openapi.json",
        f"metrics  http://{shown}:81/metrics",
    ]


def test_options_win_over_the_environment(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, small_model_dir: Path, tmp_path: Path
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(serving.app, "run", lambda settings: seen.append(settings) or 0)
    for name in [name for name in os.environ if name.startswith("HAZARDLENS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HAZARDLENS_MODEL", str(small_model_dir))
    monkeypatch.setenv("HAZARDLENS_HOST", "localhost")
    monkeypatch.setenv("HAZARDLENS_PORT", "0")

    assert run("serve").code == 0
    assert run("serve", "--host", "127.0.0.1", "--plan", tmp_path / "p.yaml", "--demo").code == 0

    base = Settings(model=small_model_dir, host="localhost", port=0)
    assert seen == [base, replace(base, host="127.0.0.1", plan=tmp_path / "p.yaml", demo=True)]


def test_a_failed_start_ends_with_1(run: RunCommand, monkeypatch: pytest.MonkeyPatch, small_model_dir: Path) -> None:
    monkeypatch.setattr(serving.app, "run", lambda settings: 1)

    assert run("serve", "--model", small_model_dir, "--port", 0).code == 1


def test_the_server_answers_and_ends_on_a_signal(small_model_dir: Path, tmp_path: Path) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hazardlens", "serve", "--model", str(small_model_dir), "--port", str(port)]
    url = f"sqlite:///{tmp_path / 'h.db'}"
    key = bearer(Settings(database_url=url))["Authorization"].removeprefix("Bearer ")
    environment = {**os.environ, "HAZARDLENS_DATABASE_URL": url}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as server:
        try:
            with Client(f"http://127.0.0.1:{port}", key, deadline=60) as client:
                deadline = time.monotonic() + 60
                while not client.ready():
                    assert server.poll() is None, server.communicate()[1]
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                assert client.assess({"id": "1", "title": "Lamp"}).listing_id == "1"
        finally:
            server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=30)

    assert server.returncode in (0, -signal.SIGTERM)
    assert re.search(rf"page +http://127\.0\.0\.1:{port}/", out)
    assert "Traceback" not in err

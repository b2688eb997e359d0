"""Webhooks at the other end: what is signed is handled once, everything else is refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import orjson
import pytest

from hazardlens import WebhookRefusedError, verify_webhook
from hazardlens.webhooks import Receiver, WebhookEvent
from serving.hooks.signing import SIGNATURE_HEADER, signature_header
from tests.serving.conftest import free_port, within

ROOT = Path(__file__).parents[2]
EVENT = {"id": "e1", "kind": "hook.ping", "subject": "", "created_at": "2026-11-26T09:30:00Z", "body": {}}


def send(url: str, event: object, secret: str = "s", at: float | None = None) -> int:
    content = event if isinstance(event, bytes) else orjson.dumps(event)
    header = signature_header([secret], int(time.time() if at is None else at), content)
    return httpx.post(url, content=content, headers={SIGNATURE_HEADER: header}).status_code


def test_an_event_is_handled_once_however_often_it_comes() -> None:
    handled: list[WebhookEvent] = []
    with Receiver("s", handled.append) as receiver:
        assert [send(receiver.url, EVENT), send(receiver.url, EVENT)] == [200, 200]
        assert send(receiver.url, {**EVENT, "id": "e2", "added": "in a later version"}) == 200
    assert [event.id for event in handled] == ["e1", "e2"]


def test_an_event_that_could_not_be_handled_is_asked_for_again() -> None:
    handled: list[str] = []

    def handle(event: WebhookEvent) -> None:
        handled.append(event.id)
        if len(handled) == 1:
            raise RuntimeError("not now")

    with Receiver("s", handle) as receiver:
        assert [send(receiver.url, EVENT) for _ in range(3)] == [500, 200, 200]
    assert handled == ["e1", "e1"]


def test_what_is_not_signed_or_old_or_no_event_is_refused() -> None:
    handled: list[WebhookEvent] = []
    with Receiver(["new", "old"], handled.append) as receiver:
        assert send(receiver.url, EVENT, "other") == 401
        assert send(receiver.url, EVENT, "new", time.time() - 3_600) == 401
        assert send(receiver.url, b"[]", "new") == 400
        assert send(receiver.url, b"{", "old") == 400
        assert httpx.post(receiver.url, content=orjson.dumps(EVENT)).status_code == 401
        assert handled == []
        assert send(receiver.url, EVENT, "old") == 200


def test_verifying_needs_the_package_only() -> None:
    content = b"{}"
    header = signature_header(["s"], 1_700_000_000, content)
    assert verify_webhook("s", header, content, now=1_700_000_000) == 1_700_000_000
    with pytest.raises(WebhookRefusedError):
        verify_webhook("other", header, content, now=1_700_000_000)


def test_the_command_prints_what_comes(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HAZARDLENS_HOOK_SECRET": "s"}
    command = [sys.executable, "-m", "hazardlens", "hooks", "listen", "--port", str(port)]
    with (tmp_path / "out").open("wb") as out, subprocess.Popen(command, env=environment, stdout=out) as process:
        try:
            within(60, lambda: answers(f"http://127.0.0.1:{port}"))
            assert send(f"http://127.0.0.1:{port}", EVENT) == 200
        finally:
            process.terminate()
    assert orjson.loads((tmp_path / "out").read_bytes()) == EVENT


def answers(url: str) -> bool:
    try:
        return httpx.post(url, content=b"").status_code == 401
    except httpx.TransportError:
        return False


def test_the_command_asks_for_a_secret() -> None:
    from hazardlens.cli import main

    assert main(["hooks", "listen"]) == 1


def test_half_a_request_of_a_sender_that_died_is_no_webhook(caplog: pytest.LogCaptureFixture) -> None:
    with Receiver("s", lambda _: None) as receiver:
        host, port = receiver.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as sender:
            sender.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"id":')
            sender.shutdown(socket.SHUT_WR)
            assert sender.recv(100) == b""
    assert "was refused" not in caplog.text

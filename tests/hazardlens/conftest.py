"""The command line as a function, and a server that misbehaves on request."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from hazardlens.cli import main
from hazardlens.client import Client
from tests.serving.conftest import bearer

Send = Callable[[dict[str, Any]], Awaitable[None]]
Step = Callable[["Received", Send], Awaitable[None]]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


RunCommand = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunCommand:
    """Run a command in this process, away from the registry that the checkout may have."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'no-registry.db'}")

    def command(*arguments: object) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return command


@dataclass(frozen=True)
class Received:
    """One request as the server saw it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def ids(self) -> list[str]:
        """Ids of its listings."""
        return [listing["id"] for listing in json.loads(self.body)["listings"]]


@dataclass
class Unruly:
    """A real HTTP server that answers as it is told: one step a request, the last one for ever."""

    url: str = ""
    steps: list[Step] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def will(self, *steps: Step) -> None:
        """Set how the next requests are answered."""
        self.steps, self.received = list(steps), []

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        request = Received(scope["method"], scope["path"], query, headers, body, time.monotonic())
        self.received.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        await step(request, send)


def replies(status: int, content: object = b"", **headers: str) -> Step:
    """Answer with a status and JSON, or bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def step(_: Received, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": body})

    return step


def problem(status: int, detail: str = "on purpose", **headers: str) -> Step:
    """Answer with problem details."""
    content = {"type": "urn:x", "title": "Refused", "status": status, "detail": detail, "instance": "/", "errors": []}
    return replies(status, content, content_type="application/problem+json", **headers)


def slowly(seconds: float, then: Step) -> Step:
    """Wait before the answer."""

    async def step(request: Received, send: Send) -> None:
        await asyncio.sleep(seconds)
        await then(request, send)

    return step


async def drips(_: Received, send: Send) -> None:
    """Send a byte now and then, and never end: no single wait is long."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(100):
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.sleep(0.05)


async def cuts(_: Received, send: Send) -> None:
    """Promise a long answer and break the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


def assesses(limit: int = 10**9) -> Step:
    """Answer as the API does; a listing without a title is refused, more than `limit` of them are too many."""

    async def step(request: Received, send: Send) -> None:
        listings = json.loads(request.body)["listings"]
        if len(listings) > limit:
            await problem(413)(request, send)
            return
        results = [_result(i, listing) for i, listing in enumerate(listings)]
        await replies(200, {"results": results, "versions": VERSIONS})(request, send)

    return step


VERSIONS = {"model": "m", "plan": "p", "taxonomy": "t"}


def _result(index: int, listing: dict[str, Any]) -> dict[str, Any]:
    if "title" not in listing:
        error = {"type": "urn:x", "title": "No title", "status": 422, "detail": "title: is missing", "instance": "/"}
        return {"index": index, "listing_id": listing["id"], "assessment": None, "error": error}
    return {"index": index, "listing_id": listing["id"], "assessment": an_assessment(listing["id"]), "error": None}


def an_assessment(listing_id: str) -> dict[str, Any]:
    """An assessment as the API writes it."""
    return {
        "id": "0" * 32,
        "listing_id": listing_id,
        "content_hash": "0" * 64,
        "versions": VERSIONS,
        "language": {"code": "en", "confidence": 1.0, "covered": True},
        "risk_level": "none",
        "level_probabilities": {"none": 1.0, "low": 0.0, "medium": 0.0, "high": 0.0, "serious": 0.0},
        "risk_score": 0.0,
        "p_unsafe": 0.01,
        "hazards": [],
        "scenario": None,
        "kinds": [],
        "cues": [],
        "abstains": [],
        "notes": [],
        "decision": {"action": "publish", "rules": ["level-none"], "reasons": ["no scenario"]},
        "explanation": [],
    }


@pytest.fixture(scope="session")
def unruly() -> Iterator[Unruly]:
    """The misbehaving server, on a real port."""
    app = Unruly()
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    app.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield app
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture(scope="session")
def real(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the real application with a real model."""
    from serving.app import create_app
    from serving.settings import Settings

    place = tmp_path_factory.mktemp("client")
    settings = Settings(model=small_model_dir, database_url=f"sqlite:///{place / 'h.db'}", jobs=place / "jobs")
    key = bearer(settings)["Authorization"].removeprefix("Bearer ")
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        with Client(f"http://127.0.0.1:{port}", key, deadline=60, retries=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=30)

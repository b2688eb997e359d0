"""A place that webhooks are sent to, and a sender over each database."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from serving.hooks.endpoints import Endpoint
from serving.hooks.kinds import KINDS
from serving.hooks.outbox import Outbox
from serving.hooks.schedule import Schedule
from serving.hooks.sender import SendingRules
from serving.hooks.webhooks import Webhooks
from serving.outgoing.addresses import AddressRules, read_networks
from serving.store.database import open_database, writing

HERE = AddressRules(read_networks("127.0.0.1,::1"))
FAST = Schedule(tries=4, base=0.05, longest=0.2, failures=100)


@pytest.fixture(autouse=True)
def any_body(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let events of some kinds say anything: what is sent is not the matter here."""
    if "test_sending" in request.node.nodeid or "test_outbox" in request.node.nodeid:
        for name in ("alert.received", "case.takedown_ordered", "recall.notice_ready"):
            monkeypatch.setitem(KINDS, name, replace(KINDS[name], body=None))


@dataclass
class Came:
    """One request that came."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = orjson.loads(self.content)
        return event


@dataclass
class Answer:
    """What is answered; a delay is in seconds before anything is said."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"thank you"
    delay: float = 0.0


class Target:
    """A server that keeps what came, and answers as the test says: by `answers` in turn, then by `otherwise`."""

    def __init__(self) -> None:
        self.came: list[Came] = []
        self.answers: list[Answer] = []
        self.otherwise = Answer()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                answer = target._take(Came(self.path, dict(self.headers.items()), content))
                time.sleep(answer.delay)
                target._leave()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A sender that no longer waits is no error here."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _take(self, came: Came) -> Answer:
        with self._lock:
            self.came.append(came)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            return self.answers.pop(0) if self.answers else self.otherwise

    def _leave(self) -> None:
        with self._lock:
            self.at_once -= 1

    @property
    def keys(self) -> list[int]:
        """What `tell` wrote, in the order in which it came."""
        return [came.event["body"]["number"] for came in self.came]


@contextmanager
def target_listens() -> Iterator[Target]:
    target = Target()
    thread = threading.Thread(target=target.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield target
    target.server.shutdown()
    target.server.server_close()
    thread.join()


@pytest.fixture
def target() -> Iterator[Target]:
    with target_listens() as target:
        yield target


@pytest.fixture
def other_target() -> Iterator[Target]:
    with target_listens() as target:
        yield target


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@dataclass
class Hooks:
    """Webhooks over a database; senders that run while `running` says."""

    engine: Engine
    schedule: Schedule = FAST
    rules: SendingRules = field(default_factory=lambda: SendingRules(timeout=2.0, looks_every=0.05))
    addresses: AddressRules = HERE
    observed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hooks = self.another()

    def another(self) -> Webhooks:
        """What another process has."""
        return Webhooks(self.engine, self.addresses, self.schedule, self.rules, self.observed.append)

    def endpoint(self, url: str, *kinds: str) -> Endpoint:
        return self.hooks.endpoints.add(url, kinds, "", "tests")

    def tell(self, *numbers: int, subject: str = "", kind: str = "alert.received", **more: Any) -> None:
        with writing(self.engine) as connection:
            for number in numbers:
                Outbox.put(connection, kind, str(number), {"number": number}, subject=subject, **more)

    def run(self, until: Callable[[], bool], senders: int = 1, seconds: float = 20) -> None:
        """Send until something holds."""

        async def run() -> None:
            several = [self.hooks, *(self.another() for _ in range(senders - 1))]
            for each in several:
                each.sender._woken = asyncio.Event()
                each.sender.begin()
            deadline = time.monotonic() + seconds
            try:
                while not await asyncio.to_thread(until):
                    assert time.monotonic() < deadline, "it did not come to hold"
                    await asyncio.sleep(0.02)
            finally:
                for each in several:
                    await each.sender.end()

        asyncio.run(run())

    def states(self) -> list[str]:
        return [delivery.state.value for delivery in self.hooks.log.page(1_000)][::-1]

    def settled(self) -> bool:
        """Whether nothing waits, and something was there."""
        with self.engine.connect() as connection:
            unsent = connection.execute(
                text("SELECT count(*) FROM hook_events WHERE dispatched_at IS NULL AND withdrawn_at IS NULL")
            ).scalar_one()
        return not unsent and "waiting" not in self.states()


@pytest.fixture
def hooks(database: Engine) -> Hooks:
    return Hooks(database)


def ahead(seconds: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)

"""Load on a real server, from outside its process: a server to start, arrivals at a fixed rate, clients in a circle.

`ServerProcess` starts ``hazardlens serve`` on a free port and waits until it is ready; it tells address, resident
memory and seconds until ready. `request_bytes` makes a call once, before the clock runs. Then

- `open_loop(url, calls, rate, seconds)`: calls arrive at `rate` a second, by chance (Poisson), whether or not earlier
  ones are answered, as a crowd of clients does;
- `closed_loop(url, calls, clients, seconds)`: each of some clients sends its next call when its last one is answered.

Both take the calls in turn, over and over, and return one `Reply` for each. `Reply.seconds` counts from the moment the
call was sent; `Reply.late` is by how much that was later than planned, which shows when this process could not keep up.
`Summary.of(replies)` gives counts by status, calls a second and quantiles. From the command line of a benchmark:

>>> server = ServerProcess(Path("var/models/default"), HAZARDLENS_THREADS="2")              # doctest: +SKIP
>>> with server as url:                                                                     # doctest: +SKIP
...     replies = run(open_loop(url, [request_bytes(url, "POST", "/v1/assessments", body)], rate=100, seconds=10))
...     print(Summary.of(replies), server.resident_mb())
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import httptools
import numpy as np
import uvloop

ROOT = Path(__file__).resolve().parents[2]
KEYS: dict[str, str] = {}
"""Key of each server that was started here, by its address; `request_bytes` sends it."""
GAVE_UP = 0
"""Status of a call without an answer: the connection was refused or closed, or the answer did not come in time."""


@dataclass(slots=True)
class Reply:
    """What one call came to.

    Parameters
    ----------
    call : int
        Which of the given calls it was.
    sent : float
        Seconds since the start of the run.
    late : float
        Seconds by which it was sent later than planned.
    seconds : float
        From sending to the last byte of the answer.
    status : int
        `GAVE_UP` where there is no answer.
    body : bytes
        Empty unless bodies are kept.
    """

    call: int
    sent: float
    late: float
    seconds: float = 0.0
    status: int = GAVE_UP
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Summary:
    """Figures of some replies; times in milliseconds."""

    calls: int
    statuses: dict[int, int]
    a_second: float
    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, replies: Sequence[Reply], status: int | None = None) -> Self:
        """Return the figures of all replies, or of those with one status."""
        chosen = [reply for reply in replies if status is None or reply.status == status]
        times = np.array([1_000 * reply.seconds for reply in chosen]) if chosen else np.array([np.nan])
        whole = max((reply.sent + reply.seconds for reply in replies), default=np.nan)
        return cls(
            len(chosen),
            dict(sorted(Counter(reply.status for reply in chosen).items())),
            len(chosen) / whole,
            float(np.median(times)),
            float(np.quantile(times, 0.99)),
            float(times.max()),
        )

    def __str__(self) -> str:
        statuses = ", ".join(f"{number} x {status or 'no answer'}" for status, number in self.statuses.items())
        return (
            f"{self.a_second:7.1f}/s, median {self.median:6.1f} ms, p99 {self.p99:6.1f} ms, longest"
            f" {self.longest:6.1f} ms ({statuses})"
        )


class ServerProcess:
    """A real server, alone in its process, with an empty SQLite store of its own.

    Parameters
    ----------
    model : Path
    settings : str
        More environment variables, such as ``HAZARDLENS_THREADS="2"``.
    """

    def __init__(self, model: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.seconds_to_ready = float("nan")
        self._settings = {"HAZARDLENS_LOG_LEVEL": "warning", "HAZARDLENS_MODEL": str(model.resolve()), **settings}
        self._place = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process is not None
        return self._process.pid

    def resident_mb(self) -> float:
        """Resident memory of the process and its children in MB (1,000,000 bytes)."""
        return sum(_resident(pid) for pid in [self.pid, *_children(self.pid)]) / 1e6

    def __enter__(self) -> str:
        store = f"sqlite:///{self._place.name}/store.db"
        environment = {**os.environ, "HAZARDLENS_DATABASE_URL": store, **self._settings, "PYTHONPATH": str(ROOT)}
        begun = perf_counter()
        command = [sys.executable, "-m", "hazardlens", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(command, env=environment, cwd=self._place.name, stdout=subprocess.DEVNULL)
        while not _is_ready(self.url):
            if self._process.poll() is not None or perf_counter() - begun > 120:
                self.stop()
                raise SystemExit("the server did not become ready")
            time.sleep(0.02)
        self.seconds_to_ready = perf_counter() - begun
        making = [sys.executable, "-m", "hazardlens", "keys", "create", f"benchmark-{self.port}", "--role", "admin"]
        made = subprocess.run(making, env=environment, cwd=self._place.name, capture_output=True, text=True, check=True)
        KEYS[self.url] = made.stdout.strip()
        return self.url

    def stop(self) -> int:
        """End the server as an operator does, by SIGTERM, and return its exit status."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._place.cleanup()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def request_bytes(
    url: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """Return a whole HTTP/1.1 request."""
    given = {"Host": urlsplit(url).netloc, "Accept": "application/json", **(headers or {})}
    if url in KEYS:
        given = {"Authorization": f"Bearer {KEYS[url]}", **given}
    if method != "GET":
        given = {"Content-Type": "application/json", **given, "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def run(load: Coroutine[Any, Any, list[Reply]]) -> list[Reply]:
    """Run a load to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(load)


async def open_loop(
    url: str,
    calls: Sequence[bytes],
    rate: float,
    seconds: float,
    *,
    keep: bool = False,
    patience: float = 30.0,
    seed: int = 0,
) -> list[Reply]:
    """Send calls at a fixed rate, whatever becomes of earlier ones.

    Parameters
    ----------
    calls : sequence of bytes
        From `request_bytes`; taken in turn.
    rate : float
        Calls a second, on average; the gaps are exponential.
    keep : bool
        Keep headers and bodies of the answers.
    patience : float
        Seconds after which a call without an answer is given up.
    """
    connections = _Connections(url, keep)
    gaps = np.random.default_rng(seed).exponential(1 / rate, size=int(rate * seconds * 1.5) + 100)
    planned = np.cumsum(gaps)
    planned = planned[planned < seconds]
    begun = perf_counter()
    waiting: set[asyncio.Future[None]] = set()
    replies: list[Reply] = []
    for number, at in enumerate(planned):
        pause = begun + float(at) - perf_counter()
        # A pause of 0 lets the answers in; below a millisecond the loop's timer is not worth asking.
        await asyncio.sleep(pause if pause > 0.001 else 0)
        sent = perf_counter() - begun
        reply = Reply(number % len(calls), sent, max(0.0, sent - float(at)))
        replies.append(reply)
        done = connections.send(calls[reply.call], reply)
        waiting.add(done)
        done.add_done_callback(waiting.discard)
    if waiting:
        await asyncio.wait(list(waiting), timeout=patience)
    connections.close()
    return replies


async def closed_loop(
    url: str, calls: Sequence[bytes], clients: int, seconds: float, *, keep: bool = False
) -> list[Reply]:
    """Let some clients send call after call; each waits for its answer."""
    connections = _Connections(url, keep)
    numbers = cycle(range(len(calls)))
    begun = perf_counter()
    replies: list[Reply] = []

    async def client() -> None:
        while (now := perf_counter() - begun) < seconds:
            reply = Reply(next(numbers), now, 0.0)
            replies.append(reply)
            await connections.send(calls[reply.call], reply)

    await asyncio.gather(*(client() for _ in range(clients)))
    connections.close()
    return replies


class _Connections:
    """Kept-alive connections to one server; a call takes a free one or opens another."""

    def __init__(self, url: str, keep: bool) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.keep = parts.hostname, parts.port, keep
        self.free: list[_Connection] = []
        self.all: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()

    def send(self, call: bytes, reply: Reply) -> asyncio.Future[None]:
        """Send a call; the future is done once the reply is complete or the connection lost."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        while self.free:
            connection = self.free.pop()
            if connection.usable:
                connection.ask(call, reply, done)
                return done
        opening = loop.create_task(self._open_and_ask(call, reply, done))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        return done

    async def _open_and_ask(self, call: bytes, reply: Reply, done: asyncio.Future[None]) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), self.host, self.port
            )
        except OSError:
            done.set_result(None)
            return
        connection.ask(call, reply, done, begun=perf_counter())

    def close(self) -> None:
        """Close every connection; what is not answered stays `GAVE_UP`."""
        for connection in list(self.all):
            connection.close()


class _Connection(asyncio.Protocol):
    def __init__(self, connections: _Connections) -> None:
        self._connections = connections
        self._reply: Reply | None = None
        self._done: asyncio.Future[None] | None = None
        self._begun = 0.0
        self.usable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._connections.all.add(self)

    def ask(self, call: bytes, reply: Reply, done: asyncio.Future[None], begun: float | None = None) -> None:
        self._reply, self._done, self._begun = reply, done, begun or perf_counter()
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(call)

    def data_received(self, data: bytes) -> None:
        if self._reply is not None:
            self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._connections.keep and self._reply is not None:
            self._reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        if self._connections.keep and self._reply is not None:
            self._reply.body += body

    def on_message_complete(self) -> None:
        if self._reply is not None:
            self._reply.seconds = perf_counter() - self._begun
            self._reply.status = self._parser.get_status_code()
        self.usable = self._parser.should_keep_alive()
        if self.usable:
            self._connections.free.append(self)
        else:
            self._transport.close()
        self._end()

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        self._connections.all.discard(self)
        if self._reply is not None:
            self._reply.seconds = perf_counter() - self._begun
        self._end()

    def close(self) -> None:
        self._transport.close()

    def _end(self) -> None:
        self._reply = None
        if self._done is not None and not self._done.done():
            self._done.set_result(None)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _resident(pid: int) -> int:
    """Resident bytes of a process, from /proc (Linux)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [child for first in map(int, found) for child in (first, *_children(first))]

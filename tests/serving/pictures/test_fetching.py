"""Pictures by URL: a real server on this machine does everything that a bad one might."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest

from models.domain.errors import InputError
from serving.outgoing.addresses import AddressRules, Guard, resolved
from serving.pictures.fetching import Fetcher, FetchLimits
from serving.pictures.offered import Hosts

LIMITS = FetchLimits(seconds=1.5, silence=0.7, bytes=50_000, redirects=3)
PICTURE = b"\xff\xd8\xff" + bytes(20_000)
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


async def head(writer: Writer, status: str, *lines: str) -> None:
    writer.write("\r\n".join((f"HTTP/1.1 {status}", *lines, "Connection: close", "", "")).encode())
    await writer.drain()


class BadServer:
    """Answers each path in a way of its own; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split()[1]
        self.asked.append(path)
        answers: dict[str, Callable[[Writer], Awaitable[None]]] = {
            "/picture": self._picture, "/slow-head": self._slow_head, "/slow-body": self._slow_body,
            "/silent": self._silent, "/endless": self._endless, "/announced": self._announced, "/packed": self._packed,
            "/missing": self._missing, "/broken": self._broken,
        }  # fmt: skip
        try:
            if path.startswith("/to/"):
                await head(writer, "302 Found", f"Location: {path.removeprefix('/to/')}")
            elif path.startswith("/again/"):
                await head(writer, "301 Moved", f"Location: /again/{int(path.removeprefix('/again/')) + 1}")
            else:
                await answers[path](writer)
        except ConnectionError:
            return  # the client has seen enough
        finally:
            writer.close()

    async def _picture(self, writer: Writer) -> None:
        await head(writer, "200 OK", "Content-Type: text/html")  # a lie: nobody believes it
        writer.write(PICTURE)
        await writer.drain()

    async def _slow_head(self, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: and more\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def _slow_body(self, writer: Writer) -> None:
        await head(writer, "200 OK", "Content-Length: 20000")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def _silent(self, writer: Writer) -> None:
        await head(writer, "200 OK", "Content-Length: 20000")
        await asyncio.sleep(30)

    async def _endless(self, writer: Writer) -> None:
        await head(writer, "200 OK")
        while True:
            writer.write(bytes(8_192))
            await writer.drain()

    async def _announced(self, writer: Writer) -> None:
        await head(writer, "200 OK", "Content-Length: 50001")
        await asyncio.sleep(30)

    async def _packed(self, writer: Writer) -> None:
        await head(writer, "200 OK", "Content-Encoding: gzip")
        writer.write(b"\x1f\x8b" + bytes(100))

    async def _missing(self, writer: Writer) -> None:
        await head(writer, "404 Not Found")

    async def _broken(self, writer: Writer) -> None:
        await head(writer, "200 OK", "Content-Length: 20000")
        writer.write(b"half")
        await writer.drain()


@pytest.fixture(scope="module")
def server() -> Iterator[BadServer]:
    server = BadServer()
    yield server
    server.close()


def fetch(
    server: BadServer,
    path: str,
    *,
    host: str = "127.0.0.1",
    resolve: Callable[[str, int], Sequence[str]] = resolved,
    limits: FetchLimits = LIMITS,
) -> bytes:
    """Fetch from the server, whose one address stands for the public internet; all others of this machine do not."""
    rules = AddressRules((ip_network("127.0.0.1/32"),), https_only=False)
    hosts = Hosts(("127.0.0.1", "127.0.0.2", "169.254.169.254", "shop.example", "*.cdn.example"))
    return asyncio.run(Fetcher(hosts, Guard(rules, resolve), limits).fetch(f"http://{host}:{server.port}{path}"))


def test_a_picture_is_fetched_whatever_it_is_called(server: BadServer) -> None:
    assert fetch(server, "/picture") == PICTURE
    assert fetch(server, "/picture", host="a.cdn.example", resolve=lambda *_: ["127.0.0.1"]) == PICTURE


def test_a_redirect_to_an_allowed_place_is_followed(server: BadServer) -> None:
    assert fetch(server, f"/to/http://127.0.0.1:{server.port}/picture") == PICTURE
    assert fetch(server, "/to//picture") == PICTURE


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/missing", "answers 404"),
        ("/endless", "has more than 50,000 bytes"),
        ("/announced", "has more than 50,000 bytes"),
        ("/packed", "answers with a packed body"),
        ("/broken", "cannot be fetched"),
        ("/silent", "says nothing for 0.7 s"),
        ("/slow-head", "takes more than 1.5 s"),
        ("/slow-body", "takes more than 1.5 s"),
        ("/again/1", "leads on more than 3 times"),
        ("/to/file:///etc/passwd", "which is not allowed"),
        ("/to/http://evil.example/x", "leads to evil.example, which is not allowed"),
    ],
)
def test_what_a_bad_server_does_ends_in_time_and_is_named(server: BadServer, path: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refusal:  # what has no end would never come here
        fetch(server, path)
    assert refusal.value.hint


def test_ten_redirects_are_not_followed_to_their_end(server: BadServer) -> None:
    server.asked.clear()
    with pytest.raises(InputError, match="leads on more than 3 times"):
        fetch(server, "/again/1")
    assert server.asked == [f"/again/{step}" for step in range(1, 5)]


@pytest.mark.parametrize("target", ["127.0.0.2", "169.254.169.254"])
def test_a_redirect_to_a_private_address_is_refused_before_anything_is_connected(
    server: BadServer, target: str
) -> None:
    server.asked.clear()
    with pytest.raises(InputError, match=f"{target} leads to {target}, which is not public"):
        fetch(server, f"/to/http://{target}:{server.port}/picture")
    assert len(server.asked) == 1


def test_a_name_that_leads_to_a_private_address_is_refused(server: BadServer) -> None:
    server.asked.clear()
    with pytest.raises(InputError, match=r"shop.example leads to 10.0.0.7, which is not public"):
        fetch(server, "/picture", host="shop.example", resolve=lambda *_: ["127.0.0.1", "10.0.0.7"])
    assert server.asked == []


def test_a_name_that_resolves_otherwise_a_moment_later_gains_nothing(server: BadServer) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    asked: list[str] = []

    def changing(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    # Resolved once, checked, and connected to what was checked.
    assert fetch(server, "/picture", host="shop.example", resolve=changing) == PICTURE
    assert asked == ["shop.example"]
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    with pytest.raises(InputError, match="not public"):  # each step is checked anew
        fetch(server, "/again/1", host="shop.example", resolve=changing)


def test_a_resolver_that_hangs_is_not_waited_for(server: BadServer) -> None:
    going_on = threading.Event()

    def hanging(host: str, port: int) -> Sequence[str]:
        going_on.wait(20)
        return ["127.0.0.1"]

    try:
        with pytest.raises(InputError, match=r"takes more than 0.3 s"):
            fetch(server, "/picture", host="shop.example", resolve=hanging, limits=replace(LIMITS, seconds=0.3))
    finally:
        going_on.set()


def test_only_named_hosts_are_asked(server: BadServer) -> None:
    with pytest.raises(InputError, match="localhost, which is not allowed"):
        fetch(server, "/picture", host="localhost")

"""Requests go to the addresses that were checked, and to no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from serving.outgoing.addresses import AddressRules, Guard, TargetError, read_networks, resolved
from serving.outgoing.transport import AsyncCheckedTransport, CheckedTransport

HERE = AddressRules(read_networks("127.0.0.1"))


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.headers["Host"].encode() + b" " + said
        self.send_response(302 if self.path == "/elsewhere" else 200)
        if self.path == "/elsewhere":
            self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


Post = Callable[[Guard, str], httpx.Response]


def post(guard: Guard, url: str) -> httpx.Response:
    with httpx.Client(transport=CheckedTransport(guard)) as client:
        return client.post(url, content=b"said")


def post_async(guard: Guard, url: str) -> httpx.Response:
    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=AsyncCheckedTransport(guard)) as client:
            return await client.post(url, content=b"said")

    return asyncio.run(run())


@pytest.fixture(params=[post, post_async])
def send(request: pytest.FixtureRequest) -> Post:
    chosen: Post = request.param
    return chosen


def answers(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda host, port: addresses


def test_a_name_is_asked_at_its_address_and_by_its_name(send: Post, port: int) -> None:
    answer = send(Guard(HERE, answers("127.0.0.1")), f"http://hooks.example:{port}/in")
    assert answer.text == f"hooks.example:{port} said"


def test_a_name_that_resolves_otherwise_a_moment_later_gains_nothing(send: Post, port: int) -> None:
    """The name is resolved once a request: what was checked is what is connected to."""
    asked = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1" if len(asked) == 1 else "127.0.0.2"]

    answer = send(Guard(HERE, rebinding), f"http://hooks.example:{port}/in")
    assert answer.status_code == 200
    assert asked == ["hooks.example"]
    with pytest.raises(TargetError, match=r"127\.0\.0\.2"):
        send(Guard(HERE, rebinding), f"http://hooks.example:{port}/in")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_refused_in_every_spelling(send: Post, port: int, host: str) -> None:
    with pytest.raises((TargetError, httpx.ConnectError, httpx.InvalidURL)) as refused:
        send(Guard(AddressRules(https_only=False), resolved), f"http://{host}:{port}/in")
    assert "127.0.0.1" in str(refused.value) or "::1" in str(refused.value) or "no address" in str(refused.value)


def test_an_address_that_does_not_answer_leads_to_the_next(send: Post, port: int) -> None:
    rules = AddressRules(read_networks("127.0.0.0/8"))
    answer = send(Guard(rules, answers("127.0.0.9", "127.0.0.1")), f"http://hooks.example:{port}/in")
    assert answer.status_code == 200


def test_a_name_without_an_address_is_a_failed_connection(send: Post) -> None:
    def none(host: str, port: int) -> Sequence[str]:
        raise OSError("unknown")

    with pytest.raises(httpx.ConnectError, match=r"nowhere\.example has no address"):
        send(Guard(HERE, none), "http://nowhere.example/")
    with pytest.raises(httpx.ConnectError, match=r"nowhere\.example has no address"):
        send(Guard(HERE, answers()), "http://nowhere.example/")


def test_each_step_of_a_redirect_is_checked(port: int) -> None:
    guard = Guard(HERE, lambda host, port: ["127.0.0.1"] if host == "hooks.example" else [host])
    with (
        httpx.Client(transport=CheckedTransport(guard), follow_redirects=True) as client,
        pytest.raises(TargetError, match=r"169\.254\.169\.254"),
    ):
        client.post(f"http://hooks.example:{port}/elsewhere", content=b"said")


def test_a_proxy_of_the_environment_is_not_asked(send: Post, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert send(Guard(HERE, answers("127.0.0.1")), f"http://hooks.example:{port}/in").status_code == 200

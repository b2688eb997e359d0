"""A captioning service over HTTP: a real server that answers, stumbles, dawdles and lies."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from models.captioning.captioner import CaptioningError
from models.captioning.remote import RemoteCaptioner, RemoteLimits
from models.domain.listing import Caption
from tests.captioning.conftest import draw

PICTURE = draw(("box", 20), size=(60, 40))
GOOD = json.dumps({"captions": [{"text": "a green laser", "confidence": 0.8}, {"text": " "}]}).encode()


@dataclass
class Service:
    """Answers with (status, body, headers) or what a function does with the handler, one after the other."""

    url: str = ""
    script: list[tuple[int, bytes, dict[str, str]] | Callable[[BaseHTTPRequestHandler], None]] = field(
        default_factory=list
    )
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((dict(self.headers), body))
            step = told.script.pop(0) if len(told.script) > 1 else told.script[0]
            if callable(step):
                step(self)
                return
            status, content, headers = step
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/caption"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def asked(service: Service, **limits: float) -> list[Caption]:
    return RemoteCaptioner(service.url, "s3cret", RemoteLimits(**limits)).captions(PICTURE, ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "captions"),
    [
        (GOOD, [Caption(text="a green laser", source="caption", confidence=0.8)]),
        (b'[{"generated_text": "a pen"}]', [Caption(text="a pen", source="caption")]),
        (b'{"captions": []}', []),
    ],
)
def test_a_picture_goes_out_as_jpeg_and_captions_come_back(
    service: Service, body: bytes, captions: list[Caption]
) -> None:
    service.script = [(200, body, {})]

    assert asked(service) == captions
    ((headers, sent),) = service.requests
    assert headers["Authorization"] == "Bearer s3cret"
    with Image.open(io.BytesIO(sent)) as image:
        assert (image.format, image.size) == ("JPEG", (60, 40))


def test_it_is_asked_again_where_that_helps(service: Service) -> None:
    service.script = [(503, b"", {"Retry-After": "0"}), (429, b"", {"Retry-After": "0"}), (200, GOOD, {})]

    assert len(asked(service)) == 1
    assert len(service.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 302, 404])
def test_a_refusal_is_final(service: Service, status: int) -> None:
    service.script = [(status, b"", {"Location": service.url})]
    with pytest.raises(CaptioningError, match=f"answered {status}"):
        asked(service)

    assert len(service.requests) == 1


def test_a_wait_beyond_its_time_is_not_waited(service: Service) -> None:
    service.script = [(503, b"", {"Retry-After": "3600"})]
    with pytest.raises(CaptioningError, match="answered 503"):
        asked(service)

    assert len(service.requests) == 1


_DRUNK_UP = threading.Event()
"""Set where somebody waited for the last drop."""


def dawdle(handler: BaseHTTPRequestHandler) -> None:
    """Send an answer drop by drop, for ten seconds or until nobody listens."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(200):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return
    _DRUNK_UP.set()


def flood(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(64):
            handler.wfile.write(b" " * 1_000_000)
    except OSError:
        return


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (dawdle, "took more than 0.5 s"),
        (flood, "more than 1,000,000 bytes"),
        ((200, b"<html>", {}), "holds no captions"),
        ((200, b'{"captions": [{"text": 7}]}', {}), "holds no captions"),
        ((200, b'{"captions": [{"text": "x", "confidence": 7}]}', {}), "holds no captions"),
        ((200, b"[7]", {}), "holds no captions"),
        ((200, b"{}", {"Content-Encoding": "gzip"}), "unreadable"),
    ],
)
def test_a_bad_answer_costs_no_more_than_its_time(service: Service, answer: object, told: str) -> None:
    service.script = [answer]  # type: ignore[list-item]
    with pytest.raises(CaptioningError, match=told):
        asked(service, seconds=0.5 if answer is dawdle else 60)
    assert not _DRUNK_UP.is_set()


def test_a_service_that_is_not_there_is_told() -> None:
    captioner = RemoteCaptioner("http://127.0.0.1:9/", limits=RemoteLimits(attempts=1))
    with pytest.raises(CaptioningError, match="cannot be reached"):
        captioner.captions(PICTURE, ())


def test_the_budget_of_a_day_is_kept_and_comes_back(service: Service) -> None:
    now = [0.0]
    service.script = [(200, GOOD, {})]
    captioner = RemoteCaptioner(service.url, limits=RemoteLimits(a_day=2, failures=1), clock=lambda: now[0])
    captioner.captions(PICTURE, ())
    captioner.captions(PICTURE, ())
    with pytest.raises(CaptioningError, match="2 requests are spent"):
        captioner.captions(PICTURE, ())
    now[0] = 86_401.0

    assert len(captioner.captions(PICTURE, ())) == 1
    assert len(service.requests) == 3


def test_a_service_that_is_down_is_left_in_peace_and_tried_again_later(service: Service) -> None:
    now = [0.0]
    service.script = [(500, b"", {})]
    limits = RemoteLimits(attempts=1, failures=2, rest_seconds=60)
    captioner = RemoteCaptioner(service.url, limits=limits, clock=lambda: now[0])
    for told in ("answered 500", "answered 500", "left in peace", "left in peace"):
        with pytest.raises(CaptioningError, match=told):
            captioner.captions(PICTURE, ())
    assert len(service.requests) == 2
    now[0] = 61.0
    with pytest.raises(CaptioningError, match="answered 500"):
        captioner.captions(PICTURE, ())
    with pytest.raises(CaptioningError, match="left in peace"):
        captioner.captions(PICTURE, ())
    service.script = [(200, GOOD, {})]
    now[0] = 122.0

    assert len(captioner.captions(PICTURE, ())) == 1
    assert len(captioner.captions(PICTURE, ())) == 1

"""Webhooks at the other end: checked, handled once, and answered.

`verify_webhook` is all that a receiver in another framework needs; `Receiver` is a whole one in the standard library,
for trying things out and for small installations.

Examples
--------
>>> from serving.hooks.signing import signature_header
>>> header = signature_header(["whsec_example"], 1700000000, b"{}")
>>> verify_webhook("whsec_example", header, b"{}", now=1700000012)
1700000000
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import orjson

from serving.hooks.signing import SIGNATURE_HEADER, TOLERANCE, WebhookRefusedError, verify_webhook

__all__ = ["Receiver", "WebhookEvent", "WebhookRefusedError", "verify_webhook"]
_LOG = logging.getLogger(__name__)
_LONGEST = 5_000_000
_REMEMBERED = 100_000


@dataclass(frozen=True)
class WebhookEvent:
    """What a webhook says.

    Parameters
    ----------
    id : str
        The same at every delivery of the event: handle it once.
    kind : str
    subject : str
        What it is about; events of one subject come in order.
    created_at : str
        ISO 8601, UTC.
    body : dict
    """

    id: str
    kind: str
    subject: str
    created_at: str
    body: dict[str, Any]


class Receiver:
    """Listens for webhooks, refuses what is not signed or is too old, and hands each event on once.

    What was handled is known as long as the process lives, the last 100,000 ids of it. Whoever must not handle an event
    again after a restart keeps its id together with what was done, in one transaction.

    Parameters
    ----------
    secret : str or iterable of str
        Of the endpoint; several while one replaces another.
    handle : callable
        Gets each event; while it raises, the event is sent again later. One event at a time.
    host, port
        Where to listen; port 0 takes a free one.
    tolerance : float
        Seconds that the time of sending may be off.

    Examples
    --------
    >>> with Receiver("whsec_example", print) as receiver:
    ...     receiver.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        secret: str | Iterable[str],
        handle: Callable[[WebhookEvent], object],
        host: str = "127.0.0.1",
        port: int = 0,
        tolerance: float = TOLERANCE,
    ) -> None:
        self._secrets = [secret] if isinstance(secret, str) else list(secret)
        self._handle, self._tolerance = handle, tolerance
        self._known: OrderedDict[str, None] = OrderedDict()
        self._one_at_a_time = threading.Lock()
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        """Listen in the background."""
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def listen(self) -> None:
        """Listen until the process is interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def take(self, signature: str, content: bytes) -> int:
        """Take one request; return the status to answer with: 200, also for what is known; 400, 401 or 500."""
        try:
            verify_webhook(self._secrets, signature, content, self._tolerance)
        except WebhookRefusedError as refusal:
            _LOG.warning("a webhook was refused: %s", refusal)
            return 401
        try:
            given = orjson.loads(content)
            event = WebhookEvent(*(given[field.name] for field in fields(WebhookEvent)))  # others may come to be added
        except (orjson.JSONDecodeError, TypeError, KeyError) as error:
            _LOG.warning("a webhook could not be read: %s", error)
            return 400
        with self._one_at_a_time:
            if event.id in self._known:
                return 200
            try:
                self._handle(event)
            except Exception:  # noqa: BLE001  (whatever went wrong: the event is sent again, and the next one may do)
                _LOG.exception("event %s could not be handled", event.id)
                return 500
            self._known[event.id] = None
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return 200


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(place, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  (the standard library's signature)
        """Note a caller that went away, without a trace on the screen."""
        _LOG.debug("a caller went away", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10.0

    def do_POST(self) -> None:
        """Take a webhook."""
        announced = self.headers.get("Content-Length", "")
        if not announced.isdecimal() or int(announced) > _LONGEST:
            self.close_connection = True
            self._say(413 if announced.isdecimal() else 411)
            return
        content = self.rfile.read(int(announced))
        if len(content) < int(announced):  # the sender broke off: it sends the whole again
            self.close_connection = True
            return
        assert isinstance(self.server, _Server)
        self._say(self.server.receiver.take(self.headers.get(SIGNATURE_HEADER, ""), content))

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log a request where somebody wants to know."""
        _LOG.debug(format, *arguments)

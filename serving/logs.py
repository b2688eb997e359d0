"""The server's log: one line a request, as text or JSON, and nothing that a seller wrote unless it is allowed."""

from __future__ import annotations

import logging
import queue
import traceback
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import Any

import orjson
from starlette.types import Scope

from serving.access.asking import known_principal

_requests = logging.getLogger("hazardlens.request")
_FIELDS = "request"
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told at debug level only."""


def log_request(scope: Scope, identifier: str, route: str, status: int, seconds: float) -> None:
    """Write the line of one answered request."""
    level = logging.DEBUG if route in _QUIET and status < 500 else logging.INFO
    if not _requests.isEnabledFor(level):
        return
    state, principal = scope["state"], known_principal(scope)
    fields = {
        "request_id": identifier,
        "key": principal.credential if principal is not None else None,
        "name": principal.name if principal is not None else None,
        "method": scope["method"],
        "route": route,
        "status": status,
        "ms": round(seconds * 1_000, 1),
        "listings": state.get("listings"),
    }
    if "titles" in state:
        fields["titles"] = state["titles"]
    _requests.log(
        level, "%s", " ".join(f"{k}={v}" for k, v in fields.items() if v is not None), extra={_FIELDS: fields}
    )


class _Careful(logging.Formatter):
    """Leaves out the messages of unexpected exceptions: these may quote a listing. Types and places remain.

    Parameters
    ----------
    listings : bool
        Whether what sellers write may be logged.
    """

    def __init__(self, listings: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._listings = listings

    def formatException(self, ei: Any) -> str:  # noqa: N802  (the name of the base class)
        """Return the traceback, with or without messages."""
        if self._listings:
            return super().formatException(ei)
        error, parts = ei[1], list[str]()
        while error is not None and len(parts) < 10:
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}: (message left out)")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\n".join(reversed(parts))


class _Json(_Careful):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        fields = getattr(record, _FIELDS, None)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        line |= fields if fields is not None else {"message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class _Hands(QueueHandler):
    """Hands records over as they are: they stay in this process."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return the record unchanged; arguments are texts and numbers here, which nobody changes later."""
        return record


def begin_logging(level: str, form: str, listings: bool) -> QueueListener:
    """Send every log record of the process to stderr, from a thread of its own: a slow reader stops no request.

    Parameters
    ----------
    level : str
        One of `serving.settings.LOG_LEVELS`.
    form : {"text", "json"}
    listings : bool
        Whether what sellers write may be logged.

    Returns
    -------
    QueueListener
        Stop it at the end, so that the last lines are written.
    """
    written = logging.StreamHandler()
    written.setFormatter(_Json(listings) if form == "json" else _Careful(listings))
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.handlers[:] = [_Hands(waiting)]
    logging.getLogger("hazardlens").setLevel(logging.NOTSET)  # the command line had it quieter until here
    logging.getLogger("alembic").setLevel(logging.WARNING)
    listener = QueueListener(waiting, written)
    listener.start()
    return listener

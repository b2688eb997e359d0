"""A captioner in a process of its own: what hangs is ended, and memory is given back when nothing is left to read."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from models.captioning.captioner import CaptioningError, PictureToRead
from models.child_process import ChildProcess
from models.domain.listing import Caption

_MODULE = "models.captioning.isolation_child"
_START_SECONDS = 120.0
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "TESSDATA_PREFIX",
    "OMP_THREAD_LIMIT",
    "OMP_NUM_THREADS",
    "HAZARDLENS_DATASETS",
    "HAZARDLENS_CACHE",
)
"""What the process is told of ours: no password or key is among it."""


class IsolatedCaptioner:
    """Runs one captioner elsewhere; safe to use from several threads, one picture at a time.

    Native code that hangs cannot be stopped in a thread, so that a time box needs a process. It starts with the first
    picture; where it had to be ended, the next picture gets a new one.

    Parameters
    ----------
    source, key
        Of the captioner, see `Captioner`.
    made_by : str
        The captioner's class, as ``module:name``; imported only in the process.
    settings : mapping
        Arguments of the captioner, as JSON can say them.
    seconds : float
        Time by the clock that one picture may take.
    idle_seconds : float
        After so long without a picture the process is ended.
    """

    def __init__(
        self,
        source: str,
        key: str,
        made_by: str,
        settings: Mapping[str, Any] | None = None,
        *,
        seconds: float = 60.0,
        idle_seconds: float = 300.0,
    ) -> None:
        self.source = source
        self.key = key
        self.seconds = seconds
        self.idle_seconds = idle_seconds
        self._start = orjson.dumps({"made_by": made_by, "settings": dict(settings or {})}) + b"\n"
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None
        self._idle: threading.Timer | None = None

    @property
    def process_id(self) -> int | None:
        """Of the process, None where there is none."""
        return None if self._process is None else self._process.id

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:  # noqa: ARG002
        """Return the captions of a picture.

        Raises
        ------
        CaptioningError
            Where the captioner fails, takes too long or ends.
        """
        image = picture.image.convert("RGB")
        head = orjson.dumps({"size": image.size}) + b"\n"
        with self._lock:
            self._stay()
            try:
                answer = self._within(self._living(), head + image.tobytes(), self.seconds)
            finally:
                self._end_when_idle()
        if "failure" in answer:
            raise CaptioningError(answer["failure"])
        return [Caption.model_validate(raw) for raw in answer["captions"]]

    def close(self) -> None:
        """End the process; the next picture starts another."""
        with self._lock:
            self._stay()
            self._end()

    def _living(self) -> ChildProcess:
        if self._process is not None and self._process.lives:
            return self._process
        self._end()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._process = ChildProcess(_MODULE, environment)
        ready = self._within(self._process, self._start, _START_SECONDS)
        if "failure" in ready:
            self._end()
            raise CaptioningError(ready["failure"])
        return self._process

    def _within(self, process: ChildProcess, message: bytes, seconds: float) -> dict[str, Any]:
        """Send a message and return the answer; end the process where it gives none in time."""
        with process.killed_after(seconds) as overdue:
            try:
                process.to.write(message)
                process.to.flush()
                line = process.back.readline()
            except BrokenPipeError:
                line = b""
        if line:
            answer: dict[str, Any] = orjson.loads(line)
            return answer
        code = self._end()
        raise CaptioningError(f"took more than {seconds:g} s" if overdue.is_set() else f"ended with code {code}")

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def _end_when_idle(self) -> None:
        self._idle = threading.Timer(self.idle_seconds, self.close)
        self._idle.daemon = True
        self._idle.start()

    def _end(self) -> int:
        process, self._process = self._process, None
        return 0 if process is None else process.end()

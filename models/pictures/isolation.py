"""Decodes in a process of its own, held by the system to a share of memory and processor time."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict, dataclass
from typing import Any, Self

from PIL import Image

from models.child_process import ChildProcess
from models.domain.errors import InputError
from models.pictures.decoding import DecodeLimits, Picture, check_file
from models.pictures.decoding_child import read_message, write_message

_MODULE = "models.pictures.decoding_child"
_GIVES_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""Blocks of pixels go back to the system at once, so that no picture has less memory than the one before."""
_SMALLER = "save it again, smaller, as JPEG"


@dataclass(frozen=True)
class Confinement:
    """What the process gets for each picture.

    Parameters
    ----------
    seconds : float
        Of processor time.
    patience : float
        Seconds by the clock after which it is ended whatever it does: many times as long, for a busy machine.
    memory : int
        Bytes of its address space, interpreter included; on Linux what it has in memory is less.
    """

    seconds: float = 1.5
    patience: float = 20.0
    memory: int = 290_000_000


class IsolatedDecoder:
    """Decodes files of strangers, one at a time; safe to use from several threads.

    The process is started with the first picture and stays, since a start costs more than most pictures. What ends it,
    a codec that crashes or runs out of memory or time, costs that one picture; the next gets a new process. It has no
    environment of ours, so that a codec that was taken over finds no password in it, and can neither write files nor
    take more memory.

    Parameters
    ----------
    limits : DecodeLimits
    confinement : Confinement
    """

    def __init__(self, limits: DecodeLimits | None = None, confinement: Confinement | None = None) -> None:
        self.limits = limits or DecodeLimits()
        self.confinement = confinement or Confinement()
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None

    def decode(self, data: bytes) -> Picture:
        """Read a picture.

        Raises
        ------
        InputError
            Naming what is wrong and the mend; also where the process had to be ended.
        """
        check_file(data, self.limits)
        with self._lock:
            return self._decode(data)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Of the process, None where there is none."""
        return None if self._process is None else self._process.id

    def _decode(self, data: bytes) -> Picture:
        before = self._process
        process = self._process = self._living()
        with process.killed_after(self.confinement.patience) as overdue:
            answer = _exchange(process, data)
        if answer is None:
            code = self._end()
            if process is before and code != -signal.SIGPROF and not overdue.is_set():
                return self._decode(data)  # what ended it may have been the picture before, or somebody else
            raise _ended(code, overdue.is_set(), self.confinement)
        head, body = answer
        if "message" in head:
            raise InputError(head["message"], hint=head["hint"])
        image = Image.frombytes("RGB", tuple(head["size"]), body)
        return Picture(head["sha256"], head["width"], head["height"], head["format"], image)

    def _living(self) -> ChildProcess:
        if self._process is not None and self._process.lives:
            return self._process
        self._end()
        process = ChildProcess(_MODULE, {"MALLOC_ARENA_MAX": "1", **_GIVES_BACK})
        kept = self.confinement
        settings = {"limits": asdict(self.limits), "seconds": kept.seconds, "memory": kept.memory}
        write_message(process.to, settings, b"")
        if read_message(process.back) is None:
            raise RuntimeError(f"the process that decodes pictures did not start: {process.wait()}")
        return process

    def _end(self) -> int:
        process, self._process = self._process, None
        return 0 if process is None else process.end()


def _exchange(process: ChildProcess, data: bytes) -> tuple[dict[str, Any], bytes] | None:
    try:
        write_message(process.to, {}, data)
    except BrokenPipeError:
        return None
    return read_message(process.back)


def _ended(code: int, overdue: bool, confinement: Confinement) -> InputError:
    if overdue or code == -signal.SIGPROF:
        seconds = confinement.patience if overdue else confinement.seconds
        return InputError(f"takes more than {seconds:g} s to decode", hint=_SMALLER)
    return InputError("makes the decoder fail", hint=_SMALLER)

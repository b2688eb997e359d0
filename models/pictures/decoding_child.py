"""The process of `IsolatedDecoder`: reads files from its standard input, writes pixels, and can do nothing else.

Between the two processes go: the lengths of a JSON head and of a body, as two unsigned 32-bit integers in network
order, then both. This side imports no numpy, whose threads alone reserve more memory than most pictures need.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from typing import IO, Any

from PIL import AvifImagePlugin, Image

from models.domain.errors import InputError
from models.pictures.decoding import DecodeLimits, decode

LENGTHS = struct.Struct("!II")


def write_message(stream: IO[bytes], head: dict[str, Any], body: bytes) -> None:
    """Write one message."""
    text = json.dumps(head).encode()
    stream.write(LENGTHS.pack(len(text), len(body)) + text)
    stream.write(body)
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one message; None where the other side has ended, in the middle of one or before."""
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head_length, body_length = LENGTHS.unpack(lengths)
    text, body = stream.read(head_length), stream.read(body_length)
    return (json.loads(text), body) if len(text) == head_length and len(body) == body_length else None


def _confine(memory: int) -> None:
    """Give up what decoding does not need: more memory, files, processes."""
    for name, value in (("RLIMIT_AS", memory), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0), ("RLIMIT_NOFILE", 16)):
        resource.setrlimit(getattr(resource, name), (value, value))


def main() -> None:
    """Decode until the other side ends."""
    first = read_message(sys.stdin.buffer)
    if first is None:
        return
    settings = first[0]
    limits = DecodeLimits(**settings["limits"])
    Image.init()
    Image.MAX_IMAGE_PIXELS = limits.pixels // 2  # Pillow raises at twice that, before a WebP's canvas is made
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread would reserve memory of its own
    _confine(settings["memory"])
    write_message(sys.stdout.buffer, {"ready": True}, b"")
    while (message := read_message(sys.stdin.buffer)) is not None:
        # Processor time, so that a busy machine refuses no honest picture. The signal ends the process.
        signal.setitimer(signal.ITIMER_PROF, settings["seconds"])
        try:
            picture = decode(message[1], limits)
        except InputError as error:
            answer: dict[str, Any] = {"message": error.message, "hint": error.hint}
            body = b""
        else:
            answer = {
                "sha256": picture.sha256, "width": picture.width, "height": picture.height,
                "format": picture.format, "size": picture.image.size,
            }  # fmt: skip
            body = picture.image.tobytes()
            del picture
        signal.setitimer(signal.ITIMER_PROF, 0)
        del message
        write_message(sys.stdout.buffer, answer, body)


if __name__ == "__main__":
    main()

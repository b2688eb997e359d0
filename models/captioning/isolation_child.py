"""The process of `IsolatedCaptioner`: pictures come in by standard input, captions go out by standard output.

First a JSON line says which captioner to make; then, for each picture, a JSON line with its size and the RGB pixels.
Each is answered by one JSON line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

import orjson
from PIL import Image

from models.captioning.captioner import Captioner, CaptioningError
from models.domain.errors import InputError


@dataclass(frozen=True)
class _Pixels:
    image: Image.Image
    sha256: str = ""


def main() -> None:
    """Answer until the other side ends."""
    # Libraries print to standard output as they like; the answers keep it for themselves.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)


def serve(pictures: BinaryIO, answers: BinaryIO) -> None:
    """Make the captioner that the first line asks for, then answer each picture."""
    first = pictures.readline()
    if not first:
        return
    asked = orjson.loads(first)
    made: list[Captioner] = []

    def make() -> dict[str, Any]:
        module, _, name = asked["made_by"].partition(":")
        made.append(getattr(import_module(module), name)(**asked["settings"]))
        return {"ready": True}

    _write(answers, _answered(make))
    while made and (line := pictures.readline()):
        size = tuple(orjson.loads(line)["size"])
        pixels = pictures.read(size[0] * size[1] * 3)
        if len(pixels) < size[0] * size[1] * 3:
            return
        picture = _Pixels(Image.frombytes("RGB", size, pixels))

        def read(picture: _Pixels = picture) -> dict[str, Any]:
            found = made[0].captions(picture, ())
            return {"captions": [caption.model_dump(exclude_defaults=True) for caption in found]}

        _write(answers, _answered(read))


def _answered(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except (CaptioningError, InputError) as error:
        return {"failure": str(error)}
    except Exception as error:  # noqa: BLE001  (whatever a library raises at a picture is told to the other side)
        return {"failure": f"broke with {type(error).__name__}: {error}"[:300]}


def _write(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(orjson.dumps(answer) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()

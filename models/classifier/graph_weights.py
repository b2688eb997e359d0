"""The largest weights of an ONNX file, so that several sessions hold them once: a transformer's table of tokens.

Reads of the file's protocol buffers what that takes (https://protobuf.dev/programming-guides/encoding, onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_GRAPH, _INITIALIZER = 7, 5
_DIMENSIONS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 10: np.float16}


class Weights(NamedTuple):
    """An initializer of a graph."""

    name: str
    values: NDArray[np.generic]


def largest_weights(graph: Path) -> Weights | None:
    """Return the largest initializer of an ONNX file; None where it is of a type or form that is not read here."""
    content = memoryview(graph.read_bytes())
    tensors = [t for part in _parts(content, _GRAPH) for t in _parts(part, _INITIALIZER)]
    if not tensors:
        return None
    fields: dict[int, list[int | memoryview]] = {}
    for number, value in _fields(max(tensors, key=len)):
        fields.setdefault(number, []).append(value)
    names, raw = ([v for v in fields.get(number, []) if isinstance(v, memoryview)] for number in (_NAME, _RAW))
    kinds, shape = ([v for v in fields.get(number, []) if isinstance(v, int)] for number in (_TYPE, _DIMENSIONS))
    kind = _TYPES.get(kinds[0]) if kinds else None
    if kind is None or not names or not raw or len(raw[0]) != np.prod(shape, dtype=np.int64) * np.dtype(kind).itemsize:
        return None
    return Weights(bytes(names[0]).decode(), np.frombuffer(bytes(raw[0]), dtype=kind).reshape(shape))


def _parts(message: memoryview, wanted: int) -> list[memoryview]:
    return [value for number, value in _fields(message) if number == wanted and isinstance(value, memoryview)]


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the fields of a message: numbers of variable length as they are, texts and messages as their bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, wire = 0, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif wire == _BYTES:
            length, at = _varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if wire == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at

"""Opening text files as they come: gzip or plain, UTF-8 with or without a BOM, UTF-16, broken bytes."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from models.domain.errors import InputError

_BROKEN = re.compile(r"[\ud800-\udfff]")
_GZIP = b"\x1f\x8b"


def first_bytes(path: Path, count: int = 4_096) -> bytes:
    """Return the first bytes of the content, unpacked where the file is a gzip (told by its bytes, not its name).

    Raises
    ------
    InputError
        If the gzip is damaged.
    """
    with path.open("rb") as plain:
        head = plain.read(count)
    if not head.startswith(_GZIP):
        return head
    try:
        with gzip.open(path, "rb") as packed:
            return packed.read(count)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"damaged gzip file: {error}", place=str(path), hint="copy or download it again") from error


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading bytes, unpacking gzip."""
    with path.open("rb") as plain:
        packed = plain.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


def base_suffix(path: Path) -> str:
    """Return the lower-case suffix below a ``.gz``.

    Examples
    --------
    >>> base_suffix(Path("alerts.CSV.gz"))
    '.csv'
    """
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


class TextLines:
    """The lines of a text file, with U+FFFD for every byte that is no text.

    Parameters
    ----------
    path : Path
        The file.
    newline : str
        As for `open`: ``""`` splits on any line end and keeps it (CSV), ``"\\n"`` splits on line feeds only (JSONL).

    Attributes
    ----------
    number : int
        1-based number of the line handed out last.
    replaced : int
        Bytes replaced so far.
    """

    def __init__(self, path: Path, newline: str = "") -> None:
        self.path = path
        self.number = 0
        self.replaced = 0
        utf16 = first_bytes(path, 2) in (b"\xff\xfe", b"\xfe\xff")
        # surrogateescape marks each bad byte with one lone surrogate, which valid UTF-8 cannot hold: an exact count.
        self._stream = io.TextIOWrapper(
            open_bytes(path),
            encoding="utf-16" if utf16 else "utf-8-sig",
            errors="replace" if utf16 else "surrogateescape",
            newline=newline,
        )

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._stream.readline()
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(
                f"the file breaks off or is damaged: {error}",
                place=f"{self.path}: line {self.number + 1}",
                hint="copy or download it again",
            ) from error
        if not line:
            raise StopIteration
        self.number += 1
        if not line.isascii():
            line, broken = _BROKEN.subn("\ufffd", line)
            self.replaced += broken
        return line

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def parse_json(text: str) -> Any:
    """Parse JSON, accepting raw control characters inside strings.

    Raises
    ------
    ValueError
        If it is no JSON, or nested deeper than Python's parser goes.
    """
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def load_json(path: Path) -> tuple[Any, int]:
    """Read a JSON file, or a file of one JSON value a line as a list of them; return it with the bytes replaced.

    Raises
    ------
    InputError
        If it is neither; the message names line and column.
    """
    lines = TextLines(path, newline="\n")
    try:
        text = "".join(lines)
    finally:
        lines.close()
    try:
        return parse_json(text), lines.replaced
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise InputError(
                f"not readable as JSON: {error.msg}",
                place=f"{path}: line {error.lineno}: column {error.colno}",
                hint="is the file complete?",
            ) from error
    except ValueError as error:
        raise InputError(f"not readable as JSON: {error}", place=str(path), hint="is the file complete?") from error
    values = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                values.append(parse_json(line))
            except ValueError as error:
                raise InputError(
                    f"not readable as JSON: {error}",
                    place=f"{path}: line {number}",
                    hint="one JSON value a line, or one list",
                ) from error
    return values, lines.replaced

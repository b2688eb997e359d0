"""Files that are whole or not there: written beside their name, and renamed at the end."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a place to write to; it takes the file's name when the block ends well, and is removed when it does not.

    Yields
    ------
    Path
        ``NAME.PID.part`` in the same directory, which is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def byte_lines(path: Path, *, packed: bool) -> Iterator[IO[bytes]]:
    """Open a file for lines of bytes, plain or as gzip; equal lines give equal bytes."""
    with path.open("wb") as plain:
        if not packed:
            yield plain
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) as stream:
            yield cast("IO[bytes]", stream)

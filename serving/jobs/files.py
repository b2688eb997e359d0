"""Where the files of jobs lie: the upload, and the result in segments that only grow."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_PIECE = 1 << 20
_INCOMING = "incoming"
_ORPHANED_AFTER = 24 * 3600
"""Seconds until an upload counts as one that will never become a job."""

Segments = Sequence[Sequence[int]]
"""[epoch, bytes] of each file of a result, in order; what lies beyond those bytes does not count."""


class JobFiles:
    """The directory of all jobs, one directory each; shared by every worker.

    Each worker that takes a job writes a segment of its own, named by the epoch under which it holds the job. What
    counts of a segment is said by the database. So a worker that was taken for dead can write on without harm, and
    half a row of a crash is never read.

    Parameters
    ----------
    root : Path
        Is made where it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def incoming(self) -> Path:
        """Return a new path for an upload that is no job yet."""
        place = self.root / _INCOMING
        place.mkdir(parents=True, exist_ok=True)
        return place / uuid.uuid4().hex

    def accept(self, upload: Path, job_id: str) -> None:
        """Make an upload the input of a job, durably."""
        target = self.input(job_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        upload.replace(target)
        for directory in (target.parent, self.root):
            sync_directory(directory)

    def input(self, job_id: str) -> Path:
        """Return where the input of a job lies."""
        return self.root / job_id / "input"

    def segment(self, job_id: str, epoch: int) -> Path:
        """Return where a worker writes the result of a job."""
        return self.root / job_id / f"result-{epoch}.jsonl"

    def append(self, job_id: str, epoch: int, data: bytes) -> None:
        """Add rows to a segment; they are on the disk when this returns."""
        path = self.segment(job_id, epoch)
        fresh = not path.exists()
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_directory(path.parent)

    def result(self, job_id: str, segments: Segments, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `end` of a result, a piece at a time."""
        left = (size_of(segments) if end is None else end) - start
        for epoch, size in segments:
            if start >= size:
                start -= size
                continue
            if left <= 0:
                return
            with self.segment(job_id, epoch).open("rb") as file:
                file.seek(start)
                here = min(size - start, left)
                left -= here
                start = 0
                while here:
                    piece = file.read(min(_PIECE, here))
                    if not piece:
                        raise OSError(f"{file.name} is shorter than the database says")
                    here -= len(piece)
                    yield piece

    def rows(self, job_id: str, segments: Segments) -> Iterator[bytes]:
        """Yield the lines of a result."""
        rest = b""
        for piece in self.result(job_id, segments):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines

    def drop_input(self, job_id: str) -> None:
        """Remove the input of a job that has ended."""
        self.input(job_id).unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        """Remove everything of a job."""
        shutil.rmtree(self.root / job_id, ignore_errors=True)

    def drop_uploads(self) -> None:
        """Remove uploads that broke off long ago without a word, as where the server died."""
        before = time.time() - _ORPHANED_AFTER
        for path in (self.root / _INCOMING).glob("*"):
            with suppress(FileNotFoundError):  # another worker sweeps too
                if path.stat().st_mtime < before:
                    path.unlink()


def size_of(segments: Segments) -> int:
    """Return the bytes of a result."""
    return sum(size for _, size in segments)


def grown(segments: Segments, epoch: int, by: int) -> list[list[int]]:
    """Return the segments after `by` bytes were added under an epoch.

    Examples
    --------
    >>> grown([[1, 10]], 1, 5), grown([[1, 10]], 3, 5)
    ([[1, 15]], [[1, 10], [3, 5]])
    """
    result = [list(segment) for segment in segments]
    if not result or result[-1][0] != epoch:
        result.append([epoch, 0])
    result[-1][1] += by
    return result


def sync_directory(path: Path) -> None:
    """Make new names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

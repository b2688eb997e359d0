"""Where the bytes of pictures lie, by their content: as they came until they are read, then as a clean copy."""

from __future__ import annotations

import hashlib
import io
import os
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from PIL import Image

from serving.jobs.files import sync_directory

_WAITING, _COPIES = "waiting", "copies"
_LONGEST_COPY = 1_600
_QUALITY = 85
_SETTLED_AFTER = 600.0
"""Seconds after which bytes that no reading waits for belong to no request any more that could still be kept."""


class PictureFiles:
    """The directory of pictures, shared by every worker.

    What a stranger sent is only ever given to the decoder. What people see is a copy made from the pixels: without
    metadata, without what else was in the file, and of a known format.

    Parameters
    ----------
    root : Path
        Is made where it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def receive(self, data: bytes) -> str:
        """Keep bytes until they are read, durably; return their SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(_WAITING, sha256)
        if path.exists():
            os.utime(path)
        else:
            _write(path, data)
        return sha256

    def waiting(self, sha256: str) -> bytes:
        """Return bytes that were received.

        Raises
        ------
        FileNotFoundError
            If they are gone.
        """
        return self._path(_WAITING, sha256).read_bytes()

    def keep(self, sha256: str, image: Image.Image) -> None:
        """Keep a clean copy, named by the file that it was read from."""
        copy = image
        if max(image.size) > _LONGEST_COPY:
            copy = image.copy()
            copy.thumbnail((_LONGEST_COPY, _LONGEST_COPY), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        copy.save(file, "JPEG", quality=_QUALITY)
        _write(self._path(_COPIES, sha256), file.getvalue())

    def copy(self, sha256: str) -> bytes | None:
        """Return the clean copy, a JPEG; None where it is kept no longer."""
        with suppress(FileNotFoundError):
            return self._path(_COPIES, sha256).read_bytes()
        return None

    def has_copy(self, sha256: str) -> bool:
        """Tell whether a clean copy is kept."""
        return self._path(_COPIES, sha256).exists()

    def settled(self) -> list[str]:
        """Return the SHA-256 of bytes that came long enough ago to be dropped unless a reading waits for them."""
        before = time.time() - _SETTLED_AFTER
        return [path.name for path in self._all(_WAITING) if _older(path, before)]

    def drop_waiting(self, names: Collection[str]) -> None:
        """Remove bytes as they came."""
        for sha256 in names:
            self._path(_WAITING, sha256).unlink(missing_ok=True)

    def drop(self, names: Collection[str]) -> None:
        """Remove all that is kept of some pictures, by their SHA-256."""
        self.drop_waiting(names)
        for sha256 in names:
            self._path(_COPIES, sha256).unlink(missing_ok=True)

    def drop_copies(self, seconds: float) -> int:
        """Remove copies that were made or wanted last before so many seconds; return how many."""
        old = [path for path in self._all(_COPIES) if _older(path, time.time() - seconds)]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, kind: str, sha256: str) -> Path:
        return self.root / kind / sha256[:2] / sha256

    def _all(self, kind: str) -> Iterator[Path]:
        return (path for path in (self.root / kind).glob("??/*") if path.is_file())


def _older(path: Path, moment: float) -> bool:
    with suppress(FileNotFoundError):  # another worker sweeps too
        return path.stat().st_mtime < moment
    return False


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with made.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    sync_directory(path.parent)

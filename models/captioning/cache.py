"""Captions kept by the hash of their picture, as files, up to a size."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from models.domain.listing import Caption

_CAPTIONS = TypeAdapter(list[Caption])
_KEPT_AFTER_PRUNING = 0.8


class CaptionCache:
    """A directory of answers; several processes may share it.

    Files that were not used for longest go first. What is unreadable counts as absent.

    Parameters
    ----------
    most_bytes : int
        Bytes of all answers together; above it the oldest fifth goes.
    """

    def __init__(self, directory: Path, most_bytes: int = 50_000_000) -> None:
        self.directory = directory
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def get(self, sha256: str, key: str) -> list[Caption] | None:
        """Return what a captioner of that key gave for a picture, None where it is not kept."""
        path = self._path(sha256, key)
        try:
            content = path.read_bytes()
            captions = _CAPTIONS.validate_json(content)
            os.utime(path)
        except (OSError, ValidationError):
            return None
        return captions

    def put(self, sha256: str, key: str, captions: Sequence[Caption]) -> None:
        """Keep an answer, whole or not at all."""
        path = self._path(sha256, key)
        content = _CAPTIONS.dump_json(list(captions), exclude_defaults=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            part.write(content)
        Path(part.name).replace(path)
        with self._lock:
            self._bytes = (self._size() if self._bytes is None else self._bytes) + len(content)
            if self._bytes > self.most_bytes:
                self._bytes = self._prune()

    def forget(self, pictures: Iterable[str]) -> None:
        """Remove every answer for some pictures, by their hashes."""
        for sha256 in pictures:
            first = self._path(sha256, "")
            for path in first.parent.glob(f"{first.name.partition('-')[0]}-*.json"):
                path.unlink(missing_ok=True)

    def _path(self, sha256: str, key: str) -> Path:
        picture, captioner = (hashlib.sha256(text.encode()).hexdigest()[:40] for text in (sha256, key))
        return self.directory / picture[:2] / f"{picture}-{captioner}.json"

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return (last use, bytes, path) of each file, the one used last first."""
        found = []
        for path in self.directory.glob("??/*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            found.append((facts.st_mtime, facts.st_size, path))
        return sorted(found, reverse=True)

    def _size(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _prune(self) -> int:
        kept = 0
        for _, size, path in self._files():
            if kept + size > self.most_bytes * _KEPT_AFTER_PRUNING:
                path.unlink(missing_ok=True)
            else:
                kept += size
        return kept

"""The directory in which several workers keep their samples for Prometheus."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client.multiprocess import mark_process_dead

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Name that prometheus_client reads when it is imported."""
_LIVE = re.compile(r"gauge_live\w*_(\d+)\.db")


def shared_directory() -> Path | None:
    """Return the directory of this process and its fellow workers, None where it is alone."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


@contextmanager
def files_for_workers() -> Iterator[Path]:
    """Give the workers that are started within a directory of their own, new and empty; one that is named is emptied.

    Samples of an earlier run would be counted once more.
    """
    named = os.environ.get(VARIABLE)
    if named:
        directory = Path(named)
        directory.mkdir(parents=True, exist_ok=True)
        for file in directory.glob("*.db"):
            file.unlink()
        yield directory
        return
    with TemporaryDirectory(prefix="hazardlens-metrics-") as made:
        os.environ[VARIABLE] = made
        try:
            yield Path(made)
        finally:
            del os.environ[VARIABLE]


def forget_dead_workers(directory: Path) -> None:
    """Drop the gauges of workers that have ended; their counters stay, since what they did was done."""
    pids = {int(found[1]) for file in directory.iterdir() if (found := _LIVE.fullmatch(file.name))}
    for pid in pids:
        if not _alive(pid):
            with suppress(FileNotFoundError):  # a fellow worker was faster
                mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

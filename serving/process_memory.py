"""Keeps a long-lived process small: what the C library holds back goes to the system, and garbage is soon found."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ARENAS = 2
_M_ARENA_MAX = -8
"""From glibc's malloc.h."""
_STATM = Path("/proc/self/statm")
_WORTH_IT = 8_000_000
"""Bytes that a process must have grown by before free blocks are looked for."""
_NEW_OBJECTS = 20_000
"""Objects more than before, by which garbage is looked for among the new ones. Python's 700 cost a twenty-fifth of an
assessment, which makes thousands and holds on to hardly any in circles; a look at so many takes a millisecond."""
_log = logging.getLogger("hazardlens")


def few_arenas() -> None:
    """Let threads share few heaps. By default glibc opens up to eight a core, and each keeps its own free blocks."""
    library = _glibc()
    if library is not None:
        library.mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return free blocks to the system, as after loading a model; some 20 ms. Does nothing without glibc."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def collecting_later() -> Iterator[None]:
    """Look for no garbage while the block runs, or until `settle`, which ends a start within it.

    A start makes hundreds of thousands of objects and hardly any garbage: searching them takes a fifth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Leave what is there now out of later searches for garbage: a loaded model, which lives as long as the process.

    A search of it holds the interpreter's lock for a tenth of a second, so that no call is answered meanwhile.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    gc.enable()


def collect() -> None:
    """Free what holds on to itself in circles, as an old model does, also where it was left out by `settle`."""
    if gc.get_freeze_count():
        settle()
    else:
        gc.collect()


def resident_bytes() -> int:
    """Return the memory of this process that is in use; 0 where the system does not tell."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def keep_small(seconds: float = 30.0) -> None:
    """Return free blocks to the system whenever the process has grown, as by a list of hundreds, until cancelled."""
    usual = resident_bytes()
    while True:
        await asyncio.sleep(seconds)
        if resident_bytes() > usual + _WORTH_IT:
            await asyncio.to_thread(give_back)
            usual = resident_bytes()
        else:
            usual = min(usual, resident_bytes())


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  (musl has none)
    except (OSError, AttributeError):
        _log.debug("no glibc: free memory stays with the process")
        return None
    return library

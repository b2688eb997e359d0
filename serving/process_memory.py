"""Keeps a long-lived process small: what the C library holds back goes to the system."""

from __future__ import annotations

import ctypes
import logging
import sys

_ARENAS = 2
_M_ARENA_MAX = -8
"""From glibc's malloc.h."""
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

"""How many cores there are to work with."""

from __future__ import annotations

import os


def usable_core_numbers() -> set[int]:
    """Return the numbers of the cores that this process may use."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(usable_core_numbers())

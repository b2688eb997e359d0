"""How many cores there are to work with, and how linear algebra shares them."""

from __future__ import annotations

import os

from threadpoolctl import threadpool_limits


def usable_core_numbers() -> set[int]:
    """Return the numbers of the cores that this process may use."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(usable_core_numbers())


def one_thread_of_algebra() -> None:
    """Keep linear algebra to the thread that asks for it.

    Listings are assessed on threads, or in processes, of their own: threads within these only wait for each other, and
    they wait busily.
    """
    threadpool_limits(limits=1, user_api="blas")

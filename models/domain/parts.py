"""Long lists, a part at a time: databases and memory bear only so many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(whole: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Yield a sequence in parts of at most so many, in its order.

    Examples
    --------
    >>> list(in_parts("abcde", 2))
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(whole), most):
        yield whole[start : start + most]

"""Two titles compared sign by sign."""

from __future__ import annotations

from rapidfuzz import fuzz


def likeness(one: str, other: str) -> float:
    """Return how alike two titles are written, 0 to 1, the same both ways; both in small ASCII letters.

    The better of two: edit similarity of their words in order of the alphabet (RapidFuzz), and shared runs of
    three letters over all (Dice).

    Examples
    --------
    >>> likeness("toy xylophone magic", "magic toy xylophon") > 0.9, likeness("candle", "shoes") < 0.4
    (True, True)
    """
    if not one or not other:
        return 0.0
    return max(fuzz.token_sort_ratio(one, other) / 100, _dice(_runs(one), _runs(other)))


def _runs(text: str) -> set[str]:
    spaced = f" {' '.join(text.split())} "
    return {spaced[i : i + 3] for i in range(len(spaced) - 2)}


def _dice(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))

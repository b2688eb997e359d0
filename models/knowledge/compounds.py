"""Words that are written as one: "Kinderspielzeug" is Kinder + Spielzeug."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST_PART = 4
_SHORTEST_WORD = 8
_LINKS = ("", "s", "n", "en", "es", "er", "e")
"""What German and Dutch put between the parts of a compound."""
_CACHED_WORDS = 20_000


class Compounds:
    """Reads a compound from its parts, where all of it but one part is known.

    Parameters
    ----------
    words : mapping of str to str
        Folded single words and their English.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = {word: english for word, english in words.items() if len(word) >= _SHORTEST_PART and english}
        self.read = lru_cache(maxsize=_CACHED_WORDS)(self._read)

    def find(self, folded: str, taken: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """Return the spans of compounds outside the spans that are taken, with their English."""
        held = sorted(taken)
        found: dict[tuple[int, int], str] = {}
        i = 0
        for match in _WORD.finditer(folded):
            while i < len(held) and held[i][1] <= match.start():
                i += 1
            free = i == len(held) or held[i][0] >= match.end()
            if free and len(match.group()) >= _SHORTEST_WORD and (english := self.read(match.group())):
                found[match.span()] = english
        return found

    def _read(self, word: str) -> str:
        """Return the English of a compound's parts, longest first part first; empty where it is none."""
        for cut in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            if (first := self._part(word[:cut])) and (rest := self._rest(word[cut:])):
                return f"{first} {rest}"
        return ""

    def _part(self, part: str) -> str:
        for link in _LINKS:
            if part.endswith(link) and (english := self._words.get(part[: len(part) - len(link)])):
                return english
        return ""

    def _rest(self, rest: str) -> str:
        return self._words.get(rest, "") or self._read(rest)

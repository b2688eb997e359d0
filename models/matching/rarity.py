"""How much it says that two texts share a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NUMBER, _RARE = 15, 100
"""Sizes and counts; numbers that name a model are compared as such."""


@dataclass(frozen=True)
class Rarity:
    """Weights of words, whole numbers from 0 to 100; a word that no table holds is rare and has 100.

    Parameters
    ----------
    weights : mapping
        English stem -> hundredths of the highest inverse document frequency among product texts.
    """

    weights: Mapping[str, int]

    def of(self, word: str) -> int:
        """Return the weight of a word.

        Examples
        --------
        >>> rarity = Rarity({"toy": 20})
        >>> rarity.of("toy"), rarity.of("skywatcher"), rarity.of("12"), rarity.of("x")
        (20, 100, 15, 0)
        """
        if len(word) < 2:
            return 0
        known = self.weights.get(word)
        if known is not None:
            return known
        return _NUMBER if word[0].isdigit() else _RARE

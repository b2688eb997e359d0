"""How much it says that two texts share a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER, _RARE = 15, 100
"""Sizes and counts; numbers that name a model are compared as such."""
_WHOLE_NAME, _LONG_NAME = 4, 12
"""Letters from which on a name is no abbreviation that many share."""


@dataclass(frozen=True)
class Rarity:
    """Weights of words, whole numbers from 0 to 100; a word that no table holds is rare and has 100.

    Parameters
    ----------
    weights : mapping
        English stem -> hundredths of the highest inverse document frequency among product texts.
    names : mapping
        What titles say that may be a brand, in one spelling -> likewise among titles.
    """

    weights: Mapping[str, int]
    names: Mapping[str, int] = field(default_factory=dict)

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

    def of_long_name(self, form: str) -> float:
        """Return how much longer than other brands a shared one is, 0 to 1: two names of twelve letters are no chance.

        Examples
        --------
        >>> rarity = Rarity({}, {"superglue": 40})
        >>> rarity.of_long_name("mirelli"), rarity.of_long_name("happyannarocky"), rarity.of_long_name("superglue")
        (0.375, 1.0, 0.25)
        """
        key = form.lstrip("=")
        excess = (min(len(key), _LONG_NAME) - _WHOLE_NAME) / (_LONG_NAME - _WHOLE_NAME)
        return self.names.get(key, _RARE) / _RARE * max(0.0, excess)

    def of_name(self, key: str) -> float:
        """Return how much it says that two texts share a brand, 0 to 1: a common word or two letters may be chance.

        Examples
        --------
        >>> rarity = Rarity({}, {"laser": 40})
        >>> rarity.of_name("mirelli"), rarity.of_name("laser"), rarity.of_name("ca")
        (1.0, 0.4, 0.5)
        """
        return self.names.get(key, _RARE) / _RARE * min(1.0, len(key) / _WHOLE_NAME)

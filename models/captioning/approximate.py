"""Phrases found in print that a machine has read: letters may be wrong, gaps and accents may be missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

NUMBER = "#"
"""Stands for a run of digits in a skeleton."""

_SAME = str.maketrans({"ß": "ss", "ı": "i", "ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ё": "е", "ー": ""})
_GRAM = 3


@dataclass(frozen=True)
class Skeleton:
    """The letters of a text, folded, with a sign for each number.

    Parameters
    ----------
    letters : str
        Lower case, without accents, vowel points, gaps and punctuation.
    places : sequence of int
        For each letter, its offset in the text.
    numbers : dict
        Position of each number's sign in `letters` -> its value.
    """

    letters: str
    places: Sequence[int]
    numbers: dict[int, int]

    @cached_property
    def grams(self) -> frozenset[str]:
        """Runs of three letters."""
        return frozenset(self.letters[i : i + _GRAM] for i in range(len(self.letters) - _GRAM + 1))


def skeleton(text: str) -> Skeleton:
    """Return the skeleton of a text.

    Examples
    --------
    >>> skeleton("Für Kinder ab 36 Monaten!").letters
    'furkinderab#monaten'
    """
    letters: list[str] = []
    places: list[int] = []
    numbers: dict[int, int] = {}
    digits = ""
    for place, character in enumerate(text):
        for folded in unicodedata.normalize("NFKD", character).casefold().translate(_SAME):
            if folded.isdecimal():
                if not digits:
                    numbers[len(letters)] = 0
                    letters.append(NUMBER)
                    places.append(place)
                digits = (digits + folded)[:9]
                numbers[max(numbers)] = int(digits)
                continue
            digits = ""
            if folded.isalpha():
                letters.append(folded)
                places.append(place)
    return Skeleton("".join(letters), tuple(places), numbers)


@dataclass(frozen=True)
class Found:
    """Where a phrase stands in a skeleton (positions of letters, end exclusive), and how many letters differ."""

    start: int
    end: int
    errors: int


def find(phrase: Skeleton, text: Skeleton, most: int) -> Found | None:
    """Return the place where a phrase fits best, None where it differs in more than `most` letters everywhere.

    Letters count as different when one is replaced, missing or too many: the approximate search of Sellers (1980),
    "The theory and computation of evolutionary distances". A text that shares too few runs of three letters with the
    phrase cannot hold it and is not searched (the q-gram lemma of Ukkonen 1992).
    """
    if len(phrase.grams & text.grams) < len(phrase.grams) - _GRAM * most:
        return None
    exact = text.letters.find(phrase.letters)
    if exact >= 0:
        return Found(exact, exact + len(phrase.letters), 0)
    return _fitted(phrase.letters, text.letters, most) if most else None


def _fitted(phrase: str, text: str, most: int) -> Found | None:
    # For each prefix of the phrase: fewest errors of a piece of the text that ends here, and where that piece begins.
    errors = list(range(len(phrase) + 1))
    starts = [0] * (len(phrase) + 1)
    best: Found | None = None
    for end, letter in enumerate(text, start=1):
        before, begun = errors, starts
        errors, starts = [0], [end]
        for i, wanted in enumerate(phrase, start=1):
            cost, start = before[i - 1] + (letter != wanted), begun[i - 1]
            if before[i] + 1 < cost:
                cost, start = before[i] + 1, begun[i]
            if errors[i - 1] + 1 < cost:
                cost, start = errors[i - 1] + 1, starts[i - 1]
            errors.append(cost)
            starts.append(start)
        if errors[-1] <= most and (best is None or errors[-1] < best.errors):
            best = Found(starts[-1], end, errors[-1])
    return best

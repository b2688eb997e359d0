"""Text folded for matching, with every character's place in the original."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CHANGING = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\ufe0f\u0591-\u05c7\u064b-\u0652\u0300-\u036f]")
"""Characters that folding drops or joins; without them, and in normal form, offsets stay as they are."""

_DROPPED = {"\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad", "\ufe0f"}


@dataclass(frozen=True)
class Folded:
    """A folded text.

    Parameters
    ----------
    text : str
        NFKC, case-folded, without zero-width characters and Arabic or Hebrew vowel marks.
    starts, ends : list of int or None
        For each character of `text`, start and end of its source in the original, in code points;
        None where the folded text has the original's offsets.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the original's span of a span of the folded text, both end exclusive."""
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end:
            place = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return place, place
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Fold a text for matching and keep the offsets.

    Examples
    --------
    >>> folded = fold("ＣＲ２０３２ Ⅳ")
    >>> folded.text, folded.origin(7, 9)
    ('cr2032 iv', (7, 8))
    """
    if text.isascii():
        return Folded(text.lower())
    if unicodedata.is_normalized("NFKC", text) and not _CHANGING.search(text):
        folded = text.casefold()
        if len(folded) == len(text):
            return Folded(folded)
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    i, length = 0, len(text)
    while i < length:
        j = i + 1
        while j < length and (unicodedata.combining(text[j]) or _joins(text[j])):
            j += 1
        cluster = text[i:j]
        for character in unicodedata.normalize("NFKC", cluster).casefold():
            if character in _DROPPED or ("\u0591" <= character <= "\u05c7") or ("\u064b" <= character <= "\u0652"):
                continue
            characters.append(character)
            starts.append(i)
            ends.append(j)
        i = j
    return Folded("".join(characters), starts, ends)


def _joins(character: str) -> bool:
    """Tell whether a character composes with the one before, though no mark: kana voicing signs, Hangul jamo."""
    return character in "\uff9e\uff9f" or "\u1160" <= character <= "\u11ff"


def fold_phrase(phrase: str) -> str:
    """Fold a phrase of the knowledge base the same way, with single spaces."""
    return " ".join(fold(phrase).text.split())

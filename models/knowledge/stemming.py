"""Word forms: "гирлянды" and "гирлянда" are one word to the matcher, with every stem's place in the folded text."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import Stemmer

_ALGORITHMS = {
    "en": "english",
    "ru": "russian",
    "pt": "portuguese",
    "es": "spanish",
    "fr": "french",
    "de": "german",
    "it": "italian",
    "nl": "dutch",
    "pl": "polish",
    "tr": "turkish",
    "ar": "arabic",
    "id": "indonesian",
    "hi": "hindi",
    "ro": "romanian",
    "cs": "czech",
}
"""Snowball algorithm of each language; the others are matched in the forms that the knowledge base lists."""

_WORD = re.compile(r"\w+")
_CACHED_WORDS = 200_000


@dataclass(frozen=True)
class Stemmed:
    """A folded text with its words cut to their stems.

    Parameters
    ----------
    starts, ends : list of int or None
        For each character, the span of its word in the folded text; None where nothing was cut.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the folded text's span of a span that is not empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


class WordForms:
    """Cuts the words of one language to their stems; safe to use from several threads."""

    def __init__(self, language: str) -> None:
        self._algorithm = _ALGORITHMS.get(language)
        self._local = threading.local()
        self._stems: dict[str, str] = {}

    def stem(self, folded: str) -> Stemmed:
        """Return a folded text with its words cut to their stems."""
        return Stemmed(folded) if self._algorithm is None else map_words(folded, self.stem_word)

    def stemmed(self, folded: str) -> str:
        """Return the text of `stem` alone, which is sooner done: indexes need no places."""
        return folded if self._algorithm is None else changed_words(folded, self.stem_word)

    def stem_word(self, word: str) -> str:
        """Return the stem of a folded word: the word itself where the language has no algorithm."""
        if self._algorithm is None:
            return word
        stem = self._stems.get(word)
        if stem is None:
            if not hasattr(self._local, "stemmer"):
                self._local.stemmer = Stemmer.Stemmer(self._algorithm, 0)
            stem = str(self._local.stemmer.stemWord(word)) or word
            if len(self._stems) < _CACHED_WORDS:
                self._stems[word] = stem
        return stem


def changed_words(folded: str, changed: Callable[[str], str]) -> str:
    """Return a folded text with every word changed."""
    return _WORD.sub(lambda match: changed(match.group()), folded)


def map_words(folded: str, changed: Callable[[str], str]) -> Stemmed:
    """Return a folded text with every word changed, each character standing for the whole word."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for match in _WORD.finditer(folded):
        gap = range(position, match.start())
        characters.append(folded[position : match.start()])
        starts.extend(gap)
        ends.extend(i + 1 for i in gap)
        word = changed(match.group())
        characters.append(word)
        starts.extend([match.start()] * len(word))
        ends.extend([match.end()] * len(word))
        position = match.end()
    characters.append(folded[position:])
    starts.extend(range(position, len(folded)))
    ends.extend(range(position + 1, len(folded) + 1))
    return Stemmed("".join(characters), starts, ends)

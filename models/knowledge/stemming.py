"""Word forms: "гирлянды" and "гирлянда" are one word to the matcher, with every stem's place in the folded text."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

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

_WORD = re.compile(r"(\w+)")
_CACHED_WORDS = 5_000
"""Words of one language whose stems are kept. Numbers and article codes have no stem worth keeping."""


@dataclass(frozen=True)
class Stemmed:
    """A folded text with its words cut to their stems.

    Parameters
    ----------
    edges, folded_edges : sequence of int
        Where gaps and words begin, by turns and from a gap on, in `text` and in the folded text, and the ends of both;
        empty where nothing was cut.
    """

    text: str
    edges: Sequence[int] = ()
    folded_edges: Sequence[int] = ()

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the folded text's span of a span that is not empty: words stand there as a whole."""
        if not self.edges:
            return start, end
        first, last = bisect_right(self.edges, start) - 1, bisect_right(self.edges, end - 1) - 1
        into, outof = self.folded_edges[first], self.folded_edges[last + 1]
        if not first % 2:
            into += start - self.edges[first]
        if not last % 2:
            outof = self.folded_edges[last] + end - self.edges[last]
        return into, outof


class WordForms:
    """Cuts the words of one language to their stems; safe to use from several threads."""

    def __init__(self, language: str) -> None:
        self._algorithm = _ALGORITHMS.get(language)
        self._local = threading.local()
        self._stems: dict[str, str] = {}

    @property
    def cuts(self) -> bool:
        """Whether the language has an algorithm; without one every word is its own stem."""
        return self._algorithm is not None

    def stem(self, folded: str) -> Stemmed:
        """Return a folded text with its words cut to their stems."""
        return map_words(folded, self.stem_word) if self.cuts else Stemmed(folded)

    def stemmed(self, folded: str) -> str:
        """Return the text of `stem` alone, which is sooner done: indexes need no places."""
        return changed_words(folded, self.stem_word) if self.cuts else folded

    def stem_word(self, word: str) -> str:
        """Return the stem of a folded word: the word itself where the language has no algorithm."""
        if self._algorithm is None:
            return word
        stem = self._stems.get(word)
        if stem is None:
            if not hasattr(self._local, "stemmer"):
                self._local.stemmer = Stemmer.Stemmer(self._algorithm, 0)
            stem = str(self._local.stemmer.stemWord(word)) or word
            if len(self._stems) < _CACHED_WORDS and word.isalpha():
                self._stems[word] = stem
        return stem

    def forget(self) -> None:
        """Forget the stems of what was read so far: of tens of thousands of phrases that are now indexed, say."""
        self._stems.clear()


def changed_words(folded: str, changed: Callable[[str], str]) -> str:
    """Return a folded text with every word changed."""
    return _WORD.sub(lambda match: changed(match.group()), folded)


def map_words(folded: str, changed: Callable[[str], str]) -> Stemmed:
    """Return a folded text with every word changed, each character standing for the whole word."""
    parts = _WORD.split(folded)
    folded_edges = (0, *accumulate(map(len, parts)))
    parts[1::2] = map(changed, parts[1::2])
    return Stemmed("".join(parts), (0, *accumulate(map(len, parts))), folded_edges)

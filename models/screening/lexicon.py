"""The knowledge base's words in every language as one automaton: a text is searched once, whatever its language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind
from anyascii import anyascii
from numpy.typing import NDArray

from models.knowledge.base import Knowledge

_WORD = re.compile(r"[^\W_]+")
_GAP = "  "
"""Two spaces: a phrase holds one at each end, so that neighbouring phrases do not compete for the gap."""
_ACCENTS_TELL_WORDS_APART = {"vi"}


@dataclass
class Meaning:
    """What a form means in one language.

    Parameters
    ----------
    english : str or None
        Its English words; empty where they say nothing about a product.
    kinds, cues : set of int
        Columns of the product kinds that it names and of the cues that it is a phrase of.
    """

    english: str | None = None
    kinds: set[int] = field(default_factory=set)
    cues: set[int] = field(default_factory=set)


def spaced(text: str) -> str:
    """Return the words of a text in small letters, two spaces apart.

    Examples
    --------
    >>> spaced("Laser-Pointer, 5 mW")
    'laser  pointer  5  mw'
    """
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return _GAP.join(_WORD.findall(folded))


class Lexicon:
    """Forms of names, cue phrases and gloss words in all languages, exactly as they are written.

    Unlike `KnowledgeMatcher` it knows no stems, negations, ages or quantities, and needs no language beforehand: the
    forms that are found tell it.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.languages = [profile.code for profile in knowledge.languages]
        self.meanings: list[dict[int, Meaning]] = []
        """Of each form, its meaning by the column of the language."""
        forms: dict[str, int] = {}
        for language, phrase, english, kind, cue in _phrases(knowledge):
            for form in _forms(phrase, knowledge, language):
                at = forms.setdefault(form, len(forms))
                if at == len(self.meanings):
                    self.meanings.append({})
                meaning = self.meanings[at].setdefault(self.languages.index(language), Meaning())
                if meaning.english is None:
                    meaning.english = english
                if kind is not None:
                    meaning.kinds.add(kind)
                if cue is not None:
                    meaning.cues.add(cue)
        self._automaton = AhoCorasick(list(forms), matchkind=MatchKind.LeftmostLongest)
        self.votes = self._votes()
        self.says_more = np.array(
            [any(m.kinds or m.cues for m in meaning.values()) for meaning in self.meanings], dtype=bool
        )

    def _votes(self) -> NDArray[np.float32]:
        """Return what a form says of the language, shape (forms, languages): less, the more languages share it."""
        votes = np.zeros((len(self.meanings), len(self.languages)), dtype=np.float32)
        for row, meanings in enumerate(self.meanings):
            votes[row, list(meanings)] = 1.0 / len(meanings)
        return votes

    def find(self, words: str) -> list[tuple[int, int, int]]:
        """Return (form, start, end) of the longest forms from left to right, of text from `spaced` between two gaps."""
        found: list[tuple[int, int, int]] = self._automaton.find_matches_as_indexes(words)
        return found


_Phrase = tuple[str, str, str, int | None, int | None]


def _phrases(knowledge: Knowledge) -> Iterator[_Phrase]:
    """Yield (language, phrase, English, kind, cue): names before cues before plain words."""
    known = set(knowledge.language_by_code)
    for kind in knowledge.kinds:
        for language, names in kind.names.items():
            if language in known:
                for name in names:
                    english = name if language == "en" else kind.name
                    yield language, name, english, knowledge.kind_column[kind.id], None
    for column, cue in enumerate(knowledge.cues):
        for language, phrases in cue.phrases.items():
            if language in known:
                for phrase in phrases:
                    english = phrase if language == "en" else next(iter(cue.phrases.get("en", [])), "")
                    yield language, phrase, english, None, column
    english_words: dict[str, None] = {}
    for language, words in knowledge.vocabulary.items():
        english_words.update(dict.fromkeys(words.values()))
        for form, english in words.items():
            yield language, form, english, None, None
    for word in english_words:
        yield "en", word, word, None, None


def _forms(phrase: str, knowledge: Knowledge, language: str) -> set[str]:
    """Return how a phrase stands in a text from `spaced`; sellers drop accents."""
    profile = knowledge.language_by_code[language]
    written = {spaced(phrase)}
    if profile.script == "Latin" and language not in _ACCENTS_TELL_WORDS_APART and not phrase.isascii():
        written.add(spaced(anyascii(phrase)))
    written.discard("")
    return {f" {form} " if profile.spaces or form.isascii() else form for form in written}

"""The knowledge base's words in every language as one automaton: a text is searched once, whatever its language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind
from anyascii import anyascii
from numpy.typing import NDArray

from models.knowledge.base import Knowledge
from models.knowledge.stemming import WordForms

Found = tuple[int, int, int]
"""A form and its start and end in a text from `spaced`."""

_WORD = re.compile(r"[^\W_]+")
_GAP = "  "
"""Two spaces: a phrase holds one at each end, so that neighbouring phrases do not compete for the gap."""
_ACCENTS_TELL_WORDS_APART = {"vi"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a form means in one language.

    Parameters
    ----------
    english : str
        Its English words; empty where they say nothing about a product.
    kinds, cues : tuple of int
        Columns of the product kinds that it names and of the cues that it is a phrase of.
    """

    english: str
    kinds: tuple[int, ...] = ()
    cues: tuple[int, ...] = ()


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

    Unlike `KnowledgeMatcher` it knows no negations, ages or quantities, and needs no language beforehand: the forms
    that are found tell it. Once it is told, words that are in no form are looked up by their stems.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.languages = [profile.code for profile in knowledge.languages]
        self._meanings: dict[int, Meaning] = {}
        """By the number of the form times that of languages, plus the column of the language."""
        forms = self._read(knowledge)
        self._automaton = AhoCorasick(list(forms), matchkind=MatchKind.LeftmostLongest)
        self.votes = self._votes(len(forms))
        self.says_more = np.zeros(len(forms), dtype=bool)
        self.says_more[[key // len(self.languages) for key, of in self._meanings.items() if of.kinds or of.cues]] = True
        self._words = {form.strip(): at for form, at in forms.items() if form.strip().isalpha()}
        self._stems: dict[int, tuple[WordForms, dict[str, int]]] = {}

    def _read(self, knowledge: Knowledge) -> dict[str, int]:
        """Take the meanings of all phrases in; return the numbers of their forms."""
        forms: dict[str, int] = {}
        shared: dict[Meaning, Meaning] = {}
        columns = {language: column for column, language in enumerate(self.languages)}
        for language, phrase, english, kind, cue in _phrases(knowledge):
            for form in _forms(phrase, knowledge, language):
                key = forms.setdefault(form, len(forms)) * len(columns) + columns[language]
                known = self._meanings.get(key, Meaning(english))
                meaning = Meaning(known.english, _with(known.kinds, kind), _with(known.cues, cue))
                self._meanings[key] = shared.setdefault(meaning, meaning)
        return forms

    def _votes(self, forms: int) -> NDArray[np.float32]:
        """Return what a form says of the language, shape (forms, languages): less, the more languages share it."""
        held = np.zeros(forms * len(self.languages), dtype=np.float32)
        held[list(self._meanings)] = 1.0
        votes = held.reshape(forms, len(self.languages))
        votes /= votes.sum(axis=1, keepdims=True)
        return votes

    def meaning(self, form: int, language: int) -> Meaning | None:
        """Return what a form means in a language, if anything."""
        return self._meanings.get(form * len(self.languages) + language)

    def find(self, words: str) -> list[Found]:
        """Return the longest forms from left to right, of text from `spaced` between two gaps."""
        found: list[Found] = self._automaton.find_matches_as_indexes(words)
        return found

    def with_stems(self, words: str, found: Sequence[Found], language: int) -> list[Found]:
        """Return what was found and the words beside it whose stems a word of the language shares, in order."""
        if language not in self._stems:
            self._stems[language] = self._stems_of(language)
        forms, stems = self._stems[language]
        if not forms.cuts:
            return list(found)
        result: list[Found] = []
        position = 0
        for form, start, end in (*found, (-1, len(words), len(words))):
            for word in _WORD.finditer(words, position, start):
                at = stems.get(forms.stem_word(word.group()))
                if at is not None:
                    result.append((at, word.start(), word.end()))
            if form >= 0:
                result.append((form, start, end))
            position = max(position, end)
        return result

    def _stems_of(self, language: int) -> tuple[WordForms, dict[str, int]]:
        """Return what cuts the words of a language, and its words by their stems."""
        forms = WordForms(self.languages[language])
        stems: dict[str, int] = {}
        for word, at in self._words.items():
            if self.meaning(at, language) is not None:
                stems.setdefault(forms.stem_word(word), at)
        forms.forget()
        return forms, stems


def _with(columns: tuple[int, ...], column: int | None) -> tuple[int, ...]:
    return columns if column is None or column in columns else (*columns, column)


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

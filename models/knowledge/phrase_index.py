"""Many phrases found in one pass, on word boundaries, longest first."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any, Generic, Self, TypeVar

from ahocorasick_rs import AhoCorasick

from models.knowledge.normalising import fold_phrase

_Value = TypeVar("_Value")
_SHORT_KATAKANA = 2
_VOWEL_SIGNS = frozenset(c for c in map(chr, range(0x900, 0x980)) if unicodedata.category(c).startswith("M"))
_SHORT_WORD = 3

Span = tuple[int, int, int, int]
"""Minus the length, start, end and number of a form in a text."""


@dataclass(frozen=True)
class Hit(Generic[_Value]):
    """A phrase found: its value and its span in the folded text (code points, end exclusive)."""

    value: _Value
    start: int
    end: int


class PhraseIndexes(Generic[_Value]):
    """Finds the phrases of several groups in folded text, in one pass for all of them.

    A language has some ten thousand phrases, most of them in more than one group, and a server knows twenty languages
    at once: so there is one automaton for all groups, and what its forms stand for lies in arrays.

    Parameters
    ----------
    groups : mapping
        Name -> pairs of a phrase and its value. Several values may share a phrase; all are reported. Hyphens and spaces
        inside a phrase stand for each other.
    word_boundaries : bool
        Whether a phrase must begin and end at a word's edge; False for scripts without spaces.
    canonical : callable, optional
        Turns a folded phrase into the form in which texts are searched (stems).
    """

    def __init__(
        self,
        groups: Mapping[str, Iterable[tuple[str, _Value]]],
        word_boundaries: bool = True,
        canonical: Callable[[str], str] | None = None,
    ) -> None:
        forms = _Numbers[str]()
        written = _Numbers[str]()
        values = _Numbers[_Value]()
        form_of: dict[int, int] = {}
        held: dict[str, dict[int, list[tuple[int, int]]]] = {}
        for name, phrases in groups.items():
            group = held[name] = {}
            for phrase, value in phrases:
                writing = fold_phrase(phrase).strip("- ")
                if not writing:
                    continue
                at = written.of(writing)
                if at not in form_of:
                    form_of[at] = forms.of(_spaced(writing if canonical is None else canonical(writing)))
                meanings = group.setdefault(form_of[at], [])
                meaning = (at, values.of(value))
                if meaning not in meanings:
                    meanings.append(meaning)
        self._written = "".join(written)
        self._edges = array("I", accumulate(map(len, written), initial=0))
        self._values = list(values)
        self._groups = {name: _Group.of(group, len(forms), self._longest) for name, group in held.items()}
        self._at_edges = at_word_edges if word_boundaries else at_katakana_edges
        self._automaton = AhoCorasick(list(forms)) if len(forms) else None

    def spans(self, text: str) -> list[Span]:
        """Return where forms of any group stand, longest first; they may overlap."""
        if self._automaton is None or not text:
            return []
        at_edges, text = self._at_edges, _spaced(text)
        spans = [
            (start - end, start, end, i)
            for i, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if at_edges(text, start, end)
        ]
        spans.sort()
        return spans

    def find(
        self,
        group: str,
        text: str,
        written: Callable[[int, int], str] | None = None,
        spans: Sequence[Span] | None = None,
    ) -> list[Hit[_Value]]:
        """Return the longest hits that do not overlap, from left to right; equal spans give one hit a value.

        Parameters
        ----------
        written : callable, optional
            Gives the words behind a span of a canonical text. Where several phrases share their canonical form, those
            that are written most like the text stay: "цвета" is a colour, "цветы" are flowers, and both have one stem.
        spans : sequence of Span, optional
            What `spans` gives for the text, where it has been asked already.
        """
        phrases = self._groups[group]
        taken = bytearray(len(text))
        hits: list[Hit[_Value]] = []
        for length, start, end, i in self.spans(text) if spans is None else spans:
            if not phrases.lengths[i] or taken.find(1, start, end) >= 0:
                continue
            word = None if written is None else written(start, end)
            if word is None or self._trusted(phrases, i, word):
                taken[start:end] = b"\1" * -length
                hits.extend(Hit(value, start, end) for value in self._closest(phrases, i, word))
        hits.sort(key=_start)
        return hits

    def _trusted(self, phrases: _Group, i: int, word: str) -> bool:
        """Tell whether a phrase is written like the word, or both are long enough to be told by their stems.

        "Com" is no form of "comò", and "semi" none of "sem", whatever the stemmer says.
        """
        if len(word) > _SHORT_WORD and phrases.lengths[i] > _SHORT_WORD:
            return True
        return any(word == self._writing(at) for at, _ in phrases.meanings(i))

    def _closest(self, phrases: _Group, i: int, word: str | None) -> Iterable[_Value]:
        meanings = phrases.meanings(i)
        if len(meanings) > 1 and word is not None:
            likeness = [_likeness(word, self._writing(at)) for at, _ in meanings]
            meanings = [meaning for meaning, alike in zip(meanings, likeness, strict=True) if alike == max(likeness)]
        return dict.fromkeys(self._values[value] for _, value in meanings)

    def _writing(self, at: int) -> str:
        return self._written[self._edges[at] : self._edges[at + 1]]

    def _longest(self, meanings: Iterable[tuple[int, int]]) -> int:
        return max(self._edges[at + 1] - self._edges[at] for at, _ in meanings)


class _Numbers(Generic[_Value]):
    """Numbers things in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[_Value, int] = {}

    def of(self, thing: _Value) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[_Value]:
        return iter(self._numbers)


@dataclass(frozen=True)
class _Group:
    """What the forms of all groups stand for in one of them.

    Parameters
    ----------
    first : array of int, shape (forms + 1,)
        Where the meanings of each form begin.
    written, values : array of int, shape (meanings,)
        Number of a phrase as it is written, and of its value.
    lengths : bytes, shape (forms,)
        Letters of the longest phrase of each form, 255 for more; 0 where the group does not have the form.
    """

    first: array[int]
    written: array[int]
    values: array[int]
    lengths: bytes

    @classmethod
    def of(
        cls, held: Mapping[int, list[tuple[int, int]]], forms: int, longest: Callable[[Iterable[tuple[int, int]]], int]
    ) -> Self:
        of_forms = [held.get(form, []) for form in range(forms)]
        return cls(
            array("I", accumulate(map(len, of_forms), initial=0)),
            array("I", (written for meanings in of_forms for written, _ in meanings)),
            array("I", (value for meanings in of_forms for _, value in meanings)),
            bytes(min(255, longest(meanings)) if meanings else 0 for meanings in of_forms),
        )

    def meanings(self, form: int) -> list[tuple[int, int]]:
        """Return the pairs of a form: a phrase as it is written and its value, both by their numbers."""
        return [(self.written[at], self.values[at]) for at in range(self.first[form], self.first[form + 1])]


def _spaced(text: str) -> str:
    """Return a text, of the same length, in which hyphens are spaces: sellers write either."""
    return text.replace("-", " ")


def _start(hit: Hit[Any]) -> int:
    return hit.start


def _likeness(word: str, form: str) -> int:
    """Return how many letters two forms begin with alike; more than any other where they are the same."""
    if word == form:
        return len(word) + 1
    alike = (a == b for a, b in zip(word, form, strict=False))
    return sum(takewhile(bool, alike))


def at_word_edges(text: str, start: int, end: int) -> bool:
    """Tell whether a span neither begins nor ends inside a word.

    A phrase that itself begins or ends with a sign that is no letter or digit (``100%``) needs no edge there. The vowel
    signs of Devanagari are parts of words, though no letters: "ब्रा" (bra) is no part of "ब्रांड" (brand).
    """
    if start > 0 and _in_word(text[start - 1]) and _in_word(text[start]):
        return False
    return not (end < len(text) and _in_word(text[end]) and _in_word(text[end - 1]))


def _in_word(character: str) -> bool:
    return character.isalnum() or character in _VOWEL_SIGNS


def at_katakana_edges(text: str, start: int, end: int) -> bool:
    """Tell whether a short word in katakana stands alone: "バス" (bath) is no part of "バスト" (bust)."""
    if end - start > _SHORT_KATAKANA or not all(_is_katakana(c) for c in text[start:end]):
        return True
    before = start > 0 and _is_katakana(text[start - 1])
    after = end < len(text) and _is_katakana(text[end])
    return not before and not after


def _is_katakana(character: str) -> bool:
    return "\u30a1" <= character <= "\u30fa" or character == "ー"

"""Many phrases found in one pass, on word boundaries, longest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Generic, TypeVar

from ahocorasick_rs import AhoCorasick

from models.knowledge.normalising import fold_phrase

_Value = TypeVar("_Value")
_SHORT_KATAKANA = 2
_SHORT_WORD = 3


@dataclass(frozen=True)
class Hit(Generic[_Value]):
    """A phrase found: its value and its span in the folded text (code points, end exclusive)."""

    value: _Value
    start: int
    end: int


class PhraseIndex(Generic[_Value]):
    """Finds phrases in folded text.

    Parameters
    ----------
    phrases : iterable of (phrase, value)
        Several values may share a phrase; all are reported. Hyphens and spaces inside a phrase stand for
        each other.
    word_boundaries : bool
        Whether a phrase must begin and end at a word's edge; False for scripts without spaces.
    canonical : callable, optional
        Turns a folded phrase into the form in which texts are searched (stems).
    """

    def __init__(
        self,
        phrases: Iterable[tuple[str, _Value]],
        word_boundaries: bool = True,
        canonical: Callable[[str], str] | None = None,
    ) -> None:
        # Most phrases stand alone, in one to three forms: these share what they hold, which halves the memory.
        values: dict[str, tuple[tuple[str, _Value], ...]] = {}
        for phrase, value in phrases:
            written = fold_phrase(phrase).strip("- ")
            folded = written if canonical is None else canonical(written)
            own = ((written, value),)
            for form in {folded, folded.replace("-", " "), folded.replace(" ", "-")}:
                held = values.setdefault(form, own)
                if own[0] not in held:
                    values[form] = held + own
        values.pop("", None)
        self._values = list(values.values())
        self._longest_forms = [max(len(form) for form, _ in held) for held in self._values]
        self._at_edges = at_word_edges if word_boundaries else at_katakana_edges
        self._automaton = AhoCorasick(list(values)) if values else None

    def find(self, text: str, written: Callable[[int, int], str] | None = None) -> list[Hit[_Value]]:
        """Return the longest hits that do not overlap, from left to right; equal spans give one hit a value.

        Parameters
        ----------
        written : callable, optional
            Gives the words behind a span of a canonical text. Where several phrases share their canonical form, those
            that are written most like the text stay: "цвета" is a colour, "цветы" are flowers, and both have one stem.
        """
        if self._automaton is None or not text:
            return []
        at_edges = self._at_edges
        spans = [
            (start - end, start, end, i)
            for i, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if at_edges(text, start, end)
        ]
        spans.sort()
        taken = bytearray(len(text))
        hits: list[Hit[_Value]] = []
        for length, start, end, i in spans:
            if taken.find(1, start, end) < 0 and (written is None or self._trusted(i, written(start, end))):
                taken[start:end] = b"\1" * -length
                hits.extend(Hit(value, start, end) for value in self._closest(i, start, end, written))
        hits.sort(key=_start)
        return hits

    def _trusted(self, i: int, word: str) -> bool:
        """Tell whether a phrase is written like the word, or both are long enough to be told by their stems.

        "Com" is no form of "comò", and "semi" none of "sem", whatever the stemmer says.
        """
        if len(word) > _SHORT_WORD and self._longest_forms[i] > _SHORT_WORD:
            return True
        return any(word == form for form, _ in self._values[i])

    def _closest(self, i: int, start: int, end: int, written: Callable[[int, int], str] | None) -> Iterable[_Value]:
        forms = self._values[i]
        if len(forms) > 1 and written is not None:
            word = written(start, end)
            likeness = [_likeness(word, form) for form, _ in forms]
            forms = tuple(form for form, alike in zip(forms, likeness, strict=True) if alike == max(likeness))
        return dict.fromkeys(value for _, value in forms)


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

    A phrase that itself begins or ends with a sign that is no letter or digit (``100%``) needs no edge there.
    """
    before = start > 0 and text[start].isalnum() and text[start - 1].isalnum()
    after = end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    return not before and not after


def at_katakana_edges(text: str, start: int, end: int) -> bool:
    """Tell whether a short word in katakana stands alone: "バス" (bath) is no part of "バスト" (bust)."""
    if end - start > _SHORT_KATAKANA or not all(_is_katakana(c) for c in text[start:end]):
        return True
    before = start > 0 and _is_katakana(text[start - 1])
    after = end < len(text) and _is_katakana(text[end])
    return not before and not after


def _is_katakana(character: str) -> bool:
    return "\u30a1" <= character <= "\u30fa" or character == "ー"

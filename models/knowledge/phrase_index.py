"""Many phrases found in one pass, on word boundaries, longest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick

from models.knowledge.normalising import fold_phrase

_Value = TypeVar("_Value")


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
        values: dict[str, list[_Value]] = {}
        for phrase, value in phrases:
            folded = fold_phrase(phrase)
            if canonical is not None:
                folded = canonical(folded)
            for form in {folded, folded.replace("-", " "), folded.replace(" ", "-")}:
                held = values.setdefault(form, [])
                if form and value not in held:
                    held.append(value)
        values.pop("", None)
        self._values = list(values.values())
        self._word_boundaries = word_boundaries
        self._automaton = AhoCorasick(list(values)) if values else None

    def find(self, text: str) -> list[Hit[_Value]]:
        """Return the longest hits that do not overlap, from left to right; equal spans give one hit a value."""
        if self._automaton is None or not text:
            return []
        spans = [
            (start, end, i)
            for i, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if not self._word_boundaries or at_word_edges(text, start, end)
        ]
        spans.sort(key=lambda span: (span[0] - span[1], span[0]))
        taken: list[tuple[int, int]] = []
        hits: list[Hit[_Value]] = []
        for start, end, i in spans:
            if all(end <= other_start or start >= other_end for other_start, other_end in taken):
                taken.append((start, end))
                hits.extend(Hit(value, start, end) for value in self._values[i])
        hits.sort(key=lambda hit: hit.start)
        return hits


def at_word_edges(text: str, start: int, end: int) -> bool:
    """Tell whether a span neither begins nor ends inside a word.

    A phrase that itself begins or ends with a sign that is no letter or digit (``100%``) needs no edge there.
    """
    before = start > 0 and text[start].isalnum() and text[start - 1].isalnum()
    after = end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    return not before and not after

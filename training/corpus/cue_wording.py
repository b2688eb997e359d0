"""How a cue is written in a language, so that the knowledge base finds it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from models.classifier.scenarios import CueFact
from models.knowledge.base import Knowledge
from models.knowledge.kinds import Cue
from models.knowledge.matching import KnowledgeMatcher
from training.corpus.phrase_book import AgePatterns, PhraseBook

_MONTHS = (0, 3, 6, 9, 12, 18, 24)
_YEARS = tuple(range(1, 19))


class CueWording:
    """Writes cues: a phrase of the language, an age grade, a number with its unit, or the phrase denied.

    Only wordings that the matcher reads as that cue are used, where the knowledge base has the language; a cue
    without a phrase in a language is written in English, as sellers do.
    """

    def __init__(self, knowledge: Knowledge, book: PhraseBook, matcher: KnowledgeMatcher) -> None:
        self._knowledge = knowledge
        self._book = book
        self._matcher = matcher
        self._negatable = set(book.shared.negatable_cues)
        self._age_cues = [cue for cue in knowledge.cues if cue.age is not None]
        self._phrases: dict[tuple[str, str, bool], tuple[str, ...]] = {}
        self._ages: dict[tuple[str, str], tuple[str, ...]] = {}

    def can_negate(self, cue: str, language: str) -> bool:
        """Tell whether a listing of that language can deny the cue in words that are read that way."""
        return cue in self._negatable and bool(self._worded(cue, language, True))

    def can_write(self, cue: str, language: str) -> bool:
        """Tell whether the cue has a wording at all."""
        record = self._knowledge.cue_by_id[cue]
        if record.quantity is not None:
            return True
        return bool(self.age_grades(record, language) or self._worded(cue, language, False))

    def write(self, fact: CueFact, language: str, rng: Random) -> str:
        """Return words for a cue."""
        if fact.negated:
            return rng.choice(self._worded(fact.cue, language, True))
        cue = self._knowledge.cue_by_id[fact.cue]
        phrases = self._worded(cue.id, language, False)
        grades = self.age_grades(cue, language)
        if grades and (not phrases or rng.random() < 0.8):
            return rng.choice(grades)
        if cue.quantity is not None and (not phrases or rng.random() < 0.3):
            return _quantity(cue, rng)
        return rng.choice(phrases)

    def _worded(self, cue: str, language: str, negated: bool) -> tuple[str, ...]:
        key = (cue, language, negated)
        if key not in self._phrases:
            record = self._knowledge.cue_by_id[cue]
            code = language if record.phrases.get(language) else "en"
            forms = record.phrases.get(code, [])
            if negated:
                forms = [denial.format(cue=phrase) for denial in self._book.of(code).denials for phrase in forms[:4]]
            found = self._readable(forms, CueFact(cue, negated), code)
            self._phrases[key] = found
        return self._phrases[key]

    def _readable(self, forms: Sequence[str], fact: CueFact, language: str) -> tuple[str, ...]:
        """Return the wordings that are read as this cue and, where there are such, as no other."""
        if language not in self._knowledge.language_by_code:
            return () if fact.negated else tuple(forms)
        read = {
            form: {CueFact(hit.cue, hit.negated) for hit in self._matcher.find(form, language).cues} for form in forms
        }
        alone = tuple(form for form, facts in read.items() if facts == {fact})
        return alone or tuple(form for form, facts in read.items() if fact in facts)

    def age_grades(self, cue: Cue, language: str) -> tuple[str, ...]:
        """Return every age grade by which a language writes the cue; none for a cue without ages."""
        if cue.age is None:
            return ()
        key = (cue.id, language)
        if key not in self._ages:
            patterns = self._book.of(language).ages
            grades = [text for months, text in _grades(patterns) if self._names_age(cue, months)]
            self._ages[key] = self._readable(grades, CueFact(cue.id, False), language) or tuple(grades)
        return self._ages[key]

    def _names_age(self, cue: Cue, months: int) -> bool:
        fitting = [other for other in self._age_cues if other.age is not None and other.age.holds(months)]
        best = max(fitting, key=lambda other: (other.age.from_ or 0) if other.age else 0, default=None)
        return best is cue


def _grades(patterns: AgePatterns) -> list[tuple[int, str]]:
    """Return every age grade that sellers write, with the youngest age in months."""
    grades = [(low, p.format(low=low, high=low + step)) for p in patterns.months for low in _MONTHS for step in (6, 12)]
    for pattern in patterns.years:
        lows = _YEARS if "{high}" not in pattern else (0, *_YEARS)
        grades += [(12 * low, pattern.format(low=low, high=low + step)) for low in lows for step in (2, 3, 5)]
    return list(dict.fromkeys(grades))


def _quantity(cue: Cue, rng: Random) -> str:
    quantity = cue.quantity
    assert quantity is not None
    if quantity.above is not None:
        value = int(quantity.above * rng.choice((1.05, 1.1, 1.2, 1.5, 2, 4))) + 1
    else:
        value = max(1, int((quantity.below or 2) * rng.choice((0.2, 0.5, 0.8))))
    return f"{value}{rng.choice(('', ' '))}{re.sub(r'[{}]', '', quantity.unit)}"

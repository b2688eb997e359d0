"""What the knowledge base sees in a text: product names, cues with their negation, words for the gloss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeVar
from weakref import WeakValueDictionary

from models.knowledge.age_grades import AgeGrade, AgeGrammar
from models.knowledge.base import Knowledge
from models.knowledge.indexes import Indexes, SeenText
from models.knowledge.kinds import Cue, LanguageProfile, Quantity
from models.knowledge.normalising import Folded, fold_phrase
from models.knowledge.romanised import CYRILLIC, RomanisedForms
from models.knowledge.stemming import WordForms

_CLAUSE_END = re.compile(r"[.,;:!?\n。；！？、，|•✓✔★/]|\s[-–]\s")
_DIGIT = re.compile(r"\d")
_CACHED_COVERAGES = 4_096
_CACHED_FINDINGS = 2_048
_CACHED_SIGHTS = 16
"""Texts of one language that are not cut anew: the fields of the listings that are being read."""
_LONGEST_CACHED = 200
"""Longer texts, mostly descriptions, are seldom met again; categories and brands come with every listing of a shop."""
_NEGATION_REACH = 24
"""Characters between a negating word and the cue that it still negates ("without any small magnets")."""


@dataclass(frozen=True)
class NameHit:
    """A product kind's name. Offsets are code points of the text as it was given, end exclusive."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class CueHit:
    """A cue, and whether the text negates it ("without magnets")."""

    cue: str
    effect: Literal["aggravating", "mitigating"]
    negated: bool
    start: int
    end: int


@dataclass(frozen=True)
class GlossHit:
    """A word of another language with its English; `end` exclusive."""

    english: str
    start: int
    end: int


@dataclass(frozen=True)
class Findings:
    """Everything found in one text."""

    names: tuple[NameHit, ...] = ()
    cues: tuple[CueHit, ...] = ()
    glosses: tuple[GlossHit, ...] = ()

    def clear_of(self, spans: Sequence[tuple[int, int]]) -> Findings:
        """Return what shares no letter with some spans of the text."""

        def clear(hit: NameHit | CueHit | GlossHit) -> bool:
            return not any(start < hit.end and end > hit.start for start, end in spans)

        return Findings(
            tuple(filter(clear, self.names)), tuple(filter(clear, self.cues)), tuple(filter(clear, self.glosses))
        )


_Span = TypeVar("_Span", NameHit, CueHit)


class LanguageMatcher:
    """Finds names, cues and gloss words of one language."""

    def __init__(self, knowledge: Knowledge, profile: LanguageProfile) -> None:
        self.profile = profile
        self._knowledge = knowledge
        self._cues = knowledge.cue_by_id
        self._ages = AgeGrammar(profile)
        self._age_cues = [cue for cue in knowledge.cues if cue.age is not None]
        self._quantities = [
            (cue, cue.quantity, _quantity_pattern(cue.quantity)) for cue in knowledge.cues if cue.quantity is not None
        ]
        # Who asks what language a text is in asks next what there is in it.
        self._seen = lru_cache(maxsize=_CACHED_SIGHTS)(self._see)
        self._glosses = lru_cache(maxsize=_CACHED_SIGHTS)(lambda text: _gloss_hits(self._seen(text)))

    @cached_property
    def _native(self) -> Indexes:
        return Indexes(self._knowledge, self.profile, WordForms(self.profile.code))

    @cached_property
    def _romanised(self) -> Indexes:
        return Indexes(self._knowledge, self.profile, RomanisedForms(self.profile.code))

    def _indexes(self, text: str) -> Indexes:
        """Return the indexes for a text's letters: addresses and categories spell Cyrillic words in Latin."""
        return self._romanised if self.profile.script == "Cyrillic" and not CYRILLIC.search(text) else self._native

    def find(self, text: str, *, gloss: bool = True) -> Findings:
        """Return what this language's part of the knowledge base sees in a text, with or without gloss words."""
        seen = self._seen(text)
        folded = seen.folded
        # Ages and quantities are numbers: most fields have none, and need not be searched for them.
        numbers = _DIGIT.search(folded.text) is not None
        grades = self._ages.find(folded.text) if numbers else []
        names = [NameHit(hit.value, *folded.origin(*seen.words(hit))) for hit in seen.names()]
        cues = [
            *self._phrase_cues(seen, grades),
            *self._age_hits(folded, grades),
            *(self._quantity_hits(folded) if numbers else ()),
        ]
        return Findings(
            names=tuple(names),
            cues=tuple(sorted((cue for cue in cues if not _inside(cue, names)), key=lambda hit: (hit.start, hit.cue))),
            glosses=self.glosses(text) if gloss else (),
        )

    def glosses(self, text: str) -> tuple[GlossHit, ...]:
        """Return the words of a text that the gloss knows."""
        return self._glosses(text)

    def _see(self, text: str) -> SeenText:
        return SeenText.of(text, self._indexes(text))

    def _phrase_cues(self, seen: SeenText, grades: list[AgeGrade]) -> list[CueHit]:
        hits = []
        previous = 0
        folded = seen.folded
        for hit in seen.cues():
            start, end = seen.words(hit)
            if all(end <= grade.start or start >= grade.end for grade in grades):
                # The "no" of a cue such as "no brand" is its own and negates no later one.
                negated = self._negated(folded.text, max(previous, start - _NEGATION_REACH), start, end)
                previous = end
                hits.append(CueHit(hit.value, self._cues[hit.value].effect, negated, *folded.origin(start, end)))
        return hits

    def _age_hits(self, folded: Folded, grades: list[AgeGrade]) -> list[CueHit]:
        hits = []
        for grade in grades:
            cue = self._cue_for_age(grade.months)
            if cue is not None:
                hits.append(CueHit(cue.id, cue.effect, False, *folded.origin(grade.start, grade.end)))
        return hits

    def _cue_for_age(self, months: int) -> Cue | None:
        fitting = [cue for cue in self._age_cues if cue.age is not None and cue.age.holds(months)]
        return max(fitting, key=lambda cue: (cue.age.from_ or 0) if cue.age else 0, default=None)

    def _quantity_hits(self, folded: Folded) -> list[CueHit]:
        return [
            CueHit(cue.id, cue.effect, False, *folded.origin(match.start(), match.end()))
            for cue, quantity, pattern in self._quantities
            for match in pattern.finditer(folded.text)
            if quantity.holds(_number(match["value"]))
        ]

    def _negated(self, text: str, earliest: int, start: int, end: int) -> bool:
        before = _CLAUSE_END.split(text[min(earliest, start) : start])[-1]
        if self._negator_before is not None and self._negator_before.search(before):
            return True
        return self._negator_after is not None and self._negator_after.match(text, end) is not None

    @cached_property
    def _negator_before(self) -> re.Pattern[str] | None:
        words = _alternatives(self.profile.negators_before)
        if not words:
            return None
        edge = r"(?<!\w)" if self.profile.spaces else ""
        reach = r"(?:[\s-]+\w+){0,2}[\s-]*$" if self.profile.spaces else r"\w{0,2}\s*$"
        return re.compile(rf"{edge}(?:{words}){reach}")

    @cached_property
    def _negator_after(self) -> re.Pattern[str] | None:
        words = _alternatives(self.profile.negators_after)
        edge = r"(?!\w)" if self.profile.spaces else ""
        return re.compile(rf"[ \u00a0-]*(?:{words}){edge}") if words else None


class KnowledgeMatcher:
    """Finds what the knowledge base knows, in any of its languages."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._matchers: dict[str, LanguageMatcher] = {}
        self.gloss_coverage = lru_cache(maxsize=_CACHED_COVERAGES)(self._gloss_coverage)
        self._found = lru_cache(maxsize=_CACHED_FINDINGS)(self._find)

    def find(self, text: str, language: str) -> Findings:
        """Return the findings of a text in its language, and in English: sellers mix the two.

        A language that the base does not know is searched as English only.
        """
        return self._found(text, language) if len(text) <= _LONGEST_CACHED else self._find(text, language)

    def _find(self, text: str, language: str) -> Findings:
        alone = language == "en" or language not in self.knowledge.language_by_code
        english = self._matcher("en").find(text, gloss=alone)
        if alone:
            return english
        own = self._matcher(language).find(text)
        return Findings(
            names=(*own.names, *_outside(english.names, own.names)),
            cues=(*own.cues, *_outside(english.cues, own.cues)),
            glosses=own.glosses,
        )

    def romanises(self, language: str) -> bool:
        """Tell whether words of a language are also known as shops spell them in Latin letters."""
        profile = self.knowledge.language_by_code.get(language)
        return profile is not None and profile.script == "Cyrillic"

    def _gloss_coverage(self, text: str, language: str) -> float:
        """Return the share (0 to 1) of a text's letters that the gloss of a language knows."""
        letters = letters_of(text)
        if not letters or language not in self.knowledge.language_by_code:
            return 0.0
        hits = self._matcher(language).glosses(text)
        return min(1.0, sum(letters_of(text[h.start : h.end]) for h in hits) / letters)

    def _matcher(self, language: str) -> LanguageMatcher:
        if language not in self._matchers:
            self._matchers[language] = LanguageMatcher(self.knowledge, self.knowledge.language_by_code[language])
        return self._matchers[language]


_SHARED: WeakValueDictionary[int, KnowledgeMatcher] = WeakValueDictionary()


def matcher_of(knowledge: Knowledge) -> KnowledgeMatcher:
    """Return the matcher of a knowledge base: one for all models that share it, as long as one of them lives.

    What it builds for each language is a matter of seconds and of some ten megabytes.
    """
    # A matcher holds its knowledge base, so that no other one can have its id meanwhile.
    found = _SHARED.get(id(knowledge))
    if found is None:
        found = _SHARED[id(knowledge)] = KnowledgeMatcher(knowledge)
    return found


def letters_of(text: str) -> int:
    """Return how many letters a text has."""
    return sum(map(str.isalpha, text))


def _gloss_hits(seen: SeenText) -> tuple[GlossHit, ...]:
    """One English word or phrase a span: the first of those that are written most like it."""
    spans: dict[tuple[int, int], str] = {}
    for hit in seen.glosses():
        spans.setdefault(seen.words(hit), hit.value)
    if seen.indexes.compounds is not None:
        spans |= seen.indexes.compounds.find(seen.folded.text, spans)
    return tuple(GlossHit(spans[span], *seen.folded.origin(*span)) for span in sorted(spans))


def _inside(cue: CueHit, names: list[NameHit]) -> bool:
    """Tell whether a cue stands within a product name: the kind's own figures already hold what it says."""
    return any(name.start <= cue.start and cue.end <= name.end for name in names)


def _outside(hits: tuple[_Span, ...], taken: tuple[_Span, ...]) -> list[_Span]:
    return [h for h in hits if all(h.end <= t.start or h.start >= t.end for t in taken)]


def _alternatives(words: list[str]) -> str:
    folded = sorted({fold_phrase(word) for word in words} - {""}, key=len, reverse=True)
    return "|".join(re.escape(word) for word in folded)


def _quantity_pattern(quantity: Quantity) -> re.Pattern[str]:
    units = _alternatives([quantity.unit, *quantity.spellings])
    return re.compile(rf"(?<![\w.,])(?P<value>{_NUMBER})\s?(?:{units})(?![a-z0-9а-я])")


_NUMBER = r"\d{1,3}(?:[.,]\d{3})+|\d{1,6}(?:[.,]\d{1,2})?"


def _number(written: str) -> float:
    """Return the value of a number with thousands set apart ("5.000", "1,000") or with one or two decimals."""
    whole, sign, rest = written.replace(",", ".").rpartition(".")
    return float(f"{whole.replace('.', '')}{rest}" if len(rest) == 3 and sign else written.replace(",", "."))

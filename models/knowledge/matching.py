"""What the knowledge base sees in a text: product names, cues with their negation, words for the gloss."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

from models.knowledge.age_grades import AgeGrade, AgeGrammar
from models.knowledge.base import Knowledge
from models.knowledge.kinds import Cue, LanguageProfile
from models.knowledge.normalising import Folded, fold, fold_phrase
from models.knowledge.phrase_index import Hit, PhraseIndex

_CLAUSE_END = re.compile(r"[.;:!?\n。；！？|•✓✔★]")
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


_Span = TypeVar("_Span", NameHit, CueHit)


class LanguageMatcher:
    """Finds names, cues and gloss words of one language."""

    def __init__(self, knowledge: Knowledge, profile: LanguageProfile) -> None:
        self.profile = profile
        code = profile.code
        self._cues = {cue.id: cue for cue in knowledge.cues}
        names = [(name, kind.id) for kind in knowledge.kinds for name in kind.names.get(code, [])]
        if code == "en":
            names += [(plural, kind) for name, kind in names for plural in (f"{name}s", f"{name}es")]
        self._names: PhraseIndex[str] = PhraseIndex(names, profile.spaces)
        self._phrases: PhraseIndex[str] = PhraseIndex(
            ((phrase, cue.id) for cue in knowledge.cues for phrase in cue.phrases.get(code, [])), profile.spaces
        )
        glosses = {} if code == "en" else dict(knowledge.vocabulary.get(code, {}))
        if code != "en":
            for cue in knowledge.cues:
                if cue.phrases.get("en"):
                    glosses.update(dict.fromkeys(cue.phrases.get(code, []), cue.phrases["en"][0]))
            for kind in knowledge.kinds:
                glosses.update(dict.fromkeys(kind.names.get(code, []), kind.name))
        self._glosses: PhraseIndex[str] = PhraseIndex(glosses.items(), profile.spaces)
        self._ages = AgeGrammar(profile)
        self._age_cues = [cue for cue in knowledge.cues if cue.age is not None]
        self._quantity_cues = [cue for cue in knowledge.cues if cue.quantity is not None]

    def find(self, text: str) -> Findings:
        """Return what this language's part of the knowledge base sees in a text."""
        folded = fold(text)
        grades = self._ages.find(folded.text)
        cues = [*self._phrase_cues(folded, grades), *self._age_hits(folded, grades), *self._quantity_hits(folded)]
        return Findings(
            names=tuple(NameHit(hit.value, *folded.origin(hit.start, hit.end)) for hit in self._names.find(folded.text)),
            cues=tuple(sorted(cues, key=lambda hit: (hit.start, hit.cue))),
            glosses=tuple(
                GlossHit(hit.value, *folded.origin(hit.start, hit.end)) for hit in self._glosses.find(folded.text)
            ),
        )

    def _phrase_cues(self, folded: Folded, grades: list[AgeGrade]) -> list[CueHit]:
        return [
            CueHit(hit.value, self._cues[hit.value].effect, self._negated(folded.text, hit), *folded.origin(hit.start, hit.end))
            for hit in self._phrases.find(folded.text)
            if all(hit.end <= grade.start or hit.start >= grade.end for grade in grades)
        ]

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
        hits = []
        for cue in self._quantity_cues:
            if cue.quantity is None:
                continue
            for match in _quantity_pattern(cue.quantity.unit, tuple(cue.quantity.spellings)).finditer(folded.text):
                if cue.quantity.holds(float(match["value"].replace(" ", "").replace(",", "."))):
                    hits.append(CueHit(cue.id, cue.effect, False, *folded.origin(match.start(), match.end())))
        return hits

    def _negated(self, text: str, hit: Hit[str]) -> bool:
        before = _CLAUSE_END.split(text[max(0, hit.start - _NEGATION_REACH) : hit.start])[-1]
        if self._negator_before is not None and self._negator_before.search(before):
            return True
        return self._negator_after is not None and self._negator_after.match(text, hit.end) is not None

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
        return re.compile(rf"[\s-]*(?:{words}){edge}") if words else None


class KnowledgeMatcher:
    """Finds what the knowledge base knows, in any of its languages."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._matchers: dict[str, LanguageMatcher] = {}

    def find(self, text: str, language: str) -> Findings:
        """Return the findings of a text in its language, and in English: sellers mix the two.

        A language that the base does not know is searched as English only.
        """
        english = self._matcher("en").find(text)
        if language == "en" or language not in self.knowledge.language_by_code:
            return english
        own = self._matcher(language).find(text)
        return Findings(
            names=(*own.names, *_outside(english.names, own.names)),
            cues=(*own.cues, *_outside(english.cues, own.cues)),
            glosses=own.glosses,
        )

    def gloss_coverage(self, text: str, language: str) -> float:
        """Return the share (0 to 1) of a text's letters that the gloss of a language knows."""
        letters = sum(c.isalpha() for c in text)
        if not letters or language not in self.knowledge.language_by_code:
            return 0.0
        hits = self._matcher(language).find(text).glosses
        return min(1.0, sum(sum(c.isalpha() for c in text[h.start : h.end]) for h in hits) / letters)

    def _matcher(self, language: str) -> LanguageMatcher:
        if language not in self._matchers:
            self._matchers[language] = LanguageMatcher(self.knowledge, self.knowledge.language_by_code[language])
        return self._matchers[language]


def _outside(hits: tuple[_Span, ...], taken: tuple[_Span, ...]) -> list[_Span]:
    return [h for h in hits if all(h.end <= t.start or h.start >= t.end for t in taken)]


def _alternatives(words: list[str]) -> str:
    folded = sorted({fold_phrase(word) for word in words} - {""}, key=len, reverse=True)
    return "|".join(re.escape(word) for word in folded)


def _quantity_pattern(unit: str, spellings: tuple[str, ...]) -> re.Pattern[str]:
    units = _alternatives([unit, *spellings])
    return re.compile(rf"(?<![\w.,])(?P<value>\d{{1,6}}(?:[.,]\d{{1,2}})?)\s?(?:{units})(?![a-z0-9а-я])")

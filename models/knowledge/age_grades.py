"""Age grades in listings, in every language: "0-3 years", "14+", "from 6 months", "not for children under 3 years"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from models.knowledge.kinds import LanguageProfile
from models.knowledge.normalising import fold_phrase

_OLDEST_GRADE_YEARS = 18
_DASH = r"\s*(?:-|–|—|~|〜|～|to|bis|до|a|à|至|から)\s*"


@dataclass(frozen=True)
class AgeGrade:
    """The youngest age that a product is offered for, in months, and where the text says so (folded offsets)."""

    months: int
    start: int
    end: int


@dataclass(frozen=True)
class AgeGrammar:
    """Reads age grades in one language."""

    language: LanguageProfile

    def find(self, text: str) -> list[AgeGrade]:
        """Return the age grades of a folded text, from left to right, without overlaps.

        A number counts as an age only with a unit and a word of direction, as a range with a unit, or as the
        bare ``14+``: "2 years warranty" is none.
        """
        found: list[AgeGrade] = []
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                groups = match.groupdict()
                months = int(groups["low"]) * (1 if groups.get("month") else 12)
                plausible = months <= _OLDEST_GRADE_YEARS * 12
                free = all(match.end() <= g.start or match.start() >= g.end for g in found)
                if plausible and free:
                    found.append(AgeGrade(months, match.start(), match.end()))
        return sorted(found, key=lambda grade: grade.start)

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        months, years = _any(self.language.months), _any(self.language.years)
        if not (months and years):
            return [_BARE_PLUS]
        edge = r"(?!\w)" if self.language.spaces else ""
        # Before a word of direction a unit needs no edge: Korean writes both as one word (6개월부터).
        open_unit = rf"\s*(?:(?P<month>{months})|(?P<year>{years}))"
        unit = open_unit + edge
        sure_unit = rf"(?!\s*(?:{_ALSO_METRES})\b){unit}"
        low = r"(?<![\d.,])(?P<low>\d{1,2})"
        begin = r"(?<!\w)" if self.language.spaces else ""
        any_unit = rf"\s*(?:(?:{months})|(?:{years}))?"
        patterns = []
        for words, template in (
            (self.language.not_under, begin + r"(?:{words})\s*" + low + unit),
            (self.language.not_under_after, low + open_unit + r"\s*(?:{words})"),
        ):
            if words:
                patterns.append(template.replace("{words}", _any(words)))
        patterns.append(low + any_unit + _DASH + r"\d{1,2}" + sure_unit)
        if self.language.after_from:
            patterns.append(low + r"\s*(?:\+)?" + open_unit + rf"\s*(?:{_any(self.language.after_from)}|\+)")
        patterns.append(low + r"\s*\+" + unit)
        if self.language.from_words and self.language.after_from:
            both = rf"(?:{_any(self.language.from_words)})\s*" + low + rf"\s*(?:{_any(self.language.after_from)})"
            patterns.append(begin + both + edge)
        if self.language.from_words:
            patterns.append(begin + rf"(?:{_any(self.language.from_words)})\s*" + low + r"\s*\+?" + sure_unit)
        return [*(re.compile(pattern) for pattern in patterns), _BARE_PLUS]


_BARE_PLUS = re.compile(r"(?<![\w.,/-])(?P<low>[1-9]|1[0-8])(?:\+|\s\+(?!\s?\d))(?![\w+])")
_ALSO_METRES = "m"
"""Unit spellings that mean another thing in a range or after "from" ("cable 2-3 m"): there they are no age."""


def _any(words: list[str]) -> str:
    folded = sorted({fold_phrase(word) for word in words} - {""}, key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in folded)

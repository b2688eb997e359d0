"""The marks that are looked for: `datasets/marks.yaml` as records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.captioning.approximate import Skeleton, skeleton
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.kinds import LanguageProfile
from models.knowledge.located_yaml import read_located

_AGE = re.compile(r"\{(months|years)\}")
_LETTERS_PER_ERROR = 8
_DENSE = re.compile("[\u0590-\u07ff\u0900-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that leave out vowels or write a syllable or a word as one sign: a few letters tell a phrase there."""
_FEWEST = {True: 3, False: 8}


_LEFT_OUT = re.compile("[\u1ea0-\u1ef9]")
"""Letters of Vietnamese that the shipped OCR model does not know and leaves out."""


def has_enough_letters(phrase: str) -> bool:
    """Tell whether a phrase can be told from others."""
    return len(skeleton(_AGE.sub(" ", phrase)).letters) >= _fewest(phrase)


def _fewest(phrase: str) -> int:
    return _FEWEST[_DENSE.search(phrase) is not None]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MarkPhrase(_Record):
    """A phrase of a mark in one language, ready to be looked for.

    Parameters
    ----------
    months : int or None
        Months of one unit of the number in the phrase; None without a number.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    language: str
    letters: Skeleton
    months: int | None

    @property
    def errors(self) -> int:
        """Letters that may be wrong: one in eight."""
        return len(self.letters.letters) // _LETTERS_PER_ERROR

    @classmethod
    def of(cls, language: str, phrase: str) -> Self:
        """Read a phrase as the file writes it.

        Raises
        ------
        ValueError
            If it has too few letters to be told from others.
        """
        age = _AGE.search(phrase)
        letters = skeleton(_AGE.sub(" 0 ", phrase))
        if not has_enough_letters(phrase):
            raise ValueError(f"{language}: phrase {phrase!r} has fewer than {_fewest(phrase)} letters")
        return cls(language=language, letters=letters, months={"months": 1, "years": 12}[age[1]] if age else None)


class Mark(_Record):
    """One mark; `datasets/marks.yaml` says what its fields mean."""

    code: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")
    sentence: str = Field(min_length=1)
    phrases: dict[str, list[str]] = Field(default_factory=dict)
    patterns: list[str] = Field(default_factory=list)
    labels: dict[str, list[str]] = Field(default_factory=dict)
    near: str = ""

    @cached_property
    def compiled_phrases(self) -> tuple[MarkPhrase, ...]:
        """The phrases of all languages."""
        given = [(language, phrase) for language, phrases in self.phrases.items() for phrase in phrases]
        maimed = [(language, _LEFT_OUT.sub("", phrase)) for language, phrase in given if _LEFT_OUT.search(phrase)]
        readable = [(language, phrase) for language, phrase in maimed if has_enough_letters(phrase)]
        return tuple(MarkPhrase.of(language, phrase) for language, phrase in [*given, *readable])

    @cached_property
    def compiled_patterns(self) -> tuple[re.Pattern[str], ...]:
        """The patterns, and one for the labels."""
        labels = sorted({re.escape(label) for found in self.labels.values() for label in found}, key=len, reverse=True)
        own = [rf"(?i)(?<!\w)(?:{'|'.join(labels)})\s*(?:\([^)]*\)\s*)?[:：]"] if labels else []
        return tuple(re.compile(pattern) for pattern in (*self.patterns, *own))

    @cached_property
    def compiled_near(self) -> re.Pattern[str] | None:
        """What must stand on the same picture."""
        return re.compile(self.near) if self.near else None

    @model_validator(mode="after")
    def _can_be_looked_for(self) -> Self:
        if not (self.phrases or self.patterns or self.labels):
            raise ValueError(f"{self.code}: neither phrases nor patterns nor labels")
        try:
            # What is computed here is kept, and found ready by those who look for the mark.
            _ = self.compiled_phrases, self.compiled_patterns, self.compiled_near
        except re.error as error:
            raise ValueError(f"{self.code}: {error.pattern!r} is no regular expression: {error}") from error
        return self


class _File(_Record):
    marks: list[Mark]


class MarkCatalogue:
    """The marks, and what turns a warning into its opposite.

    Parameters
    ----------
    marks : list of Mark
    languages : list of LanguageProfile
    """

    def __init__(self, marks: list[Mark], languages: list[LanguageProfile]) -> None:
        self.marks = tuple(marks)
        self._negators = [negator for language in languages if (negator := _negator(language))]

    @property
    def codes(self) -> tuple[str, ...]:
        """What plans call the marks."""
        return tuple(mark.code for mark in self.marks)

    def negated(self, before: str) -> bool:
        """Tell whether the words before a phrase turn it into its opposite, in any language.

        Phrases of one language fit print in its neighbour's, so that the phrase does not tell the language.
        """
        folded = before.casefold()
        return any(negator.search(folded) for negator in self._negators)

    def __iter__(self) -> Iterator[Mark]:
        return iter(self.marks)


def _negator(language: LanguageProfile) -> re.Pattern[str] | None:
    words = "|".join(re.escape(word.casefold()) for word in language.negators_before)
    if not words:
        return None
    edge = r"(?<!\w)" if language.spaces else ""
    return re.compile(rf"{edge}(?:{words})(?:\s+\w+)?\s*$")


@lru_cache(maxsize=1)
def load_marks(directory: Path | None = None) -> MarkCatalogue:
    """Read the marks; without a directory, those that ship with hazardlens.

    Raises
    ------
    InputError
        Naming the mark and what is wrong with it.
    """
    root = directory or datasets_dir()
    path = root / "marks.yaml"
    located = read_located(path)
    try:
        marks = _File.model_validate(located.data).marks
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = f"{path}:{located.line_of(fault['loc'])}"
        raise InputError(fault["msg"].removeprefix("Value error, "), place=place) from error
    codes = [mark.code for mark in marks]
    if twice := {code for code in codes if codes.count(code) > 1}:
        raise InputError(f"mark {min(twice)!r} stands twice", place=str(path), hint="give each a code of its own")
    languages = read_located(root / "languages.yaml").data["languages"]
    return MarkCatalogue(marks, [LanguageProfile.model_validate(entry) for entry in languages])

"""Words that lower how consumers perceive the risk: a recall notice must not hold them (GPSR Article 36(2)(c)).

The words are data, `datasets/softening_words.yaml`, which also explains how they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import LocatedYaml, read_located
from models.knowledge.normalising import fold, fold_phrase
from models.knowledge.translated_texts import FALLBACK

_WITHOUT_SPACES = frozenset({"ja", "th"})
_GAP_WORDS = r"(?:\w+[\s\-]+){0,3}"
_GAP_CHARACTERS = r".{0,12}?"
_DOTTED = {"i": "i\u0307?", "ı": "[ıi]"}
_TURKISH = re.compile("[iı]")
"""Folding knows no Turkish: a capital İ becomes i with a dot of its own, a capital I becomes i and not ı."""


@dataclass(frozen=True)
class Softener:
    """A softening word found.

    Parameters
    ----------
    group : str
        What it is an example of, such as ``voluntary``.
    mend : str
        What to write instead.
    start, end : int
        Its place in the text, in code points, end exclusive.
    """

    group: str
    words: str
    mend: str
    start: int
    end: int

    def error(self, place: str) -> InputError:
        """Return what to tell who wrote the text."""
        message = f"“{self.words}” at {self.start} to {self.end} lowers how the risk is perceived ({self.group})"
        return InputError(message, place=place, hint=self.mend)


@dataclass(frozen=True)
class SofteningWords:
    """The words of every language.

    Parameters
    ----------
    groups : mapping
        Group -> (mend, language -> pattern).
    """

    groups: Mapping[str, tuple[str, Mapping[str, re.Pattern[str]]]]

    @property
    def languages(self) -> frozenset[str]:
        """Languages in which every group has words."""
        return frozenset.intersection(*(frozenset(patterns) for _, patterns in self.groups.values()))

    def find(self, text: str, language: str) -> list[Softener]:
        """Return what softens, in the order of the text: words of the language, and English ones.

        Examples
        --------
        >>> [(each.group, each.words) for each in load_softening_words().find("Freiwilliger Rückruf", "de")]
        [('voluntary', 'Freiwilliger')]
        """
        folded = fold(text)
        found: dict[tuple[int, int], Softener] = {}
        for group, (mend, patterns) in self.groups.items():
            for code in dict.fromkeys((language, FALLBACK)):
                for match in patterns[code].finditer(folded.text):
                    start, end = folded.origin(*match.span())
                    found.setdefault((start, end), Softener(group, text[start:end], mend, start, end))
        return [found[place] for place in sorted(found)]


@cache
def load_softening_words(path: Path | None = None) -> SofteningWords:
    """Read the words; without a path, those that ship.

    Raises
    ------
    InputError
        With file, line and mend.
    """
    file = read_located(path or datasets_dir() / "softening_words.yaml")
    if not isinstance(file.data, dict) or not file.data:
        raise InputError("the file holds no groups", place=str(file.file), hint="group: {mend: ..., words: {en: []}}")
    return SofteningWords({str(group): _group(file, group) for group in file.data})


def _group(file: LocatedYaml, group: str) -> tuple[str, dict[str, re.Pattern[str]]]:
    given: Any = file.data[group]
    words = given.get("words") if isinstance(given, dict) else None
    if not isinstance(words, dict) or not isinstance(given.get("mend"), str) or FALLBACK not in words:
        place, hint = f"{file.file}:{file.line_of((group,))}", "write {mend: ..., words: {en: [...], ...}}"
        raise InputError(f"group {group!r} has no mend or no English words", place=place, hint=hint)
    patterns = {}
    for language, forms in words.items():
        if not isinstance(forms, list) or not forms or not all(isinstance(form, str) and form for form in forms):
            place = f"{file.file}:{file.line_of((group, 'words', language))}"
            raise InputError(f"{group}.{language} is no list of words", place=place, hint="quote yes, no, on, off")
        patterns[str(language)] = re.compile("|".join(f"(?:{each})" for each in _patterns(forms, str(language))))
    return given["mend"], patterns


def _patterns(forms: list[str], language: str) -> Iterator[str]:
    for form in forms:
        words = fold_phrase(form).replace("-", " ").split()
        if language in _WITHOUT_SPACES:
            yield r"\s*".join(_GAP_CHARACTERS if word == "*" else re.escape(word) for word in words)
            continue
        pattern = ""
        for i, word in enumerate(words):
            if word == "*":
                pattern += _GAP_WORDS
            else:
                pattern += _word(word) + (r"[\s\-]+" if i < len(words) - 1 else "")
        if language == "tr":
            pattern = _TURKISH.sub(lambda letter: _DOTTED[letter[0]], pattern)
        yield rf"(?<!\w){_without_open_end(pattern)}(?!\w)"


def _word(word: str) -> str:
    either = (
        r"\w*" * form.startswith("*") + re.escape(form.strip("*")) + r"\w*" * form.endswith("*")
        for form in word.split("/")
    )
    return f"(?:{'|'.join(either)})"


def _without_open_end(pattern: str) -> str:
    """A gap at the end would take words that are nobody's business: what stands before it is enough."""
    return pattern.removesuffix(r"[\s\-]+" + _GAP_WORDS)

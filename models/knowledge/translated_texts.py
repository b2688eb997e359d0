"""Sentences in several languages: one file a language, English the measure of keys and placeholders.

The sentences are data, so that a translator mends them without code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from models.domain.errors import InputError
from models.knowledge.located_yaml import LocatedYaml, read_located

FALLBACK = "en"
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_RIGHT_TO_LEFT = frozenset({"ar", "he"})


@dataclass(frozen=True)
class TranslatedTexts:
    """The sentences of one language.

    Parameters
    ----------
    groups : mapping
        Group -> key -> sentence with placeholders such as ``{title}``.
    """

    language: str
    groups: Mapping[str, Mapping[str, str]]

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """``ltr`` or ``rtl``."""
        return "rtl" if self.language in _RIGHT_TO_LEFT else "ltr"

    def has(self, group: str, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in self.groups[group]

    def say(self, group: str, key: str, **values: str) -> str:
        """Return a sentence with its placeholders filled.

        In a right-to-left language each value is set apart (U+2068, U+2069), so that its own letters keep their order.
        """
        shown = {name: f"\u2068{value}\u2069" if self.direction == "rtl" else value for name, value in values.items()}
        return _PLACEHOLDER.sub(lambda match: shown[match[1]], self.groups[group][key])


@cache
def load_translated(
    directory: Path, groups: tuple[str, ...], facts: tuple[str, ...] = ()
) -> Mapping[str, TranslatedTexts]:
    """Read every language of a directory.

    Parameters
    ----------
    groups : tuple of str
        Keys of the file that hold sentences.
    facts : tuple of str
        Further keys that a file may have; they are the reader's own.

    Raises
    ------
    InputError
        For the first problem, with file, line and mend.
    """
    files = {path.stem: read_located(path) for path in sorted(directory.glob("*.yaml"))}
    if FALLBACK not in files:
        raise InputError(f"no {FALLBACK}.yaml", place=str(directory), hint="English is the measure of every language")
    for problem in text_problems(files, groups, facts):
        raise problem
    return {language: TranslatedTexts(language, _sentences(file, groups)) for language, file in files.items()}


def text_problems(
    files: Mapping[str, LocatedYaml], groups: Sequence[str], facts: Sequence[str] = ()
) -> Iterator[InputError]:
    """Yield what is missing, unknown or of other placeholders than English has, file by file."""
    measure = files[FALLBACK]
    yield from _shape_problems(measure, measure.file.stem, groups, facts)
    for language, file in files.items():
        shape = list(_shape_problems(file, language, groups, facts))
        yield from shape
        if not shape and file is not measure:
            yield from _difference(file, _sentences(file, groups), _sentences(measure, groups))


def _sentences(file: LocatedYaml, groups: Sequence[str]) -> dict[str, dict[str, str]]:
    return {group: dict(file.data[group]) for group in groups}


def _shape_problems(
    file: LocatedYaml, language: str, groups: Sequence[str], facts: Sequence[str]
) -> Iterator[InputError]:
    data: Any = file.data
    if not isinstance(data, dict) or data.get("language") != language:
        yield InputError("key 'language' must be the file's name", place=f"{file.file}:1", hint=f"language: {language}")
        return
    for key in data:
        if key not in ("language", *facts, *groups):
            yield InputError(f"unknown key {key!r}", place=_place(file, key), hint=f"groups: {', '.join(groups)}")
    for group in groups:
        if not isinstance(data.get(group), dict):
            yield InputError(f"group {group!r} is missing", place=_place(file, group), hint="see en.yaml")
            continue
        for key, text in data[group].items():
            if not isinstance(text, str) or not text.strip():
                yield InputError(f"{group}.{key} is no text", place=_place(file, group, key), hint="write a sentence")
            elif re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
                hint = "write placeholders as {title}"
                yield InputError(f"{group}.{key} has a single brace", place=_place(file, group, key), hint=hint)


def _difference(
    file: LocatedYaml, groups: Mapping[str, Mapping[str, str]], measure: Mapping[str, Mapping[str, str]]
) -> Iterator[InputError]:
    for group in measure:
        for key in measure[group].keys() - groups[group].keys():
            yield InputError(f"{group}.{key} is missing", place=_place(file, group), hint=measure[group][key])
        for key in groups[group].keys() - measure[group].keys():
            hint = "remove it, or add it to en.yaml and every language"
            yield InputError(f"{group}.{key} is not in en.yaml", place=_place(file, group, key), hint=hint)
        for key in groups[group].keys() & measure[group].keys():
            wanted = sorted(_PLACEHOLDER.findall(measure[group][key]))
            found = sorted(_PLACEHOLDER.findall(groups[group][key]))
            if wanted != found:
                message = f"{group}.{key} has placeholders {found}, English has {wanted}"
                yield InputError(message, place=_place(file, group, key), hint="use the same, each once")


def _place(file: LocatedYaml, *path: str) -> str:
    return f"{file.file}:{file.line_of(path)}"

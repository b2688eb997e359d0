"""The words of many languages with their English: read when they are asked for, some bytes a word until then."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Self

import orjson


class Vocabulary(Mapping[str, Mapping[str, str]]):
    """Per language, a word or phrase of that language -> English.

    An index of a language is built from its words once. As objects they would stay for as long as the knowledge base,
    ten megabytes of them.

    Parameters
    ----------
    packed : mapping
        Language -> its words, as JSON.
    """

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed = packed

    @classmethod
    def of(cls, words: Mapping[str, Mapping[str, str]]) -> Self:
        """Pack the words of each language."""
        # Copied: what the serialiser returns keeps the megabyte that it has reserved.
        return cls({language: bytes(memoryview(orjson.dumps(each))) for language, each in words.items()})

    def __getitem__(self, language: str) -> Mapping[str, str]:
        # The languages share their English.
        return {word: sys.intern(english) for word, english in orjson.loads(self._packed[language]).items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

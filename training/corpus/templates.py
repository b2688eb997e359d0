"""Patterns with slots, such as ``"{brand} {name} in~{colour}"``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from models.domain.errors import InputError
from training.corpus.spans import Span, Spans, plain

SLOTS = frozenset(
    {
        "name",
        "alias",
        "brand",
        "colour",
        "material",
        "measure",
        "count",
        "model",
        "promo",
        "detail",
        "feature",
    }
)
_SLOT = re.compile(r"\{(\w+)\}")
_Part = tuple[str, Span]


@dataclass(frozen=True)
class Template:
    """A parsed pattern.

    Parameters
    ----------
    chunks : tuple
        Runs of parts; a part is (slot name, "") or ("", literal span). Chunks are joined by spaces.
    """

    chunks: tuple[tuple[_Part, ...], ...]

    @classmethod
    def title(cls, pattern: str) -> Template:
        """Parse a pattern whose words are left out where their slot is empty; ``~`` keeps words together.

        Raises
        ------
        InputError
            If the pattern names a slot that does not exist.
        """
        return cls(tuple(_parts(chunk.replace("~", " ")) for chunk in pattern.split()))

    @classmethod
    def sentence(cls, pattern: str) -> Template:
        """Parse a pattern that is written as a whole or not at all."""
        return cls((_parts(pattern),))

    def filled(self, slot: Callable[[str], Spans]) -> Spans:
        """Write the pattern with what `slot` gives for each slot name; a chunk with an empty slot is left out."""
        result: Spans = []
        for chunk in self.chunks:
            spans = _filled(chunk, slot)
            if spans:
                if result:
                    result.append(_SPACE)
                result.extend(spans)
        return result


_SPACE = plain(" ")


def _filled(chunk: tuple[_Part, ...], slot: Callable[[str], Spans]) -> Spans:
    spans: Spans = []
    for name, literal in chunk:
        if name:
            filling = slot(name)
            if not filling:
                return []
            spans.extend(filling)
        else:
            spans.append(literal)
    return spans


def _parts(text: str) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    for i, piece in enumerate(_SLOT.split(text)):
        if i % 2 and piece not in SLOTS:
            raise InputError(f"no slot {piece!r} in the pattern {text!r}", hint=f"one of: {', '.join(sorted(SLOTS))}")
        if piece:
            parts.append((piece, plain("")) if i % 2 else ("", plain(piece)))
    return tuple(parts)

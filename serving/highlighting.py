"""The listing as written, cut into runs of marked and unmarked text. Offsets are code points, as Python counts them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.domain.explanation import Phrase

STRENGTHS = ("faintly", "somewhat", "strongly", "most strongly")


@dataclass(frozen=True)
class Run:
    """A stretch of text; `strength` counts from 1, and is 0 where nothing is marked."""

    text: str
    strength: int = 0
    weight: float = 0.0

    @property
    def side(self) -> str:
        """``for`` or ``against``."""
        return "for" if self.weight > 0 else "against"

    @property
    def words(self) -> str:
        """What the mark says, in words."""
        return f"speaks {self.side} it {STRENGTHS[self.strength - 1]}"

    @property
    def share(self) -> str:
        """The share with its sign."""
        return f"{self.weight:+.2f}".replace("-", "−")


@dataclass(frozen=True)
class MarkedField:
    """One field of a listing."""

    name: str
    label: str
    runs: list[Run]


def marked_fields(listing: Mapping[str, Any], phrases: Sequence[Phrase]) -> list[MarkedField]:
    """Return the fields of a listing, as JSON, with some phrases marked."""
    strongest = max((abs(phrase.weight) for phrase in phrases), default=1.0) or 1.0
    return [
        MarkedField(name, label, _runs(text, [p for p in phrases if p.field == name], strongest))
        for name, label, text in fields_of(listing)
    ]


def alternatives(listing: Mapping[str, Any], phrases: Sequence[Phrase]) -> list[tuple[str, Run]]:
    """Return the marks as (label of the field, run), strongest first: the same without colour or line."""
    labels = {name: label for name, label, _ in fields_of(listing)}
    strongest = max((abs(phrase.weight) for phrase in phrases), default=1.0) or 1.0
    return [(labels[phrase.field], _marked(phrase.text, phrase.weight, strongest)) for phrase in phrases]


def fields_of(listing: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (name, label, text) of each field that has text, in the order a shopper reads them; the title always."""
    found = [("title", "Title", listing.get("title", ""))]
    found += [(name, name.capitalize(), listing.get(name, "")) for name in ("category", "brand")]
    for i, caption in enumerate(listing.get("captions") or []):
        found.append((f"captions[{i}]", "Caption", caption if isinstance(caption, str) else caption.get("text", "")))
    found += [(f"attributes.{name}", name, text) for name, text in (listing.get("attributes") or {}).items()]
    found.append(("description", "Description", listing.get("description", "")))
    found += [(f"warnings[{i}]", "Warning", text) for i, text in enumerate(listing.get("warnings") or [])]
    return [field for field in found if field[0] == "title" or field[2].strip()]


def _runs(text: str, phrases: Sequence[Phrase], strongest: float) -> list[Run]:
    runs: list[Run] = []
    position = 0
    for phrase in sorted(phrases, key=lambda phrase: phrase.start):
        if phrase.start > position:
            runs.append(Run(text[position : phrase.start]))
        runs.append(_marked(text[phrase.start : phrase.end], phrase.weight, strongest))
        position = phrase.end
    if position < len(text) or not runs:
        runs.append(Run(text[position:]))
    return runs


def _marked(text: str, weight: float, strongest: float) -> Run:
    steps = len(STRENGTHS)
    return Run(text, min(steps, max(1, math.ceil(abs(weight) / strongest * steps))), weight)

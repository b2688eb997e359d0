"""Listing -> the one text that the encoder reads, with every character's way back to the seller's own words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import yaml

from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.knowledge.matching import Findings, KnowledgeMatcher, letters_of

FIELD_BUDGETS = {
    "title": 300,
    "category": 100,
    "brand": 40,
    "captions": 300,
    "attributes": 200,
    "description": 700,
    "warnings": 150,
}
"""Longest text taken from a field, in code points, after cleaning. Captions share one budget, attributes too."""

_STRUCTURE = re.compile(r"[\[\]{}\"|>•★✓✔✅【】]+|\s+")


@dataclass(frozen=True)
class Piece:
    """A run of the composed text and where it comes from; offsets in code points, end exclusive.

    `verbatim` runs map character by character, others (gloss words) as a whole.
    """

    start: int
    end: int
    field: str
    origin_start: int
    origin_end: int
    verbatim: bool

    def origin(self, start: int, end: int) -> tuple[str, int, int]:
        """Return (field, start, end) of what a span of the composed text has of this piece."""
        if not self.verbatim:
            return self.field, self.origin_start, self.origin_end
        shift = self.origin_start - self.start
        return self.field, max(start, self.start) + shift, min(end, self.end) + shift

    def left(self, gone: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the spans of the composed text that stay of this piece without some spans of its field."""
        touching = sorted((s, e) for s, e in gone if s < self.origin_end and e > self.origin_start)
        if not self.verbatim:
            return [] if touching else [(self.start, self.end)]
        spans, position, shift = [], self.start, self.start - self.origin_start
        for start, end in touching:
            if start + shift > position:
                spans.append((position, start + shift))
            position = max(position, end + shift)
        return [*spans, (position, self.end)] if position < self.end else spans


@dataclass(frozen=True)
class ComposedText:
    """The encoder's input, and the knowledge findings of the fields it was made from.

    Parameters
    ----------
    findings : dict
        Per field name, with offsets into that field.
    known_share : float
        Share (0 to 1) of the letters that reached the text: 1 for English, the gloss coverage elsewhere.
    """

    text: str
    pieces: tuple[Piece, ...]
    findings: dict[str, Findings] = field(default_factory=dict)
    known_share: float = 1.0

    def origins(self, spans: Iterable[tuple[int, int]]) -> list[tuple[str, int, int] | None]:
        """Return (field, start, end) of spans that do not overlap, in the order of the text; None for the glue between.

        A span that reaches over several pieces is where the first of them is.
        """
        found: list[tuple[str, int, int] | None] = []
        pieces = iter(self.pieces)
        piece = next(pieces, None)
        for start, end in spans:
            while piece is not None and piece.end <= start:
                piece = next(pieces, None)
            if piece is None or piece.start >= end:
                found.append(None)
            elif piece.verbatim and piece.start <= start and end <= piece.end:  # most words
                shift = piece.origin_start - piece.start
                found.append((piece.field, start + shift, end + shift))
            else:
                found.append(piece.origin(start, end))
        return found

    def without(self, places: Iterable[tuple[str, int, int]]) -> ComposedText:
        """Return the text without some places of the fields, read as it was: nothing is found or translated anew.

        Names and cues that share a letter with such a place are gone with it.
        """
        gone: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for name, start, end in places:
            gone[name].append((start, end))
        builder = _Builder()
        for name, pieces in groupby(self.pieces, key=attrgetter("field")):
            for piece in pieces:
                for start, end in piece.left(gone.get(name, ())):
                    if text := self.text[start:end].strip():
                        begin = self.text.index(text, start)
                        _, first, last = piece.origin(begin, begin + len(text))
                        builder.add(name, text, first, last, piece.verbatim)
            builder.close_field()
        findings = {
            name: found.clear_of(gone[name]) if name in gone else found for name, found in self.findings.items()
        }
        return ComposedText(builder.text, tuple(builder.pieces), findings, self.known_share)


class Boilerplate:
    """Cuts phrases that tell who wrote a text and nothing about the product.

    Parameters
    ----------
    patterns : sequence of str
        Regular expressions. What they find begins no Latin word or number in its middle.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        either = "|".join(f"(?:{p})" for p in patterns)
        # A phrase is not looked for in the middle of words: less than half of the time.
        self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{either})", re.IGNORECASE) if patterns else None

    def kept(self, text: str) -> list[tuple[int, int]]:
        """Return the spans that stay, without structure signs and runs of white space."""
        spans: list[tuple[int, int]] = []
        position = 0
        for match in self._pattern.finditer(text) if self._pattern else ():
            spans.append((position, match.start()))
            position = match.end()
        spans.append((position, len(text)))
        return [span for start, end in spans for span in _without_structure(text, start, end)]


def _without_structure(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    position = start
    for match in _STRUCTURE.finditer(text, start, end):
        if match.start() > position:
            spans.append((position, match.start()))
        position = match.end()
    if end > position:
        spans.append((position, end))
    return spans


def load_boilerplate(path: Path | None = None) -> Boilerplate:
    """Read the phrases to cut; without a path, those that ship with hazardlens."""
    raw = yaml.safe_load((path or datasets_dir() / "boilerplate.yaml").read_text(encoding="utf-8"))
    return Boilerplate([pattern for group in raw.values() for pattern in group])


def field_group(name: str) -> str:
    """Return the group of a field's name: all captions are one, all attributes, all warnings."""
    return name.partition("[")[0].partition(".")[0]


class Composer:
    """Turns listings into composed texts.

    Parameters
    ----------
    matcher : KnowledgeMatcher
        Finds names, cues and gloss words.
    boilerplate : Boilerplate
        What to cut first.
    gloss : bool
        Whether text in other languages reaches the encoder in English words; False for a multilingual encoder.
    """

    def __init__(self, matcher: KnowledgeMatcher, boilerplate: Boilerplate, gloss: bool = True) -> None:
        self.matcher = matcher
        self.boilerplate = boilerplate
        self.gloss = gloss

    def compose(self, listing: Listing, languages: dict[str, str]) -> ComposedText:
        """Compose the text of a listing.

        Parameters
        ----------
        languages : dict
            Language code of each field that `Listing.texts` names.
        """
        builder = _Builder()
        budgets = dict(FIELD_BUDGETS)
        findings: dict[str, Findings] = {}
        known, letters = 0.0, 0
        for name, whole in listing.texts():
            group = field_group(name)
            budget = budgets[group]
            text = whole[: 4 * FIELD_BUDGETS[group]]
            language = languages.get(name, "en")
            found = self.matcher.find(text, language)
            findings[name] = found
            kept = self.boilerplate.kept(text)
            count = letters_of(text)
            letters += count
            before = builder.length
            if language == "en" or not self.gloss:
                builder.add_verbatim(name, text, kept, budget)
                known += count
            else:
                known += builder.add_glossed(name, text, found, budget)
            budgets[group] = max(0, budget - (builder.length - before))
            builder.close_field()
        return ComposedText(builder.text, tuple(builder.pieces), findings, known / letters if letters else 1.0)


class _Builder:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.pieces: list[Piece] = []
        self.length = 0

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def _glue(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def add(self, name: str, text: str, start: int, end: int, verbatim: bool) -> None:
        if self.parts and not self.parts[-1].endswith(" "):
            self._glue(" ")
        self.pieces.append(Piece(self.length, self.length + len(text), name, start, end, verbatim))
        self._glue(text)

    def close_field(self) -> None:
        if self.parts and not self.parts[-1].endswith(". "):
            self._glue(". ")

    def add_verbatim(self, name: str, text: str, spans: list[tuple[int, int]], budget: int) -> None:
        for start, end in spans:
            if budget <= 0:
                break
            stop = min(end, start + budget)
            self.add(name, text[start:stop], start, stop, True)
            budget -= stop - start + 1

    def add_glossed(self, name: str, text: str, found: Findings, budget: int) -> float:
        """Add English words for what the gloss knows, and Latin words as they stand; return the letters covered."""
        covered = 0.0
        position = 0
        for gloss in (*found.glosses, None):
            stop = gloss.start if gloss is not None else len(text)
            for match in _LATIN.finditer(text, position, stop):
                if budget > 0:
                    end = min(match.end(), match.start() + budget)
                    self.add(name, text[match.start() : end], match.start(), end, True)
                    budget -= end - match.start() + 1
            if gloss is None:
                break
            if gloss.english and budget >= len(gloss.english):
                self.add(name, gloss.english, gloss.start, gloss.end, False)
                budget -= len(gloss.english) + 1
            covered += letters_of(text[gloss.start : gloss.end])
            position = max(position, gloss.end)
        return covered


_LATIN = re.compile(r"[A-Za-z0-9À-ɏḀ-ỿ][A-Za-z0-9À-ɏḀ-ỿ.,/%+-]*")

"""A listing without some of its words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from models.classifier.placing import Place, in_spaced_word
from models.domain.listing import Listing


def leave_out(listing: Listing, places: Iterable[Place]) -> Listing:
    """Return a listing without some places; of two gaps that then meet, one stays."""
    by_field: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, start, end in places:
        by_field[name].append((start, end))
    texts = dict(listing.texts())
    return _with_texts(listing, {name: _left(texts[name], spans) for name, spans in by_field.items()})


def every_occurrence(listing: Listing, place: Place) -> list[Place]:
    """Return a place and every other one with the same words, whatever their case: "without X" means without any X."""
    texts = dict(listing.texts())
    words = texts[place[0]][place[1] : place[2]]
    before = r"(?<!\w)" if in_spaced_word(words[0]) else ""
    after = r"(?!\w)" if in_spaced_word(words[-1]) else ""
    pattern = re.compile(before + re.escape(words) + after, re.IGNORECASE)
    found = {(name, match.start(), match.end()) for name, text in texts.items() for match in pattern.finditer(text)}
    if not any(name == place[0] and start < place[2] and end > place[1] for name, start, end in found):
        found.add(place)
    return sorted(found)


def _left(text: str, spans: Sequence[tuple[int, int]]) -> str:
    gone = {i for start, end in spans for i in range(start, end)}
    left: list[str] = []
    for i, letter in enumerate(text):
        closes_gap = letter.isspace() and i - 1 in gone and (not left or left[-1].isspace())
        if i not in gone and not closes_gap:
            left.append(letter)
    return "".join(left)


def _with_texts(listing: Listing, texts: dict[str, str]) -> Listing:
    changes: dict[str, Any] = {}
    for name, text in texts.items():
        group, number, attribute = re.fullmatch(r"(\w+)(?:\[(\d+)\])?(?:\.(.*))?", name, re.DOTALL).groups()  # type: ignore[union-attr]
        if attribute is not None:
            changes.setdefault("attributes", dict(listing.attributes))[attribute] = text
        elif group == "captions":
            captions = changes.setdefault("captions", list(listing.captions))
            captions[int(number)] = captions[int(number)].model_copy(update={"text": text})
        elif group == "warnings":
            changes.setdefault("warnings", list(listing.warnings))[int(number)] = text
        else:
            changes[group] = text
    return listing.model_copy(update=changes)

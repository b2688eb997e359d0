"""A listing without some of its words, and the way back from what is left to the listing as it was."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from models.classifier.placing import Place, in_spaced_word
from models.domain.listing import Listing


@dataclass(frozen=True)
class Shortened:
    """What is left of a listing.

    Parameters
    ----------
    kept : dict
        Field -> position in the listing as it was, for each code point that is left.
    """

    listing: Listing
    kept: dict[str, list[int]]

    def original(self, place: Place) -> Place:
        """Return a place of the shortened listing as a place of the whole one."""
        name, start, end = place
        positions = self.kept.get(name)
        return place if positions is None else (name, positions[start], positions[end - 1] + 1)


def leave_out(listing: Listing, places: Iterable[Place]) -> Shortened:
    """Return a listing without some places; of two gaps that then meet, one stays."""
    by_field: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, start, end in places:
        by_field[name].append((start, end))
    texts, kept = dict(listing.texts()), {}
    for name, spans in by_field.items():
        kept[name] = _kept(texts[name], spans)
        texts[name] = "".join(texts[name][i] for i in kept[name])
    return Shortened(_with_texts(listing, {name: texts[name] for name in by_field}), kept)


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


def _kept(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    gone = {i for start, end in spans for i in range(start, end)}
    kept: list[int] = []
    for i in range(len(text)):
        if i in gone or (text[i].isspace() and i and i - 1 in gone and (not kept or text[kept[-1]].isspace())):
            continue
        kept.append(i)
    return kept


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

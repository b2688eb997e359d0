"""The pictures of an item, as its page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.pictures.entries import Entry
from serving.pictures.room import PictureRoom


@dataclass(frozen=True)
class ShownPictures:
    """What is shown.

    Parameters
    ----------
    state : str
        ``none``, or that of the reading.
    change : mapping or None
        What the pictures changed.
    pictures : list of (Entry, bool)
        Each with whether its copy is still kept.
    """

    state: str
    change: Mapping[str, Any] | None
    pictures: list[tuple[Entry, bool]]


def pictures_of(room: PictureRoom, assessment_id: str) -> ShownPictures:
    """Return the pictures of an assessment; blocks."""
    reading = room.store.of_assessment(assessment_id)
    if reading is None:
        return ShownPictures("none", None, [])
    entries = room.store.entries(reading.id)
    shown = [(entry, entry.sha256 is not None and room.files.has_copy(entry.sha256)) for entry in entries]
    return ShownPictures(reading.state, reading.change, shown)


def pictures_of_captions(listing: Mapping[str, Any], shown: ShownPictures) -> dict[str, str]:
    """Return the pictures that captions of a listing are about, as far as they can still be shown: field -> id."""
    kept = {entry.sha256: entry.id for entry, there in shown.pictures if there}
    return {
        f"captions[{i}]": kept[caption["picture"]]
        for i, caption in enumerate(listing.get("captions") or [])
        if isinstance(caption, dict) and caption.get("picture") in kept
    }

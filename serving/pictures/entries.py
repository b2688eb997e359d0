"""Pictures and readings as the code sees them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from typing import Any, Literal, Self

from models.domain.listing import LIMITS, Caption, Listing
from models.pictures.identity import Fingerprint
from serving.pictures.offered import Offered

ReadingState = Literal["queued", "running", "done"]
PictureState = Literal["waiting", "read", "failed"]
_TOLD = ("id", "position", "state", "error", "url", "sha256", "format", "width", "height")


@dataclass(frozen=True)
class Entry:
    """One picture of a listing; the columns of its row that say something of it."""

    position: int
    alt: str = ""
    url: str | None = None
    sha256: str | None = None
    state: PictureState = "waiting"
    error: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    hashes: list[str] | None = None
    captions: list[dict[str, Any]] | None = None
    matches: list[dict[str, Any]] | None = None
    read_at: dt.datetime | None = None
    id: str = ""

    @classmethod
    def of(cls, position: int, offered: Offered) -> Self:
        """Return a picture that waits to be read."""
        return cls(position, offered.alt, offered.url, offered.sha256)

    @property
    def key(self) -> str:
        """What tells it from other pictures of the listing before it is read."""
        return self.url or str(self.sha256)

    @property
    def fingerprint(self) -> Fingerprint:
        """Its hashes, to be found by."""
        return Fingerprint.of_texts(self.hashes or [])

    def failed(self, why: str, now: dt.datetime) -> Entry:
        """Return it as one that cannot be read."""
        return replace(self, state="failed", error=why, read_at=now)

    def shown(self) -> dict[str, Any]:
        """Return what the interface tells of it."""
        told = {name: getattr(self, name) for name in _TOLD}
        return {**told, "id": self.id or None, "captions": self.captions or [], "matches": self.matches or []}


@dataclass(frozen=True)
class Reading:
    """The pictures of a listing that are read together; see `PictureReadingRow`."""

    id: str
    assessment_id: str
    listing_id: str
    state: ReadingState
    failures: int
    epoch: int
    attempts: int
    queued_at: dt.datetime
    finished_at: dt.datetime | None = None
    outcome_id: str | None = None
    change: dict[str, Any] | None = field(default=None)


def as_kept(captions: Sequence[Caption]) -> list[dict[str, Any]]:
    """Return captions as `Entry.captions` holds them."""
    return [caption.model_dump(exclude_defaults=True) | {"source": caption.source} for caption in captions]


def with_captions(listing: Listing, entries: Sequence[Entry]) -> Listing:
    """Return the listing with the words of its pictures, of each picture in turn as far as there is room."""
    found = ([Caption.model_validate(each) for each in entry.captions or []] for entry in entries)
    turns = (caption for caption in chain.from_iterable(zip_longest(*found)) if caption is not None)
    new = [caption for caption in turns if caption not in listing.captions]
    return listing.model_copy(update={"captions": [*listing.captions, *new][: LIMITS["captions"]]})

"""The parts that take in, read and know pictures, put together over one database and under one set of settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from models.domain.listing import Listing
from serving.pictures.entries import Entry, with_captions
from serving.pictures.files import PictureFiles
from serving.pictures.known import KnownPictures
from serving.pictures.means import PictureMeans
from serving.pictures.offered import Offered
from serving.pictures.reader import Count, Eyes, PictureReader
from serving.pictures.store import PictureStore
from serving.settings import Settings
from serving.store.assessments import AssessmentStore


class PictureRoom:
    """Everything about pictures that one server has.

    Parameters
    ----------
    settings : Settings
    assessments : AssessmentStore
    count : callable
        Notes in the metrics what came of a picture.
    """

    def __init__(self, settings: Settings, assessments: AssessmentStore, count: Count) -> None:
        means = PictureMeans.of(settings)
        self.rules, self.decoder, self._chain = means.rules, means.decoder, means.chain
        self.store = PictureStore(assessments.engine)
        self.files = PictureFiles(settings.pictures)
        self.known = KnownPictures(assessments.engine)
        self.blurred = settings.picture_blur
        eyes = Eyes(means.decoder, means.fetcher, self.known, means.chain)
        keep = dt.timedelta(hours=settings.picture_keep_hours)
        self.reader = PictureReader(self.store, self.files, assessments, eyes, keep, count)

    def receive(self, offered: Sequence[Offered], listing_id: str) -> list[Entry]:
        """Keep the bytes of a listing's pictures; return these, as read where all of them were before. Blocks."""
        entries = [Entry.of(position, picture) for position, picture in enumerate(offered)]
        before = self.store.read_before(entries, listing_id)
        if before is not None:  # but what is known may have changed since
            before = [replace(entry, matches=self.known.matches(entry.fingerprint)) for entry in before]
            # A known one goes the long way: a match is told from what the store has of the listing's own pictures.
            if not any(entry.matches for entry in before):
                return before
        for picture in offered:
            if picture.url is None:
                self.files.receive(picture.data)
        return entries

    def received(self, listing: Listing, offered: Sequence[Offered]) -> tuple[Listing, tuple[Entry, ...]]:
        """Keep a listing's pictures, and return it with them; their words count at once where all were read before."""
        entries = tuple(self.receive(offered, listing.id))
        read = all(entry.state == "read" for entry in entries)
        return with_captions(listing, entries) if read else listing, entries

    async def end(self) -> None:
        """Stop reading, and end the processes that read."""
        await self.reader.end()
        self._chain.close()

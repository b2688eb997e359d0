"""Words of the pictures that a table of listings names, read before the listings are scored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.pictures.entries import Entry, as_kept, with_captions
from serving.pictures.means import PictureMeans
from serving.pictures.offered import Offered, read_images

if TYPE_CHECKING:
    from models.sources.listings import ScoredInput
    from serving.settings import Settings


class PictureWords:
    """Reads pictures as the server does, by its settings, one after the other; close it at the end.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._means = PictureMeans.of(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._means.decoder.close()
        self._means.chain.close()

    def read(self, rows: Iterable[ScoredInput]) -> Iterator[ScoredInput]:
        """Yield the rows with what their pictures say as captions; a picture that cannot be read leaves a note."""
        for row in rows:
            yield row if row.listing is None or row.images is None else self._read(row, row.listing)

    def _read(self, row: ScoredInput, listing: Listing) -> ScoredInput:
        offered, errors = read_images(_listed(row.images), self._means.rules)
        notes = [f"{error.field}: {error.message}; {error.hint}" for error in errors]
        entries = []
        for position, picture in enumerate(offered):
            try:
                entries.append(self._seen(position, picture))
            except InputError as error:
                notes.append(f"images[{position}]: {error}")
        return replace(row, listing=with_captions(listing, entries), notes=[*row.notes, *notes], images=None)

    def _seen(self, position: int, offered: Offered) -> Entry:
        data = asyncio.run(self._means.fetcher.fetch(offered.url)) if offered.url else offered.data
        picture = self._means.decoder.decode(data)
        captions = self._means.chain(picture, [offered.alt] if offered.alt else [])
        return replace(Entry.of(position, offered), captions=as_kept(captions))


def _listed(images: Any) -> Any:
    """Return the pictures of a cell, which holds JSON where the table has only text."""
    if isinstance(images, str):
        try:
            return json.loads(images)
        except ValueError:
            return images
    return images

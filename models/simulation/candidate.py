"""A candidate model and a plan together: every kept listing is assessed anew before the plan decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.plan import Plan
from models.simulation.records import Record, Shard, Unreadable
from models.sources.listings import iter_listings
from models.sources.report import ReadReport

_CHUNK = 256


@dataclass
class ReassessedShard:
    """Another shard's records, each with what a candidate model finds in its listing.

    It stays in this process: the model uses the cores by itself.

    Parameters
    ----------
    limit : int or None
        Most records that are assessed; the first ones.
    """

    inner: Shard
    model: HazardClassifier
    plan: Plan
    limit: int | None = None

    def records(self) -> Iterator[Record | Unreadable]:
        """Yield the records in order; a listing that this version does not take is told as unreadable."""
        stream = islice(self.inner.records(), self.limit)
        while chunk := list(islice(stream, _CHUNK)):
            listings: list[Listing] = []
            readable: list[Record] = []
            for record in chunk:
                if isinstance(record, Unreadable):
                    yield record
                    continue
                try:
                    listings.append(Listing.model_validate(record.listing))
                except ValidationError as error:
                    first = error.errors(include_url=False)[0]
                    place = f"listing {record.listing.get('id')!r}"
                    yield Unreadable(place, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
                else:
                    readable.append(record)
            for record, found in zip(readable, self.model.assess_many(listings, self.plan), strict=True):
                yield record._replace(candidate=_as_json(found.model_dump_json()))


@dataclass
class ListingShard:
    """A table of listings that were never assessed: the model assesses them, and there is no decision before."""

    path: Path
    model: HazardClassifier
    plan: Plan
    limit: int | None = None

    def records(self) -> Iterator[Record | Unreadable]:
        """Yield one record a readable row."""
        listings: list[Listing] = []
        for row in islice(iter_listings(self.path, ReadReport(str(self.path))), self.limit):
            if row.listing is None:
                yield Unreadable(f"row {row.row}", row.error or "no listing")
            else:
                listings.append(row.listing)
            if len(listings) == _CHUNK:
                yield from self._assessed(listings)
                listings = []
        yield from self._assessed(listings)

    def _assessed(self, listings: Sequence[Listing]) -> Iterator[Record]:
        for listing, found in zip(listings, self.model.assess_many(listings, self.plan), strict=True):
            yield Record("", listing.model_dump(mode="json"), _as_json(found.model_dump_json()))


def _as_json(text: str) -> Mapping[str, Any]:
    found: dict[str, Any] = orjson.loads(text)
    return found

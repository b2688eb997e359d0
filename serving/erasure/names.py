"""What stands in place of ids and names that were erased."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping

ERASED_PREFIX = "erased-"
"""Begins what stands in place of a listing's id or a person's name; the same for one listing or person."""
ERASED_TEXT = "[erased]"
"""Stands in place of a text that must not be empty."""


def pseudonym() -> str:
    """Return what stands in place of an id or a name: random, so that it leads back to nothing."""
    return ERASED_PREFIX + secrets.token_hex(6)


class Names(Mapping[str, str]):
    """What stands in place of each listing's id, the same in every room; an id that is none yet becomes one."""

    def __init__(self, listing_ids: Iterable[str] = ()) -> None:
        self._names = {key: pseudonym() for key in listing_ids if not key.startswith(ERASED_PREFIX)}

    def __getitem__(self, listing_id: str) -> str:
        return self._names[listing_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def of(self, listing_id: str) -> str:
        """Return what stands in place of an id, which from now on is one of these; what was erased stays as it is."""
        if listing_id.startswith(ERASED_PREFIX):
            return listing_id
        return self._names.setdefault(listing_id, pseudonym())

"""Erases a seller's listings, or one, from every room of a server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Engine

from models.captioning.cache import CaptionCache
from serving.captioners import captioner_settings
from serving.erasure.cases import CaseErasure
from serving.erasure.files import FileErasure
from serving.erasure.listings import ListingErasure, Which
from serving.erasure.names import Names
from serving.erasure.told import ToldErasure
from serving.jobs.files import JobFiles
from serving.pictures.files import PictureFiles
from serving.settings import Settings
from serving.store.database import empty_the_journal, overwrite_what_is_deleted


@dataclass(frozen=True)
class Erasure:
    """Erases listings from the database and from the directories of a server; begun anew it goes on where it ended.

    Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    files : FileErasure
    """

    engine: Engine
    files: FileErasure

    @classmethod
    def of(cls, engine: Engine, settings: Settings) -> Erasure:
        """Return what erases from a server with these settings."""
        overwrite_what_is_deleted(engine)
        chain = captioner_settings(settings)
        assert chain.cache is not None
        captions = CaptionCache(chain.cache, chain.cache_bytes)
        return cls(engine, FileErasure(engine, PictureFiles(settings.pictures), captions, JobFiles(settings.jobs)))

    def count(self, which: Which) -> dict[str, int]:
        """Return how much would be erased from the tables of listings, reviews and recalls."""
        counted = ListingErasure(self.engine).count(which)
        return counted | CaseErasure(self.engine).count(self._listings_of(which))

    def erase(self, which: Which, by: str) -> dict[str, int]:
        """Erase listings, and return how much of what was.

        Assessments and items come last: they tell which listings are meant, should this be broken off.
        """
        names, done = Names(self._listings_of(which)), Counter[str]()
        of_cases, needed = CaseErasure(self.engine).erase(names, by, which.why)
        done.update(of_cases)
        done.update(ToldErasure(self.engine).erase(names, which.seller, needed))
        done.update(self.files.erase_results(names))
        done.update(self.files.erase_pictures(names))
        done.update(ListingErasure(self.engine).erase(which, by, names))
        empty_the_journal(self.engine)
        return dict(done)

    def _listings_of(self, which: Which) -> set[str]:
        listings = ListingErasure(self.engine).listings_of(which)
        if which.listing:
            return listings | {which.listing}
        return listings | CaseErasure(self.engine).listings_of(which.seller)

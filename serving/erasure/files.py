"""Erases listings from files: copies of pictures and what was read of them, and results of jobs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy import Engine, delete, select, update

from models.captioning.cache import CaptionCache
from models.domain.parts import in_parts
from serving.api.problems import NOT_FOUND, problem
from serving.erasure.names import Names
from serving.jobs.files import JobFiles
from serving.pictures.files import PictureFiles
from serving.store.database import writing
from serving.store.picture_tables import KnownPictureRow, PictureReadingRow, PictureRow
from serving.store.tables import JobRow

_AT_ONCE = 200
_LISTING_ID = re.compile(rb'"listing_id":("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class FileErasure:
    """Erases listings from the directories of a server. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    pictures : PictureFiles
    captions : CaptionCache
        What was read of pictures.
    jobs : JobFiles
    """

    engine: Engine
    pictures: PictureFiles
    captions: CaptionCache
    jobs: JobFiles

    def erase_pictures(self, names: Names) -> dict[str, int]:
        """Remove the pictures of listings, at once; one that another listing has too stays.

        Of a removed listing the hashes of its pictures stay: they tell when one is put up again, and show nothing.
        """
        removed = 0
        for some in in_parts(sorted(names), _AT_ONCE):
            with self.engine.connect() as connection:
                mine = select(PictureRow.sha256).where(PictureRow.listing_id.in_(some), PictureRow.sha256.is_not(None))
                files = {str(found) for found in connection.execute(mine.distinct()).scalars()}
                owners = select(PictureRow.sha256, PictureRow.listing_id).where(PictureRow.sha256.in_(files)).distinct()
                files -= {sha256 for sha256, owner in connection.execute(owners).all() if owner not in names}
            self.pictures.drop(files)
            self.captions.forget(files)
            with writing(self.engine) as connection:
                connection.execute(delete(PictureRow).where(PictureRow.listing_id.in_(some)))
                connection.execute(delete(PictureReadingRow).where(PictureReadingRow.listing_id.in_(some)))
                for key in some:
                    known = update(KnownPictureRow).where(KnownPictureRow.subject == key)
                    connection.execute(known.values(subject=names[key], note=""))
            removed += len(files)
        return {"pictures": removed}

    def erase_results(self, names: Names) -> dict[str, int]:
        """Empty the rows of listings in results of jobs, each in its place: nobody who reads one is disturbed.

        A job that is under way keeps what it was sent until it ends.
        """
        with self.engine.connect() as connection:
            jobs = connection.execute(select(JobRow.id, JobRow.segments, JobRow.finished_at)).all()
        open_jobs = sum(job.finished_at is None for job in jobs)
        wanted = {orjson.dumps(key): name for key, name in names.items()}
        emptied = sum(
            _empty_rows(self.jobs.segment(job.id, epoch), size, wanted, f"/v1/jobs/{job.id}")
            for job in jobs
            for epoch, size in job.segments
        )
        return {"rows of results": emptied, "jobs under way, kept": open_jobs}


def _empty_rows(path: Path, size: int, wanted: Mapping[bytes, str], instance: str) -> int:
    """Write over the rows of some listings in a file of results, whose length stays; return how many there were."""
    if not path.exists():
        return 0
    emptied = 0
    with path.open("r+b") as file:
        for start, line in list(_rows_of(file, size, wanted.keys())):
            told = _LISTING_ID.search(line)
            assert told is not None
            file.seek(start)
            file.write(_emptied(line, wanted[told[1]], instance))
            emptied += 1
    return emptied


def _rows_of(file: Iterator[bytes], size: int, wanted: Collection[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield where each row of some listings begins, and the row."""
    place = 0
    for line in file:
        if place >= size:
            return
        told = _LISTING_ID.search(line)
        if told is not None and told[1] in wanted:
            yield place, line
        place += len(line)


def _emptied(line: bytes, name: str, instance: str) -> bytes:
    """Return a row that says that its listing was erased, as long as the row was."""
    index = orjson.loads(line)["index"]
    gone = problem(NOT_FOUND, "The listing was erased.", f"{instance}#/listings/{index}").model_dump()
    row = {"index": index, "listing_id": name, "assessment": None, "error": gone}
    shortest = {"index": index, "listing_id": "", "assessment": None, "error": None}
    text = next((t for t in map(orjson.dumps, (row, shortest)) if len(t) < len(line)), b"")
    return text + b" " * (len(line) - 1 - len(text)) + b"\n"

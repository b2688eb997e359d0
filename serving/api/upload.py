"""Takes the body of a job to the disk, within its limit and never whole in memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from fastapi import Request

from models.domain.errors import InputError
from serving.api.body import check_encoding, parse_json, read_body, too_large
from serving.api.intake import listings_of
from serving.api.problems import (
    UNREADABLE_FILE,
    UNSUPPORTED_MEDIA_TYPE,
    WRONG_SHAPE,
    FieldError,
    ProblemError,
    shortened,
)
from serving.jobs.files import JobFiles
from serving.jobs.inputs import Bounds, count_rows
from serving.settings import Settings
from serving.store.jobs import InputFormat

JSON = "application/json"
KINDS: dict[str, InputFormat] = {
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.arrow.file": "arrow",
    "application/vnd.apache.parquet": "parquet",
}
"""Content types of uploads, besides JSON."""
_PIECE = 1 << 20
_SEVERAL = "send the listings in several jobs"


@dataclass(frozen=True)
class Upload:
    """An upload that was read through once.

    Parameters
    ----------
    path : Path
    kind : str
    digest : str
        SHA-256 of the body.
    total : int
        Rows.
    """

    path: Path
    kind: InputFormat
    digest: str
    total: int


@asynccontextmanager
async def uploaded(request: Request, files: JobFiles, settings: Settings) -> AsyncIterator[Upload]:
    """Take an upload; what the caller does not make a job of is removed at the end.

    JSON is read whole, within the limit of other requests, and kept as JSON Lines; everything else is streamed.

    Raises
    ------
    ProblemError
        413 above the limits, 415 for another content type, 400 and 422 where nothing can be read of it.
    """
    kind = _kind(request)
    path = await asyncio.to_thread(files.incoming)
    try:
        if kind is None:
            body = await read_body(request, settings.max_body_bytes, "send JSON Lines, which may be longer")
            digest = hashlib.sha256(body).hexdigest()
            await asyncio.to_thread(_write_lines, body, path)
        else:
            digest = await stream_to(request, path, settings.job_max_bytes)
        read = kind or "jsonl"
        bounds = Bounds(settings.job_max_listings, settings.job_max_bytes)
        yield Upload(path, read, digest, await asyncio.to_thread(_counted, path, read, bounds))
    finally:
        await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))


def _kind(request: Request) -> InputFormat | None:
    """Return how the upload is written; None for JSON."""
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given == JSON:
        return None
    if given not in KINDS:
        found = f"Content-Type {given!r}" if given else "no Content-Type"
        known = ", ".join((JSON, *KINDS))
        detail = f"The request has {found}; send one of {known}."
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, detail, headers={"Accept-Post": known})
    check_encoding(request)
    return KINDS[given]


async def stream_to(request: Request, path: Path, limit: int, mend: str = _SEVERAL) -> str:
    """Write the body to a file, durably, and return its SHA-256.

    Parameters
    ----------
    mend : str
        What to do about a body that is too long.

    Raises
    ------
    ProblemError
        413 above `limit` bytes.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        too_large(limit, mend)
    digest, size, held = hashlib.sha256(), 0, bytearray()
    with path.open("wb") as file:

        def write(piece: bytes, last: bool = False) -> None:
            digest.update(piece)
            file.write(piece)
            if last:
                file.flush()
                os.fsync(file.fileno())

        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                too_large(limit, mend)
            held += chunk
            if len(held) >= _PIECE:
                await asyncio.to_thread(write, bytes(held))
                held.clear()
        await asyncio.to_thread(write, bytes(held), last=True)
    return digest.hexdigest()


def _write_lines(body: bytes, path: Path) -> None:
    """Write the listings of a JSON body as JSON Lines, durably."""
    listings = listings_of(parse_json(body), sys.maxsize)
    with path.open("wb") as file:
        for listing in listings:
            try:
                line = orjson.dumps(listing)
            except orjson.JSONEncodeError:  # half a character: it stays an escape, and that listing alone is refused
                line = json.dumps(listing).encode()
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _counted(path: Path, kind: InputFormat, bounds: Bounds) -> int:
    try:
        total = count_rows(path, kind, bounds) if path.stat().st_size else 0
    except InputError as error:
        found = FieldError(field=error.place, value=None, message=shortened(error.message, 300), hint=error.hint)
        raise ProblemError(UNREADABLE_FILE, f"{found.field}: {found.message}; {found.hint}.", [found]) from error
    if total == 0:
        hint = "send at least one listing"
        found = FieldError(field="listings", value="0 listings", message="there are none", hint=hint)
        raise ProblemError(WRONG_SHAPE, f"listings: there are none; {hint}.", [found])
    return total

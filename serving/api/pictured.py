"""Reads a request for assessments with pictures: in the JSON of the listings, or as parts of a multipart body."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from models.domain.listing import Listing
from serving.api.body import parse_json, read_body, too_large
from serving.api.intake import Refusal, listings_of, read_listing, refusal_of
from serving.api.problems import WRONG_SHAPE, FieldError, ProblemError, shortened
from serving.pictures.offered import Offered, PictureRules, read_images, with_images_removed

_MULTIPART = "multipart/form-data"
_LISTINGS = "listings"
_FEWER = "send the listings in several requests"
_MOST_PARTS = 1_000


@dataclass(frozen=True)
class Body:
    """A request's body.

    Parameters
    ----------
    listings : bytes
        JSON.
    digest : str
        SHA-256 of all of it.
    parts : mapping
        Its files by name.
    """

    listings: bytes
    digest: str
    parts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """One listing as it came: read or refused, with its pictures."""

    listing: Listing | Refusal
    pictures: tuple[Offered, ...] = ()


async def read_request(request: Request, limit: int) -> Body:
    """Return the body of a request.

    Raises
    ------
    ProblemError
        As `read_body`; 422 for a multipart body without the part `listings`, or that cannot be read.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _MULTIPART:
        body = await read_body(request, limit)
        return Body(body, hashlib.sha256(body).hexdigest())
    digest = hashlib.sha256()

    async def counted() -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                too_large(limit, _FEWER)
            digest.update(chunk)
            yield chunk

    parser = MultiPartParser(
        request.headers, counted(), max_files=_MOST_PARTS, max_fields=_MOST_PARTS, max_part_size=limit
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:  # KeyError: no boundary
        reason = getattr(error, "message", "") or "has no boundary"
        raise _wrong("", None, f"is no multipart body: {reason}", "let your HTTP library write it") from error
    parts: dict[str, bytes] = {}
    try:
        for name, value in form.multi_items():
            if name in parts:
                raise _wrong(name, None, "comes twice", "give each part a name of its own")
            parts[name] = await value.read() if isinstance(value, UploadFile) else value.encode()
    finally:
        await form.close()
    if _LISTINGS not in parts:
        raise _wrong(_LISTINGS, None, "is missing", "send the JSON as the part `listings`, and each picture as a part")
    return Body(parts.pop(_LISTINGS), digest.hexdigest(), parts)


def read_given(body: Body, most: int, rules: PictureRules, instance: str) -> list[Given]:
    """Return the listings of a body, each judged on its own.

    Raises
    ------
    ProblemError
        If the body as a whole is of another shape.
    """
    raw = listings_of(parse_json(body.listings), most)
    return [given_of(item, index, body.parts, rules, instance) for index, item in enumerate(raw)]


def given_of(raw: object, index: int, parts: Mapping[str, bytes], rules: PictureRules, instance: str) -> Given:
    """Return one listing of JSON with its pictures; it is refused where either is not in order."""
    plain, images = with_images_removed(raw)
    listing = read_listing(plain, index, instance)
    if images is None:
        return Given(listing)
    pictures, errors = read_images(images, rules, parts)
    if errors:
        others = listing.problem.errors if isinstance(listing, Refusal) else []
        return Given(refusal_of(plain, [*others, *errors], index, instance))
    return Given(listing, tuple(pictures) if isinstance(listing, Listing) else ())


def _wrong(name: str, value: object, message: str, hint: str) -> ProblemError:
    shown = None if value is None else shortened(value)
    error = FieldError(field=shortened(name), value=shown, message=message, hint=hint)
    return ProblemError(WRONG_SHAPE, f"{error.field or 'the body'}: {message}; {hint}.", [error])

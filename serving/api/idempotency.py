"""`Idempotency-Key`: a request that is sent again under its key is answered again, and not run again.

After the IETF draft "The Idempotency-Key HTTP Header Field": the same key with another request is 422, one whose first
request is under way is 409. Only answers that went well are kept; one that failed had no effect and may be tried anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from serving.access.asking import principal_of
from serving.api.problems import INVALID_KEY, KEY_IN_USE, KEY_REUSED, FieldError, ProblemError, shortened
from serving.services import services_of
from serving.store.idempotency import IdempotencyStore, Kept, Mine, UnderWay

_log = logging.getLogger("hazardlens.api")
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x21\x23-\x7e][\x21-\x7e]{0,254}")
_LONGEST = 255
_STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_RETRY = "1"
_KEPT_HEADERS = ("content-type", "location")

Answer = Callable[["Mine | None"], Awaitable[Response]]


def key_of(request: Request) -> str | None:
    """Return the key of a request, None where it has none.

    The draft writes it as a string of structured fields, in quotes; most clients leave them out.

    Raises
    ------
    ProblemError
        400 for several keys, or one that is not 1 to 255 printable ASCII characters.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    text = given[0].strip()
    quoted = _STRING.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    good = 0 < len(key) <= _LONGEST if quoted else _KEY.fullmatch(key)
    if len(given) > 1 or not good:
        hint = "give one key of 1 to 255 printable ASCII characters without spaces, such as a UUID"
        error = FieldError(field=HEADER, value=shortened(", ".join(given)), message="is not a key", hint=hint)
        raise ProblemError(INVALID_KEY, f"{HEADER}: is not a key; {hint}.", [error])
    return key


def fingerprint_of(request: Request, digest: str) -> str:
    """Return what tells one request from another: method, path, query, kind of body, SHA-256 of the body."""
    parts = (request.method, request.url.path, request.url.query, request.headers.get("content-type", ""), digest)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


async def once(request: Request, digest: Callable[[], str], answer: Answer) -> Response:
    """Answer a request, once for its key.

    Parameters
    ----------
    digest : callable
        Gives the SHA-256 of the body; blocks.
    answer : callable
        Makes the answer; is given the key that is held, or None where the request has none.

    Raises
    ------
    ProblemError
        409 while the first request under the key is under way, 422 where it was another request.
    """
    key = key_of(request)
    if key is None:
        return await answer(None)
    keys = services_of(request).keys
    fingerprint = fingerprint_of(request, await asyncio.to_thread(digest))
    found = await asyncio.to_thread(keys.begin, principal_of(request).name, key, fingerprint)
    if isinstance(found, Kept):
        return Response(found.body, found.status, {**found.headers, REPLAYED: "true"})
    if isinstance(found, UnderWay):
        raise ProblemError(KEY_IN_USE, "Ask again for its answer.", headers={"Retry-After": _RETRY})
    if not isinstance(found, Mine):
        detail = f"{HEADER} {shortened(key)} was sent with another request; take a new key for this one."
        raise ProblemError(KEY_REUSED, detail)
    async with _held(keys, found):
        response = await answer(found)
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        await asyncio.to_thread(keys.finish, found, response.status_code, headers, bytes(response.body))
    return response


@asynccontextmanager
async def _held(keys: IdempotencyStore, mine: Mine) -> AsyncIterator[None]:
    """Hold a key while its request runs, and give it up if that fails."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(keys.lease.total_seconds() / 3)
            try:
                await asyncio.to_thread(keys.renew, mine)
            except SQLAlchemyError as error:
                _log.warning("an idempotency key could not be held: %s", error)

    renewing = asyncio.create_task(renew())
    try:
        yield
    except BaseException:
        # Also where the client is gone: what was done for it is done again under the same key.
        await asyncio.shield(asyncio.to_thread(keys.give_up, mine))
        raise
    finally:
        renewing.cancel()

"""Reads a request body within its limit, and its JSON."""

from __future__ import annotations

import json
import re
from email.message import Message
from typing import NoReturn

import orjson
from fastapi import Request

from serving.api.problems import BODY_TOO_LARGE, MALFORMED_JSON, UNSUPPORTED_MEDIA_TYPE, ProblemError

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_JSON_TYPE = re.compile(r"application/(?:json|[\w.+-]+\+json)", re.IGNORECASE)
_SEVERAL = "send the listings in several requests"
_HINT = "send Content-Type: application/json"


async def read_body(request: Request, limit: int, mend: str = _SEVERAL) -> bytes:
    """Return the body of a JSON request.

    What a client announces is checked first; what it sends is counted as it comes, since the announcement may be
    absent or wrong.

    Parameters
    ----------
    mend : str
        What to do about a body that is too long.

    Raises
    ------
    ProblemError
        415 for another content type, charset or encoding; 413 above `limit` bytes.
    """
    _check_type(request)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        too_large(limit, mend)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            too_large(limit, mend)
        chunks.append(chunk)
    return b"".join(chunks)


def parse_json(body: bytes) -> object:
    """Return the value of a JSON text.

    Raises
    ------
    ProblemError
        400 with line and column.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        failure = error
    # orjson refuses an escaped lone surrogate anywhere. The standard library reads it, so that the one listing that
    # holds it is answered with an error and its neighbours are assessed.
    if _SURROGATE_ESCAPE.search(body):
        try:
            value: object = json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError):
            pass
        else:
            return value
    raise ProblemError(MALFORMED_JSON, f"{failure.msg} at line {failure.lineno}, column {failure.colno}.") from failure


def _check_type(request: Request) -> None:
    given = request.headers.get("content-type", "").split(";")[0].strip()
    if not _JSON_TYPE.fullmatch(given):
        found = f"Content-Type {given!r}" if given else "no Content-Type"
        raise ProblemError(
            UNSUPPORTED_MEDIA_TYPE, f"The request has {found}; {_HINT}.", headers={"Accept-Post": "application/json"}
        )
    check_encoding(request)


def check_encoding(request: Request) -> None:
    """Refuse a body that is packed, or in another charset than UTF-8.

    Raises
    ------
    ProblemError
        415.
    """
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    charset = header.get_content_charset("utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"charset {charset!r} is not read; send UTF-8.")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {encoding!r} is not read; send the body plain.")


def too_large(limit: int, mend: str) -> NoReturn:
    """Refuse a body of more than `limit` bytes.

    Raises
    ------
    ProblemError
        413.
    """
    detail = f"At most {limit:,} bytes are read; {mend}."
    # The rest of the body is not read, so the connection cannot carry another request.
    raise ProblemError(BODY_TOO_LARGE, detail, headers={"Connection": "close"})


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")

"""Asks the servers of sources: conditionally, within a size and a time, only where requests may go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx

from models.domain.errors import InputError
from serving.hooks.schedule import wished_wait
from serving.outgoing.addresses import AddressRules, Guard, Network
from serving.outgoing.transport import CheckedTransport
from serving.recalls.documents import Document, KeptDocument
from serving.recalls.sources import Source

_LONGEST = 300.0
"""Seconds for one answer, however much comes of it meanwhile."""
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_REDIRECTS = 3
_WAIT = frozenset({429, 503})
_GONE = frozenset({404, 410})
_AGENT = "hazardlens (product safety; reads public alerts)"


class FetchError(Exception):
    """A server did not give what it was asked for.

    Parameters
    ----------
    wait : timedelta or None
        How long it asks to be left alone.
    """

    def __init__(self, message: str, wait: dt.timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class GoneError(FetchError):
    """What was asked for is not there, or no longer."""


def client_of(networks: tuple[Network, ...] = ()) -> httpx.Client:
    """Return a client for sources: documents name further addresses, so that each is checked before it is asked."""
    rules = AddressRules(allowed=networks)
    return httpx.Client(
        transport=CheckedTransport(Guard(rules)),
        timeout=_TIMEOUT,
        follow_redirects=True,
        max_redirects=_REDIRECTS,
        headers={"User-Agent": _AGENT},
    )


class Fetcher:
    """Gets documents. Its methods block: call them from a thread.

    Parameters
    ----------
    client : httpx.Client
    longest : float
        Seconds for one answer.
    now : callable
        Gives the time.
    """

    def __init__(
        self,
        client: httpx.Client,
        longest: float = _LONGEST,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._client, self._longest, self.now = client, longest, now

    def get(self, source: Source, url: str, known: KeptDocument | None = None, **options: Any) -> Document | None:
        """Return what an address gives, None where it is what it gave before.

        Parameters
        ----------
        known : KeptDocument, optional
            What it gave before.
        **options
            Of the request: ``method``, ``json``.

        Raises
        ------
        FetchError
            Saying what came instead.
        """
        headers = {"Accept": "*/*"}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        method = str(options.pop("method", "GET"))
        try:
            with self._client.stream(method, url, headers=headers, **options) as response:
                if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
                    return None
                self._check(response)
                data = self._read(response, source.max_mb * 1_000_000)
        except httpx.HTTPError as error:
            raise FetchError(f"{url}: {str(error) or type(error).__name__}") from error
        except InputError as error:  # where requests may not go
            raise FetchError(f"{url}: {error}") from error
        return Document(
            source=source.id,
            data=data,
            fetched_at=self.now(),
            url=url,
            content_type=response.headers.get("Content-Type", ""),
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
        )

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        said = f"{response.request.url} answered {status} {response.reason_phrase}".strip()
        if status in _GONE:
            raise GoneError(said)
        raise FetchError(said, wished_wait(response.headers, self.now()) if status in _WAIT else None)

    def _read(self, response: httpx.Response, limit: int) -> bytes:
        with suppress(ValueError):
            if int(response.headers.get("Content-Length", "")) > limit:
                raise FetchError(f"{response.request.url} announces more than {limit:,} bytes")
        chunks, size, until = [], 0, monotonic() + self._longest
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > limit:
                raise FetchError(f"{response.request.url} gives more than {limit:,} bytes")
            if monotonic() > until:
                raise FetchError(f"{response.request.url} gave {size:,} bytes in {self._longest:g} s and was not done")
            chunks.append(chunk)
        return b"".join(chunks)

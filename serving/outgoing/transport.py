"""Transports of httpx that connect to checked addresses only, and to the very ones that were checked.

Give one to `httpx.Client` or `httpx.AsyncClient` with ``follow_redirects=False``; with redirects, each step is checked.
A transport of one's own also keeps proxies of the environment out, which would resolve the name again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from serving.outgoing.addresses import Address, Guard

_RESOLVING = 8
"""Names that are resolved at once, on threads of their own: one may hang, and the default ones serve the store."""


class CheckedTransport(httpx.BaseTransport):
    """Sends requests where a guard lets them go.

    Parameters
    ----------
    guard : Guard
    connections : int
        Most at once.

    Raises
    ------
    TargetError
        By a request whose target is refused.
    """

    def __init__(self, guard: Guard, connections: int = 10) -> None:
        self._guard = guard
        self._inner = httpx.HTTPTransport(limits=_limits(connections))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        try:
            found = self._guard.addresses(*_asked(request), encrypted=_encrypted(request))
        except OSError as error:
            raise _unresolved(request, error) from error
        for number, address in enumerate(found, start=1):
            try:
                return self._inner.handle_request(_aimed(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(found):
                    raise
        raise _unresolved(request, None)

    def close(self) -> None:
        """Close what is open."""
        self._inner.close()


class AsyncCheckedTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`.

    Parameters
    ----------
    guard : Guard
    connections : int
        Most at once.

    Raises
    ------
    TargetError
        By a request whose target is refused.
    """

    def __init__(self, guard: Guard, connections: int = 100) -> None:
        self._guard = guard
        self._inner = httpx.AsyncHTTPTransport(limits=_limits(connections))
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="resolving")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        for number, address in enumerate(found := await self._addresses(request), start=1):
            try:
                return await self._inner.handle_async_request(_aimed(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(found):
                    raise
        raise _unresolved(request, None)

    async def _addresses(self, request: httpx.Request) -> Sequence[Address]:
        host, port = _asked(request)
        loop, encrypted = asyncio.get_running_loop(), _encrypted(request)
        try:
            return await loop.run_in_executor(
                self._threads, lambda: self._guard.addresses(host, port, encrypted=encrypted)
            )
        except OSError as error:
            raise _unresolved(request, error) from error

    async def aclose(self) -> None:
        """Close what is open."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._inner.aclose()


def _limits(connections: int) -> httpx.Limits:
    # None is kept: the pool knows them by address, and would give one that was opened, and whose certificate was
    # checked, for one host to another host at the same address.
    return httpx.Limits(max_connections=connections, max_keepalive_connections=0)


def _encrypted(request: httpx.Request) -> bool:
    return request.url.scheme == "https"


def _asked(request: httpx.Request) -> tuple[str, int]:
    return request.url.raw_host.decode("ascii").strip("[]"), request.url.port or (443 if _encrypted(request) else 80)


def _aimed(request: httpx.Request, address: Address) -> httpx.Request:
    """Return the request for one address; host header and certificate stay those of the name."""
    name = request.url.raw_host.decode("ascii").strip("[]")
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": name},
    )


def _unresolved(request: httpx.Request, error: OSError | None) -> httpx.ConnectError:
    reason = f": {error}" if error is not None else ""
    return httpx.ConnectError(f"{request.url.host} has no address{reason}", request=request)

"""Fetches pictures from the hosts that an operator allows, within size, time and steps.

Only what works behind the calls fetches: nobody waits for another one's server.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from models.domain.errors import InputError
from serving.outgoing.addresses import Guard, TargetError
from serving.outgoing.transport import AsyncCheckedTransport
from serving.pictures.offered import Hosts

_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "hazardlens"}
"""Not packed: a packed body could unpack to any size."""
_AGAIN = "send the picture itself, or a URL that answers at once"


@dataclass(frozen=True)
class FetchLimits:
    """How long and how much.

    Parameters
    ----------
    seconds : float
        For all of it: names, connections, redirects, body.
    silence : float
        Seconds without a byte.
    bytes : int
        Of the body.
    redirects : int
    """

    seconds: float = 10.0
    silence: float = 4.0
    bytes: int = 10_000_000
    redirects: int = 3


class Fetcher:
    """Fetches pictures.

    Each step, a redirect too, must name an allowed host, and is connected only to addresses that the guard has checked.

    Parameters
    ----------
    hosts : Hosts
    guard : Guard
    limits : FetchLimits
    """

    def __init__(self, hosts: Hosts, guard: Guard, limits: FetchLimits | None = None) -> None:
        self.hosts = hosts
        self.guard = guard
        self.limits = limits or FetchLimits()

    async def fetch(self, url: str) -> bytes:
        """Return the bytes at a URL.

        Raises
        ------
        InputError
            Naming what went wrong and the mend.
        """
        timeout, transport = httpx.Timeout(self.limits.silence), AsyncCheckedTransport(self.guard)
        try:
            async with (
                asyncio.timeout(self.limits.seconds),  # the system may take its time for a name, a server for its head
                httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False) as client,
            ):
                return await self._followed(client, url)
        except TimeoutError as error:
            raise InputError(f"takes more than {self.limits.seconds:g} s", hint=_AGAIN) from error
        except TargetError as error:
            raise InputError(error.message, hint="give a URL on the public internet") from error
        except httpx.TimeoutException as error:
            raise InputError(f"says nothing for {self.limits.silence:g} s", hint=_AGAIN) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InputError(f"cannot be fetched: {error or type(error).__name__}"[:200], hint=_AGAIN) from error

    async def _followed(self, client: httpx.AsyncClient, url: str) -> bytes:
        for _ in range(self.limits.redirects + 1):
            target = httpx.URL(url)
            if target.scheme not in ("http", "https") or not self.hosts.holds(target.host):
                where = target.host or "what is no host"
                raise InputError(f"leads to {where}, which is not allowed", hint="give a URL at an allowed host")
            async with client.stream("GET", target, headers=_HEADERS) as response:
                if not response.has_redirect_location:
                    return await self._body(response)
                url = urljoin(url, response.headers["location"])
        raise InputError(f"leads on more than {self.limits.redirects} times", hint="give the URL that it ends at")

    async def _body(self, response: httpx.Response) -> bytes:
        most = self.limits.bytes
        if response.status_code != 200:
            raise InputError(f"answers {response.status_code}", hint="give the URL of the picture itself")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise InputError("answers with a packed body", hint="send the picture plain")
        announced = response.headers.get("content-length", "")
        size = int(announced) if announced.isdecimal() else 0
        parts: list[bytes] = []
        if size <= most:
            size = 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > most:
                    break
                parts.append(part)
        if size > most:
            raise InputError(f"has more than {most:,} bytes", hint="make the picture smaller")
        return b"".join(parts)

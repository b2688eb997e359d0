"""Sends head and body of an answer as one: each write wakes the client, which can do nothing with a head alone."""

from __future__ import annotations

import asyncio
from typing import Any


class JoinedWrites:
    """A transport that holds the first write until the second one, or until the event loop's next turn.

    Parameters
    ----------
    transport : asyncio.Transport
        Gets the writes; everything else is passed on to it as it is.
    loop : asyncio.AbstractEventLoop
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data, together with what is held; where nothing is, hold it."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif data:
            self._held = data
            self._loop.call_soon(self._send)

    def close(self) -> None:
        """Send what is held, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)

"""Bounds the head of a request: the parser itself takes headers of any length."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.joined_writes import JoinedWrites

LONGEST_HEAD = 65_536
"""Bytes of request line and headers, which no honest client comes near."""


class BoundedHead(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, but a head that does not end is answered with 400 and the connection closed.

    Head and body of an answer are sent together.
    """

    _reading_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Join the writes of the connection."""
        super().connection_made(cast(asyncio.Transport, JoinedWrites(transport, self.loop)))

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._reading_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that it ended."""
        self._reading_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too long."""
        super().data_received(data)
        if self._reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_HEAD and not self.transport.is_closing():
                self._reading_head = False
                self.send_400_response(f"Headers of more than {LONGEST_HEAD} bytes are not read.")

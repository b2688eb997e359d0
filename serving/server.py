"""The HTTP server that finishes what it has begun before it ends."""

from __future__ import annotations

import logging
import sys
import time
from socket import socket
from types import FrameType

import uvicorn

from serving.process_memory import settle
from serving.services import Services

_SWITCH_SECONDS = 0.0005
_log = logging.getLogger("hazardlens")


class DrainingServer(uvicorn.Server):
    """Ends in two steps when it is told to (SIGTERM, or Ctrl-C).

    At once `/readyz` and every new call answer 503, while the port still listens, so that a balancer sees it and sends
    calls elsewhere. When no request is left, and not before `drain_seconds`, the port is closed and the process ends
    with status 0. A second signal ends it without waiting.

    Parameters
    ----------
    config : uvicorn.Config
    services : Services
    drain_seconds : float
        How long the port listens at least: as long as the balancer takes to notice.
    """

    def __init__(self, config: uvicorn.Config, services: Services, drain_seconds: float) -> None:
        super().__init__(config)
        self._services = services
        self._drain_seconds = drain_seconds
        self._draining_since: float | None = None
        services.on_settled = settle

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve until it is told to end."""
        # The event loop waits for the interpreter's lock behind threads that assess, each time for up to this long: the
        # usual 5 ms, several times a request, would be most of its time.
        sys.setswitchinterval(_SWITCH_SECONDS)
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  (uvicorn's signature)
        """Begin to end; uvicorn would pass the signal on to the process afterwards, which then would not end with 0."""
        if self._draining_since is not None:
            self.should_exit = self.force_exit = True
            return
        if self._services.loaded is None:
            self.should_exit = True
        self._draining_since = time.monotonic()
        self._services.drain()
        _log.info("signal %d: no more requests are taken; those in work are finished", sig)

    async def on_tick(self, counter: int) -> bool:
        """Tell whether it is time to close the port; asked ten times a second."""
        ending = await super().on_tick(counter)
        if self._draining_since is None:
            return ending
        waited = time.monotonic() - self._draining_since
        patience = self._drain_seconds + (self.config.timeout_graceful_shutdown or 0)
        finished = waited >= self._drain_seconds and not self._services.in_work
        return ending or finished or waited >= patience

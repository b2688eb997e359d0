"""Several processes that serve one port: each with its own model, threads and watches, over one database.

They agree without talking to each other: on plans and keys through the store, on the model through its place, which
each of them watches (`serving.model_watch`).
"""

from __future__ import annotations

import os
from socket import socket
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from serving.early import begin_unpacking
from serving.logs import begin_logging
from serving.process_memory import collecting_later, few_arenas
from serving.server import DrainingServer
from serving.settings import Settings
from serving.worker_files import files_for_workers


class _WorkerServer(DrainingServer):
    """The server of a worker, which a signal may reach twice: by the process group, and by the supervisor."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, once."""
        if not self._services.draining:
            super().handle_exit(sig, frame)


class _Worker(multiprocess.Process):
    """A process with an application of its own."""

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve; runs in the worker."""
        begin_unpacking()
        with collecting_later():
            self._serve(sockets)

    def _serve(self, sockets: list[socket] | None) -> None:
        from serving.app import create_app

        settings = Settings.from_environment()
        few_arenas()
        log = begin_logging(settings.log_level, settings.log_format, settings.log_listings)

        def give_up() -> None:
            log.stop()
            os._exit(STARTUP_FAILURE)  # tells the supervisor not to try again

        app = create_app(settings)
        app.state.services.on_failure = give_up
        self.config.app = app
        self._server = _WorkerServer(self.config, app.state.services, settings.drain_seconds)
        try:
            super().target(sockets)
        finally:
            log.stop()


def run_workers(settings: Settings, config: uvicorn.Config) -> int:
    """Serve with several processes until a signal ends them; one that dies is replaced.

    Returns
    -------
    int
        0 after a normal end, 1 when a worker could not start.
    """
    os.environ.update(settings.as_environment())  # the workers read them anew
    multiprocess.Process = _Worker  # type: ignore[misc]  # the supervisor has no other way to be told
    with files_for_workers():
        supervisor = multiprocess.Multiprocess(config, sockets=[config.bind_socket()])
        supervisor.run()
    return 1 if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes) else 0

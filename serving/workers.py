"""Several processes that serve one port: each with its own model, threads and watches, over one database.

They agree without talking to each other: on the plan through the store, on the model through its place, which each of
them watches (`serving.model_watch`).
"""

from __future__ import annotations

import logging
import os
import sys

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from serving.settings import Settings
from serving.worker_files import files_for_workers

_log = logging.getLogger("hazardlens")


def run_workers(settings: Settings, config: uvicorn.Config) -> int:
    """Serve with several processes until a signal ends them; one that dies is replaced.

    Parameters
    ----------
    config : uvicorn.Config
        Names `worker_app` as its app.

    Returns
    -------
    int
        0 after a normal end, 1 when a worker could not start.
    """
    os.environ.update(settings.as_environment())  # the workers read them anew
    with files_for_workers():
        supervisor = Multiprocess(config, sockets=[config.bind_socket()])
        supervisor.run()
    return 1 if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes) else 0


def worker_app() -> FastAPI:
    """Build the application of one worker, with the settings of the process that started it."""
    from serving.app import create_app, log_as_set

    settings = Settings.from_environment()
    log_as_set(settings)
    app = create_app(settings)
    app.state.services.on_failure = _give_up
    return app


def _give_up() -> None:
    """End at once, by the code that tells the supervisor not to try again."""
    sys.stderr.flush()
    os._exit(STARTUP_FAILURE)

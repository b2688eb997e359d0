"""The place that a server watches for its model: a directory, or a link that a process beside it keeps on an alias."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from hazardlens.model_source import model_directory
from models.domain.resources import cache_dir

_LEAST_EVERY = 1.0
_ENDS_WITHIN = 10.0


@contextmanager
def model_place(model: str, every: float) -> Iterator[Path]:
    """Give the place of a model, as long as the server runs.

    MLflow stays out of the server: what asks the registry is a process of its own, ``hazardlens follow``, which ends
    with this one.

    Parameters
    ----------
    model : str
        A directory, a link to one, or the URI of a registered model.
    every : float
        Seconds between two looks at the registry; 0 looks only now.

    Raises
    ------
    InputError
        If no model is there.
    """
    if not model.startswith(("models:/", "runs:/")):
        from models.classifier.artifact import MANIFEST  # brings numpy, which most commands start without

        place = Path(model)
        yield place if (place / MANIFEST).is_file() else model_directory(model)
        return
    link = followed_link(model)
    # A pipe that closes with this process, however it ends, ends the other one too.
    with subprocess.Popen(_command(model, link, every), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as follower:
        assert follower.stdin is not None
        assert follower.stdout is not None
        try:
            if not follower.stdout.readline():
                follower.wait()
                raise typer.Exit(1)  # it has said why
            yield link
        finally:
            follower.stdin.close()
            try:
                follower.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                follower.kill()


def followed_link(uri: str) -> Path:
    """Return the link that is kept for a URI: one for each registry, so that a server starts again without it."""
    registry = os.environ.get("MLFLOW_REGISTRY_URI", "") + os.environ.get("MLFLOW_TRACKING_URI", str(Path.cwd()))
    return cache_dir() / "followed" / hashlib.sha256(f"{registry}\x1f{uri}".encode()).hexdigest()[:16]


def _command(uri: str, link: Path, every: float) -> list[str]:
    program = [sys.executable, "-m", "hazardlens", "follow", uri, "--link", str(link), "--while-open"]
    return [*program, "--every", str(max(every, _LEAST_EVERY))] if every else [*program, "--once"]

"""Commands that need the training extra say so where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.domain.errors import InputError

_OURS = {"hazardlens", "serving", "training", "models"}


@contextmanager
def training_extra(task: str) -> Iterator[None]:
    """Name the extra that a missing package belongs to.

    Parameters
    ----------
    task : str
        What cannot be done without it, e.g. ``training``.

    Raises
    ------
    InputError
        If a package of others is not installed. A missing module of ours is a fault of ours and stays what it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in _OURS:
            raise
        raise InputError(
            f"{task} needs the package {package!r}, which is not installed", hint="pip install 'hazardlens[training]'"
        ) from error

"""``hazardlens follow``: a link that goes along with an alias of the model registry."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from hazardlens.extras import training_extra
from models.domain.errors import HazardlensError


def follow(
    uri: Annotated[str, typer.Argument(metavar="URI", help="Such as models:/hazardlens@champion.")],
    link: Annotated[Path, typer.Option("--link", metavar="PATH", help="Link to keep; for `serve --model PATH`.")],
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    while_open: Annotated[
        bool, typer.Option("--while-open", help="End with standard input: with the process that started this one.")
    ] = False,
) -> None:
    """Keep a link on the model that an alias names, for a server that watches the link.

    A server never loads MLflow itself: `hazardlens serve --model models:/...` starts this command beside it. Where
    several servers share a disk, run it once for all of them, and give them the link. While the registry does not
    answer, the link stays as it is. It prints one line as soon as the link is there.
    """
    with training_extra("the model registry"):
        from training.following import follow_once

    over = threading.Event() if once else _ending(while_open)
    told, first = "", True
    while True:
        try:
            moved, wrong = follow_once(uri, link), ""
        except HazardlensError as error:
            moved, wrong = None, str(error)
        except Exception as error:  # noqa: BLE001  (whatever MLflow or its store raise: the next look may find better)
            moved, wrong = None, f"the registry does not answer: {error}"
        if wrong and (once or first) and not link.exists():
            raise HazardlensError(wrong)
        if wrong and wrong != told:
            typer.echo(f"hazardlens follow: {wrong}; {link} stays on {link.resolve()}", err=True)
        if first:
            print(f"{uri} is {link.resolve()}", flush=True)
        elif moved is not None:
            typer.echo(f"hazardlens follow: {uri} is now model {moved} in {link.resolve()}", err=True)
        told, first = wrong, False
        if once or over.wait(every):
            return


def _ending(while_open: bool) -> threading.Event:
    """Return what is set once it is time to end."""
    over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    def read() -> None:
        while os.read(0, 1_024):
            pass
        over.set()

    if while_open:
        threading.Thread(target=read, daemon=True).start()
    return over

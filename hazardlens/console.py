"""How commands speak: results on stdout, for people or as JSON; warnings and progress on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tqdm import tqdm

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
ShowProgress = Annotated[
    bool | None, typer.Option("--progress/--no-progress", help="Progress bar on stderr; by default on a terminal only.")
]
TaxonomyFile = Annotated[
    Path | None, typer.Option("--taxonomy", metavar="F", help="Label set, instead of the Safety Gate's.")
]


class StderrLog(logging.Handler):
    """Writes log records on stderr, above a progress bar where one is being drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        line = f"{record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + logging.Formatter().formatException(record.exc_info)
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(line, file=sys.stderr)
        else:
            sys.stderr.write(f"{line}\n")


def log_to_stderr(verbose: bool) -> None:
    """Send warnings (with `verbose`, everything of ours) to stderr."""
    root = logging.getLogger()
    if not any(isinstance(handler, StderrLog) for handler in root.handlers):
        root.addHandler(StderrLog())
    for name in ("hazardlens", "models", "training"):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; what is not a number becomes null."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    typer.echo(orjson.dumps(value, option=options, default=str).decode())


def wants_bar(progress: bool | None) -> bool:
    """Tell whether a bar is to be drawn: as asked, else on a terminal only."""
    return sys.stderr.isatty() if progress is None else progress


@contextmanager
def bar(title: str, total: int | None, progress: bool | None, unit: str = "row") -> Iterator[Callable[[int], object]]:
    """Draw a progress bar; yields a function that takes the number of units done since its last call."""
    from tqdm import tqdm

    with _bar(tqdm, title, total, progress, unit) as drawn:
        yield drawn.update


@contextmanager
def stage_bars(progress: bool | None) -> Iterator[Callable[[str, int, int], None]]:
    """Draw one bar a stage; yields a function of stage, done, and total (0 where it is not known)."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for earlier in bars.values():
                earlier.close()
            bars[stage] = _bar(tqdm, stage, total or None, progress, "step")
        current = bars[stage]
        current.total = total or None
        current.update(done - current.n)

    try:
        yield show
    finally:
        for drawn in bars.values():
            drawn.close()


def _bar(kind: type[tqdm[Any]], title: str, total: int | None, progress: bool | None, unit: str) -> tqdm[Any]:
    return kind(
        desc=title, total=total, unit=f" {unit}s", file=sys.stderr, disable=not wants_bar(progress), dynamic_ncols=True
    )

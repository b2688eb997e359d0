"""The command line: what ``hazardlens`` does with its arguments, and how it ends.

Exit codes: 0 done, 1 something that the user gave is wrong (one line on stderr says what and how to mend it), 2 the
command itself was not understood.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from hazardlens.commands import (
    accounts,
    audit,
    captioner,
    data,
    erase,
    follow,
    golden,
    hooks,
    keys,
    knowledge,
    matching,
    plan,
    pledge,
    reasons,
    recalls,
    registry,
    report,
    scoring,
    screening,
    serve,
    simulation,
    training,
)
from hazardlens.console import log_to_stderr
from models.domain.errors import HazardlensError

OK, USER_ERROR, USAGE = 0, 1, 2
MANY = ("--examples", "--ordinary", "--levelled", "--train-examples")
"""Options that take several values after one name."""

app = typer.Typer(
    name="hazardlens",
    help="Product-safety risk of marketplace listings: train, evaluate, score, serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("train")(training.train)
app.command("evaluate")(training.evaluate)
app.command("score")(scoring.score)
app.command("screen")(screening.screen)
app.command("erase")(erase.erase)
app.command("match")(matching.match)
app.command("serve")(serve.serve)
app.command("ingest")(data.ingest)
app.command("corpus")(data.corpus)
app.command("captioner")(captioner.captioner)
app.add_typer(accounts.app, name="accounts")
app.add_typer(audit.app, name="audit")
app.add_typer(golden.app, name="golden")
app.add_typer(hooks.app, name="hooks")
app.add_typer(keys.app, name="keys")
app.add_typer(knowledge.app, name="knowledge")
plan.app.command("simulate")(simulation.simulate)
app.add_typer(plan.app, name="plan")
app.add_typer(reasons.app, name="reasons")
app.add_typer(recalls.app, name="recalls")
report.app.command("pledge")(pledge.pledge)
app.add_typer(report.app, name="report")
app.command("promote")(registry.promote)
app.command("rollback")(registry.rollback)
app.command("follow")(follow.follow)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"hazardlens {version('hazardlens')}")
        except PackageNotFoundError:
            typer.echo("hazardlens, not installed")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")] = False,
    version: Annotated[  # noqa: ARG001  (its callback does the work)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Product-safety risk of marketplace listings: train, evaluate, score, serve."""
    if context.invoked_subcommand != "serve":  # the server keeps a log of its own
        log_to_stderr(verbose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after ``hazardlens``; by default the arguments of the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        app(args=spread(given, MANY), prog_name="hazardlens")
    except HazardlensError as error:
        return _complain(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK
    return OK


def spread(arguments: Iterable[str], names: Sequence[str]) -> list[str]:
    """Repeat an option's name before each of its values, which the parser wants.

    Examples
    --------
    >>> spread(["train", "--examples", "a.csv", "b.csv", "--seed", "1"], ["--examples"])
    ['train', '--examples', 'a.csv', '--examples', 'b.csv', '--seed', '1']
    """
    result: list[str] = []
    current, values = "", 0
    for argument in arguments:
        if argument.startswith("-"):
            current, values = (argument if argument in names else ""), 0
        elif current:
            if values:
                result.append(current)
            values += 1
        result.append(argument)
    return result


def _complain(message: str) -> int:
    line = re.sub(r"\s*\n\s*", " ", message.strip())
    typer.echo(f"hazardlens: error: {line}", err=True)
    return USER_ERROR

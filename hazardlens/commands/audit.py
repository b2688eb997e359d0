"""``hazardlens audit``: the logs of everything that reviewers and the recall desk did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.review_database import DatabaseUrl, review_database
from hazardlens.whole_files import written_whole
from models.domain.errors import InputError

if TYPE_CHECKING:
    from serving.store.chained_log import Head

app = typer.Typer(no_args_is_help=True, help="Check and export the logs of reviews and of recall cases.")
_NOTED = {"reviews": "--head", "cases": "--case-head"}
"""Option that takes the noted head of each log."""


@app.command()
def verify(
    noted: Annotated[
        str | None,
        typer.Option("--head", metavar="N:DIGEST", help="Newest entry at an earlier time, as this command printed it."),
    ] = None,
    noted_case: Annotated[
        str | None, typer.Option("--case-head", metavar="N:DIGEST", help="The same of the log of recall cases.")
    ] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of both logs and print each break and the newest entries. Ends with 1 if there is any break.

    Keep the printed heads elsewhere: with them the next check also finds an end that was cut off or written anew.
    """
    from serving.audit import LOGS

    given = {"reviews": noted, "cases": noted_case}
    known = {name: None if text is None else _head(text, _NOTED[name]) for name, text in given.items()}
    with review_database(database) as engine, engine.connect() as connection:
        heads = {name: log.head(connection) for name, log in LOGS.items()}
        found = {name: list(log.breaks(connection, known[name])) for name, log in LOGS.items()}
    total = sum(map(len, found.values()))
    if as_json:
        told = {n: {"head": str(heads[n]), "breaks": [vars(each) for each in found[n]]} for n in LOGS}
        print_json({"whole": not total, **told.pop("reviews"), **told})
    else:
        for name, option in _NOTED.items():
            for each in found[name]:
                typer.echo(f"{name} entry {each.number}: {each.what}")
            typer.echo(f"{option.removeprefix('--')} {heads[name]}")
        counts = ", ".join(f"{heads[name].number:,} on {name}" for name in LOGS)
        typer.echo(f"the log was changed: breaks found: {total:,}" if total else f"whole: {counts}", err=True)
    if total:
        raise typer.Exit(1)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="F", help="The log as .csv or .jsonl.")],
    which: Annotated[str, typer.Option("--log", metavar="NAME", help="reviews, or cases.")] = "reviews",
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write a whole log to a file; its digests can be checked without the database."""
    from serving.audit import LOGS
    from serving.store.log_files import log_lines

    kind = out.suffix.lower()
    if kind not in (".csv", ".jsonl"):
        raise InputError(
            "the log is written as CSV or JSON lines", place=str(out), hint="end the name in .csv or .jsonl"
        )
    if which not in LOGS:
        raise InputError(f"{which!r} is no log", place="--log", hint=f"give one of {', '.join(LOGS)}")
    count = 0
    with (
        review_database(database) as engine,
        engine.connect() as connection,
        written_whole(out) as part,
        part.open("wb") as file,
    ):
        try:
            for line in log_lines(LOGS[which], connection, "csv" if kind == ".csv" else "jsonl"):
                file.write(line)
                count += 1
        except ValueError as error:  # SQLite keeps any text as a time
            hint = "hazardlens audit verify says which entry; nothing was written"
            raise InputError(f"the log was changed and cannot be read: {error}", place="log", hint=hint) from error
    entries = count - (kind == ".csv")
    if as_json:
        print_json({"out": str(out), "entries": entries})
    else:
        typer.echo(f"{out}: {entries:,} entries")


def _head(text: str, option: str) -> Head:
    from serving.store.chained_log import Head

    try:
        return Head.read(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no head of a log", place=option, hint="give number and digest as audit verify printed them"
        ) from error

"""``hazardlens audit``: the log of everything that reviewers did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.review_database import DatabaseUrl, review_database
from hazardlens.whole_files import written_whole
from models.domain.errors import InputError

if TYPE_CHECKING:
    from serving.review.events import Head

app = typer.Typer(no_args_is_help=True, help="Check and export the log of reviews.")


@app.command()
def verify(
    noted: Annotated[
        str | None,
        typer.Option("--head", metavar="N:DIGEST", help="Newest entry at an earlier time, as this command printed it."),
    ] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the log and print each break and the newest entry. Ends with 1 if there is any break.

    Keep the printed head elsewhere: with it the next check also finds an end that was cut off or written anew.
    """
    from serving.review.events import breaks, head

    known = None if noted is None else _head(noted)
    with review_database(database) as engine, engine.connect() as connection:
        newest = head(connection)
        found = list(breaks(connection, known))
    if as_json:
        print_json({"whole": not found, "head": str(newest), "breaks": [vars(each) for each in found]})
    else:
        for each in found:
            typer.echo(f"entry {each.number}: {each.what}")
        typer.echo(f"head {newest}")
        entries = "1 entry" if newest.number == 1 else f"{newest.number:,} entries"
        typer.echo(f"the log was changed: breaks found: {len(found):,}" if found else f"whole: {entries}", err=True)
    if found:
        raise typer.Exit(1)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="F", help="The log as .csv or .jsonl.")],
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole log to a file; its digests can be checked without the database."""
    from serving.review.events import events
    from serving.review.log_files import log_lines

    kind = out.suffix.lower()
    if kind not in (".csv", ".jsonl"):
        raise InputError(
            "the log is written as CSV or JSON lines", place=str(out), hint="end the name in .csv or .jsonl"
        )
    count = 0
    with (
        review_database(database) as engine,
        engine.connect() as connection,
        written_whole(out) as part,
        part.open("wb") as file,
    ):
        try:
            for line in log_lines(events(connection), "csv" if kind == ".csv" else "jsonl"):
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


def _head(text: str) -> Head:
    from serving.review.events import Head

    try:
        return Head.read(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no head of a log", place="--head", hint="give number and digest as audit verify printed them"
        ) from error

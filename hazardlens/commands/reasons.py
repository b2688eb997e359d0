"""``hazardlens reasons``: statements of reasons for the DSA Transparency Database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.commands.simulation import HISTORY, history_records
from hazardlens.console import AsJson, print_json
from hazardlens.whole_files import written_whole
from models.domain.errors import InputError

if TYPE_CHECKING:
    from models.reasons.marketplace import Marketplace
    from models.simulation.records import Record

app = typer.Typer(help="Statements of reasons for the DSA Transparency Database (schema v2).", no_args_is_help=True)
_SHOWN = 50


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", metavar="F", help="Submissions of 100, one a line, .jsonl.")],
    source: Annotated[
        str, typer.Option("--in", metavar="history|F", help="The store, or a file of kept assessments.")
    ] = HISTORY,
    marketplace: Annotated[
        Path | None, typer.Option("--marketplace", metavar="F", help="Facts of the marketplace, else the server's.")
    ] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL", help="The store of `history`.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="History from this day on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the statement of every restriction, checked field by field, in bodies that can be sent as they are."""
    import orjson

    from models.reasons.checking import batches
    from models.reasons.marketplace import load_marketplace
    from serving.settings import Settings

    if out.suffix != ".jsonl":
        raise InputError("submissions are JSON lines", place=str(out), hint="give --out a name that ends in .jsonl")
    facts = load_marketplace(marketplace or Settings.from_environment().marketplace)
    counts = {"assessments": 0, "statements": 0, "submissions": 0, "unreadable": 0}
    faults: list[str] = []
    with written_whole(out) as part, part.open("wb") as file:
        for body in batches(_statements(_records(source, database, since), facts, counts, faults)):
            file.write(orjson.dumps(body) + b"\n")
            counts["submissions"] += 1
    if as_json:
        print_json({"out": str(out), **counts, "faults": faults})
        return
    for fault in faults:
        typer.echo(fault, err=True)
    typer.echo(
        f"{out}: {counts['statements']:,} statements of {counts['assessments']:,} assessments"
        f" in {counts['submissions']:,} submissions"
        + (f"; {counts['unreadable']:,} could not be read" if counts["unreadable"] else "")
    )


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A statement, a submission, or JSON lines of either.")],
    as_json: AsJson = False,
) -> None:
    """Check statements field by field; each problem with place, value and mend. Ends with 1 if there is any."""
    errors = [f"{where}{error}" for where, error in _errors(file)]
    if as_json:
        print_json({"valid": not errors, "errors": errors})
    elif errors:
        for error in errors[:_SHOWN]:
            typer.echo(error)
        typer.echo(f"{len(errors):,} problem{'s' if len(errors) > 1 else ''}", err=True)
    else:
        typer.echo("in order")
    if errors:
        raise typer.Exit(1)


def _records(source: str, database: str | None, since: str | None) -> Iterator[Record]:
    from models.simulation.records import Unreadable

    for record in history_records(source, database, since):
        if isinstance(record, Unreadable):
            raise InputError(record.message, place=record.place, hint="mend or remove it")
        yield record


def _statements(
    records: Iterable[Record], facts: Marketplace, counts: dict[str, int], faults: list[str]
) -> Iterator[dict[str, Any]]:
    from pydantic import ValidationError

    from models.domain.assessment import Assessment
    from models.domain.listing import Listing
    from models.reasons.checking import check_statement
    from models.reasons.statement import Handling, restriction_of, statement_of

    today = dt.datetime.now(dt.UTC).date()
    for record in records:
        counts["assessments"] += 1
        try:
            listing, assessment = Listing.model_validate(record.listing), Assessment.model_validate(record.assessment)
            handling = Handling(dt.date.fromisoformat(record.day) if record.day else today)
            made = statement_of(listing, assessment, restriction_of(assessment.decision), facts, handling)
            if made is not None:
                counts["statements"] += 1
                yield check_statement(made).required()
        except (ValidationError, ValueError, InputError) as error:
            counts["unreadable"] += 1
            if len(faults) < _SHOWN:
                faults.append(f"listing {record.listing.get('id')!r}: {' '.join(str(error).split())[:300]}")


def _errors(file: Path) -> Iterator[tuple[str, InputError]]:
    import orjson

    from models.reasons.checking import check_batch, check_statement

    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise InputError("no such file", place=str(file), hint="give a file of statements") from error
    lines = enumerate(content.splitlines(), 1) if file.suffix == ".jsonl" else [(0, content)]
    for number, line in lines:
        where = f"{file}:{number}: " if number else f"{file}: "
        if number and not line.strip():
            continue
        try:
            raw = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"is no JSON: {error.msg}", place=where.rstrip(": "), hint="mend the file") from error
        found = check_batch(raw) if isinstance(raw, dict) and "statements" in raw else check_statement(raw).errors
        yield from ((where, error) for error in found)

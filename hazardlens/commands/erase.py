"""``hazardlens erase``: what tells who somebody is, where that person asks for it."""

from __future__ import annotations

from typing import Annotated

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.server_database import server_database
from models.domain.errors import InputError


def erase(
    seller: Annotated[str, typer.Option("--seller", metavar="ID", help="Every listing of a seller.")] = "",
    listing: Annotated[str, typer.Option("--listing", metavar="ID", help="One listing, all its versions.")] = "",
    account: Annotated[
        str, typer.Option("--account", metavar="NAME", help="A person's account, or a key that has ended, by name.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what a seller wrote, or who a person is; decisions and the logs stay, which can still be verified."""
    from serving.access.principal import COMMAND_LINE
    from serving.erasure.erasing import Erasure
    from serving.erasure.listings import Which
    from serving.erasure.persons import PersonErasure
    from serving.settings import Settings

    if sum(map(bool, (seller, listing, account))) != 1:
        hint = "give one of --seller ID, --listing ID, --account NAME"
        raise InputError("it must be clear whom to erase", place="erase", hint=hint)
    with server_database() as engine:
        if account:
            persons = PersonErasure(engine)
            counts = persons.count(account) if dry_run else persons.erase(account, COMMAND_LINE)
        else:
            listings, which = Erasure.of(engine, Settings.from_environment()), Which(seller, listing)
            counts = listings.count(which) if dry_run else listings.erase(which, COMMAND_LINE)
    if as_json:
        print_json({"dry_run": dry_run, **counts})
        return
    for what, number in counts.items():
        typer.echo(f"{number:>9,}  {what}")
    typer.echo("nothing was changed: this was a dry run" if dry_run else "erased", err=True)

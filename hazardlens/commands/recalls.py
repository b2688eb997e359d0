"""``hazardlens recalls``: alerts taken in from their registers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.review_database import DatabaseUrl
from hazardlens.server_database import server_database

if TYPE_CHECKING:
    from serving.recalls.polling import Polled

app = typer.Typer(no_args_is_help=True, help="Take alerts in from their registers.")


@app.callback()
def _recalls() -> None:
    """Take alerts in from their registers."""


@app.command()
def poll(
    once: Annotated[bool, typer.Option("--once", help="Ask each source once, whether it is due or not.")] = False,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="ID", help="Only this source; can be given several times.")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option("--sources", metavar="F", help="File of sources; else HAZARDLENS_RECALL_SOURCES.")
    ] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Ask sources for alerts, as a server with HAZARDLENS_RECALL_POLL does in the background.

    Without --once only those whose time has come. A source that a server asks at this moment is left to it. Ends with 1
    if anything failed.
    """
    from models.domain.errors import InputError
    from models.domain.taxonomy import load_taxonomy
    from models.reasons.marketplace import load_marketplace
    from serving.recalls.desk import RecallDesk
    from serving.recalls.fetching import Fetcher, client_of
    from serving.recalls.polling import Poller
    from serving.recalls.sources import load_sources
    from serving.recalls.ways import WAYS
    from serving.setting_rules import recall_rules
    from serving.settings import Settings

    settings = Settings.from_environment()
    known = load_sources(sources or settings.recall_sources)
    chosen = [each for each in known if each.enabled and (not source or each.id in source)]
    for name in source or ():
        if name not in {each.id for each in chosen}:
            hint = f"enabled: {', '.join(each.id for each in known if each.enabled)}"
            raise InputError(f"no source {name!r} is enabled", place="--source", hint=hint)
    found = []
    with server_database(database) as engine:
        desk = RecallDesk(engine, recall_rules(settings), load_marketplace(settings.marketplace))
        fetcher = Fetcher(client_of(settings.outgoing_networks))
        poller = Poller(engine, known, desk.receiving, fetcher, load_taxonomy(), WAYS)
        for each in chosen:
            done = poller.poll_next(due_only=not once, among=[each.id])
            if done is not None:
                found.append(done)
    if as_json:
        print_json({"sources": [_told(each) for each in found]})
    else:
        for polled in found:
            typer.echo(
                f"{polled.source}: {polled.documents} documents, {polled.new} alerts new, {polled.updated} updated,"
                f" {polled.withdrawn} withdrawn"
            )
            for failure in polled.failures:
                typer.echo(f"  {failure}", err=True)
    if any(each.failures for each in found):
        raise typer.Exit(1)


def _told(polled: Polled) -> dict[str, Any]:
    return {name: value for name, value in vars(polled).items() if name != "wait"}

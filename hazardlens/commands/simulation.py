"""``hazardlens plan simulate``: what would a plan have done?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.console import AsJson, ShowProgress, bar, print_json
from hazardlens.extras import training_extra
from hazardlens.model_source import load_model
from hazardlens.simulation_text import simulation_text
from models.domain.errors import InputError

if TYPE_CHECKING:
    from models.domain.guarantee import Guarantee
    from models.simulation.records import Record, Shard, Unreadable
    from serving.store.history import StoreShard

HISTORY = "history"
_PARTS_A_CORE = 8
"""Shards a core: the bar moves, and a slow shard holds nobody up for long."""


def simulate(
    plan: Annotated[Path, typer.Argument(metavar="FILE", help="The plan to try.")],
    source: Annotated[
        str, typer.Option("--on", metavar="history|F", help="The store, or a file of assessments or of listings.")
    ] = HISTORY,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="F", help="Plan to compare with, instead of what was decided at the time."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="DIR|URI", help="Candidate model: assess every listing anew.")
    ] = None,
    bound_to: Annotated[
        Path | None,
        typer.Option("--bound-to", metavar="DIR", help="Model whose guarantees give thresholds, else the server's."),
    ] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL", help="The store of `history`.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="History from this day on.")] = None,
    every: Annotated[bool, typer.Option("--every", help="Also the older assessments of a listing.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Most listings, with --model.")] = None,
    per_day: Annotated[
        float | None, typer.Option("--per-day", min=0.001, help="Listings a day, for the forecast of work.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", metavar="F", help="Write a page with plots.")] = None,
    changes: Annotated[
        Path | None, typer.Option("--changes", metavar="F", help="Write every listing that changes, .jsonl.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; by default one a core.")] = None,
    progress: ShowProgress = None,
    as_json: AsJson = False,
) -> None:
    """Replay kept assessments under a plan: actions before and after, rule hits, thresholds, work, expected harm."""
    from models.classifier.cores import usable_cores
    from models.plan.reading import default_plan_file
    from models.simulation.candidate import ListingShard, ReassessedShard
    from models.simulation.records import file_shards, holds_assessments
    from models.simulation.replay import PlanText, Setup, replay
    from models.simulation.summary import Compared, summary

    if report is not None and report.suffix != ".html":
        raise InputError("the report is a page", place=str(report), hint="give --report a name that ends in .html")
    candidate = load_model(model) if model is not None else None
    guarantees = candidate.guarantees if candidate else tuple(guarantees_of(bound_to))
    today = dt.datetime.now(dt.UTC).date()
    after = PlanText(_text(plan), str(plan), today, guarantees)
    before = PlanText(_text(against), str(against), today, guarantees) if against else None
    cores = workers or usable_cores()
    listings_only = candidate is not None and source != HISTORY and not holds_assessments(Path(source))
    if listings_only and before is None:
        default = default_plan_file()
        before = PlanText(_text(default), str(default), today, guarantees)
    if candidate is not None and listings_only:
        shards: Sequence[Shard] = [ListingShard(Path(source), candidate, after.plan(), limit)]
    else:
        parts = 1 if candidate else cores * _PARTS_A_CORE
        shards = history(database, since, every, parts) if source == HISTORY else file_shards(Path(source), parts)
    if candidate is not None and not listings_only:
        shards = [ReassessedShard(shard, candidate, after.plan(), limit) for shard in shards]
    with bar("replaying", None, progress, "listing") as advance:
        tally = replay(shards, Setup(after, before), 1 if candidate else cores, changes, advance)
    version = candidate.version if candidate else ""
    figures = summary(tally, Compared(after.plan(), before.plan() if before else None, version, per_day))
    if report is not None:
        with training_extra("a report with plots"):
            from training.simulation_report import write_simulation_report
        write_simulation_report(figures, report)
    if as_json:
        print_json(figures)
        return
    typer.echo(simulation_text(figures))
    for path in (report, changes):
        if path is not None:
            typer.echo(f"written: {path}")


def _text(path: Path) -> str:
    from models.plan.reading import plan_file_text

    return plan_file_text(path)


def guarantees_of(directory: Path | None) -> Sequence[Guarantee]:
    """Return the guarantees of a model that was named; of the server's model, where there is one."""
    from models.classifier.stored_parts import read_guarantees
    from serving.settings import Settings

    if directory is not None:
        return read_guarantees(directory)
    usual = Settings.from_environment().model
    return read_guarantees(usual) if (usual / "manifest.json").is_file() else ()


def history(database: str | None, since: str | None, every: bool, parts: int) -> Sequence[StoreShard]:
    """Return the store's kept assessments, in parts; the database is brought to this version's schema."""
    from serving.settings import Settings
    from serving.store.database import open_database
    from serving.store.history import store_shards
    from serving.store.migrating import migrate

    engine = open_database(database or Settings.from_environment().database_url)
    try:
        migrate(engine)
        return store_shards(engine, parts, day_of(since, "--since"), newest=not every)
    finally:
        engine.dispose()


def day_of(text: str | None, option: str) -> dt.date | None:
    """Return the day that an option names."""
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"value {text!r} is no date", place=option, hint="write it as 2026-03-31") from error


def history_records(source: str, database: str | None, since: str | None) -> Iterator[Record | Unreadable]:
    """Yield the kept assessments of the store or of a file, in one process."""
    from models.simulation.records import file_shards

    shards = history(database, since, every=False, parts=1) if source == HISTORY else file_shards(Path(source), 1)
    for shard in shards:
        yield from shard.records()

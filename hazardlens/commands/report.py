"""``hazardlens report``: what authorities and owners of a plan read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.extras import training_extra
from hazardlens.simulation_text import simulation_text
from models.domain.errors import InputError

app = typer.Typer(help="Reports: of what is on trial.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Reports that people read."""


@app.command()
def shadow(
    out: Annotated[Path | None, typer.Option("--out", metavar="F", help="Write a page with plots, .html.")] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="F", help="Plan on trial; by default the server's setting.")
    ] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL", help="The server's database.")] = None,
    model: Annotated[str | None, typer.Option("--model-version", help="Only trials of this model.")] = None,
    plan_id: Annotated[str | None, typer.Option("--plan-id", help="Only trials of this plan.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what a plan and a model on trial decided on live traffic with what was decided live."""
    from models.plan.reading import load_plan
    from models.simulation.replay import recount
    from models.simulation.summary import Compared, summary
    from serving.settings import Settings
    from serving.shadow.store import ShadowStore
    from serving.store.database import open_database
    from serving.store.migrating import migrate

    if out is not None and out.suffix != ".html":
        raise InputError("the report is a page", place=str(out), hint="give --out a name that ends in .html")
    settings = Settings.from_environment()
    tried = load_plan(plan or settings.shadow_plan or settings.plan)
    engine = open_database(database or settings.database_url)
    try:
        migrate(engine)
        tally = recount(ShadowStore(engine).records(plan_id, model), tried)
    finally:
        engine.dispose()
    if not tally.n:
        raise InputError(
            "nothing was tried yet", hint="set HAZARDLENS_SHADOW_PLAN or HAZARDLENS_SHADOW_MODEL and serve"
        )
    figures = summary(tally, Compared(tried, model=model or ""))
    if out is not None:
        with training_extra("a report with plots"):
            from training.simulation_report import write_simulation_report
        write_simulation_report(figures, out)
    if as_json:
        print_json(figures)
        return
    typer.echo(simulation_text(figures))
    if out is not None:
        typer.echo(f"written: {out}")

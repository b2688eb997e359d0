"""``hazardlens report``: what authorities and owners of a plan read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazardlens.commands.simulation import HISTORY, day_of, guarantees_of, history_records
from hazardlens.console import AsJson, print_json
from hazardlens.extras import training_extra
from hazardlens.simulation_text import simulation_text
from hazardlens.whole_files import written_whole
from models.domain.errors import InputError

app = typer.Typer(help="Reports: the plan as a document, what is on trial.", no_args_is_help=True)


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


@app.command()
def plan(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="plan.html and plan.pdf are written there.")],
    file: Annotated[
        Path | None,
        typer.Option("--plan", metavar="F", help="Plan; by default the live one, else the server's."),
    ] = None,
    previous: Annotated[
        Path | None, typer.Option("--previous", metavar="F", help="Version before; by default from the store.")
    ] = None,
    source: Annotated[
        str, typer.Option("--on", metavar="history|F", help="Where the period's figures come from.")
    ] = HISTORY,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="First day of the period.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Last day of the period.")] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL", help="The server's database.")] = None,
    bound_to: Annotated[
        Path | None, typer.Option("--bound-to", metavar="DIR", help="Model whose guarantees are printed.")
    ] = None,
    marketplace: Annotated[
        Path | None, typer.Option("--marketplace", metavar="F", help="Facts of the marketplace, else the server's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the plan: risk register, measures, owners, thresholds, residual risk, KPIs, changes; HTML and PDF."""
    import datetime as dt

    from hazardlens.plan_choice import chosen_plan
    from models.reasons.marketplace import load_marketplace
    from models.simulation.period import period_of
    from serving.settings import Settings

    settings = Settings.from_environment()
    chosen = chosen_plan(file, previous, database or settings.database_url, settings.plan)
    records = history_records(source, database, since)
    period = period_of(records, str(day_of(until, "--until") or ""))
    with training_extra("a printed plan"):
        from training.plan_report.page import page
        from training.plan_report.paper import Ingredients, paper_of
        from training.plan_report.pdf import pdf
    today = dt.datetime.now(dt.UTC).date()
    paper = paper_of(
        Ingredients(
            chosen.plan.bound_to(guarantees_of(bound_to)),
            period,
            load_marketplace(marketplace or settings.marketplace),
            today,
            chosen.previous,
            chosen.author,
            chosen.reason,
        )
    )
    written = {out / "plan.html": page(paper).encode(), out / "plan.pdf": pdf(paper, today)}
    for path, content in written.items():
        with written_whole(path) as part:
            part.write_bytes(content)
    if as_json:
        print_json({"plan": chosen.plan.id, "offers": period.n, "written": [str(path) for path in written]})
    else:
        for path in written:
            typer.echo(f"written: {path}")

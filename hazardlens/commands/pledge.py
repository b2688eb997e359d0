"""``hazardlens report pledge``: the key figures of the Product Safety Pledge, as page, PDF and table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazardlens.commands.simulation import day_of
from hazardlens.console import AsJson, print_json
from hazardlens.extras import training_extra
from hazardlens.whole_files import written_whole
from models.domain.errors import InputError


def pledge(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="pledge.html, .pdf and .csv are written there.")],
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day of the period.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day of the period.")] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL", help="The server's database.")] = None,
    marketplace: Annotated[
        Path | None, typer.Option("--marketplace", metavar="F", help="Facts of the marketplace, else the server's.")
    ] = None,
    commitments: Annotated[
        Path | None, typer.Option("--commitments", metavar="F", help="Register of commitments, else the server's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the pledge's figures: KPI 1 and 2, times, reappearance, by authority, category and country, commitments.

    Without --from and --to the half-year that is running is printed.
    """
    import datetime as dt

    from models.notices.commitments import load_commitments
    from models.reasons.marketplace import load_marketplace
    from serving.api.figures import period_of
    from serving.figures.records import figures_of
    from serving.figures.telling import as_csv
    from serving.figures.telling import as_json as figures_as_json
    from serving.settings import Settings
    from serving.store.database import open_database
    from serving.store.migrating import migrate

    settings = Settings.from_environment()
    facts = load_marketplace(marketplace or settings.marketplace)
    now = dt.datetime.now(dt.UTC)
    begin, end = period_of(day_of(first, "--from"), day_of(last, "--to"), facts.calendar, now)
    if end < begin:
        raise InputError(f"value {end} is before --from ({begin})", place="--to", hint="give a later day")
    areas = load_commitments(commitments or settings.commitments)
    with training_extra("a printed report"):
        from hazardlens.pledge_paper import pledge_paper
        from training.plan_report.page import page
        from training.plan_report.pdf import pdf
    engine = open_database(database or settings.database_url)
    try:
        migrate(engine)
        figures = figures_of(engine, begin, end, facts.calendar, now)
    finally:
        engine.dispose()
    paper = pledge_paper(figures, areas, facts)
    written = {
        out / "pledge.html": page(paper).encode(),
        out / "pledge.pdf": pdf(paper, now.date()),
        out / "pledge.csv": as_csv(figures).encode(),
    }
    for path, content in written.items():
        with written_whole(path) as part:
            part.write_bytes(content)
    if as_json:
        print_json({**figures_as_json(figures), "written": [str(path) for path in written]})
    else:
        for path in written:
            typer.echo(f"written: {path}")

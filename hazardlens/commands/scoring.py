"""``hazardlens score``: a table of listings in, a table of results out."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, ShowProgress, bar, print_json, wants_bar
from hazardlens.model_source import ModelArgument, load_model, model_directory
from models.domain.errors import InputError

if TYPE_CHECKING:
    from hazardlens.picture_words import PictureWords
    from models.classifier.classifier import HazardClassifier
    from models.domain.assessment import Tiers


def score(
    model: ModelArgument,
    source: Annotated[Path, typer.Option("--in", metavar="F", help="Listings: CSV, TSV, JSON lines, Parquet.")],
    out: Annotated[Path, typer.Option("--out", metavar="F", help="Results: .jsonl, .jsonl.gz, .csv or .parquet.")],
    plan: Annotated[Path | None, typer.Option("--plan", metavar="F", help="Plan that decides the action.")] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            metavar="N",
            help="Processes, each with a model of its own; by default one, from 2,000 rows on one a core.",
        ),
    ] = None,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures",
            help="Read the pictures of the column images first: base64, or URLs of HAZARDLENS_PICTURE_HOSTS.",
        ),
    ] = False,
    tiers: Annotated[
        str,
        typer.Option(
            "--tiers", metavar="full|two", help="two: the model's screen answers where it may (hazardlens screen)."
        ),
    ] = "full",
    progress: ShowProgress = None,
    as_json: AsJson = False,
) -> None:
    """Score listings: one result a row, in order, also for rows that cannot be read.

    A result holds id, hazards {type: p}, risk_score, risk_level, level_probabilities, action, tier, abstains,
    notes, error.
    The file appears under its name when it is whole; until then its name ends in .part.
    """
    from hazardlens.result_files import check_ending, result_file
    from hazardlens.result_rows import score_rows, unread
    from hazardlens.scoring_pool import ScoringPool, processes_for
    from models.classifier.cores import one_thread_of_algebra
    from models.plan.reading import load_plan
    from models.sources.listings import iter_listings
    from models.sources.report import ReadReport

    check_ending(out)
    if out.exists() and source.exists() and out.samefile(source):
        raise InputError("the results would replace the listings", place=str(out), hint="give --out another name")
    report, chosen = ReadReport(str(source)), load_plan(plan)
    directory = model_directory(model)
    one_thread_of_algebra()  # as each process of a pool does: equal results to the last digit
    classifier = load_model(str(directory))
    chosen, asked = chosen.bound_to(classifier.guarantees), _tiers(tiers, classifier, str(directory))
    used, rows = processes_for(iter_listings(source, report), processes)
    words = _picture_words() if pictures else None
    rows = unread(rows) if words is None else words.read(rows)
    if used == 1:
        scored = score_rows(classifier, chosen, rows, tiers=asked)
    else:
        scored = ScoringPool(directory, plan, classifier.version, chosen.id, used, asked).score(rows)
    levels: Counter[str] = Counter()
    screened = 0
    total = count_rows(source) if wants_bar(progress) else None
    with (
        words or nullcontext(),
        result_file(out, classifier.taxonomy.names) as write,
        bar("scoring", total, progress, "listing") as advance,
    ):
        for results in scored:
            write(results)
            levels.update(str(result["risk_level"] or "error") for result in results)
            screened += sum(result["tier"] == "screen" for result in results)
            advance(len(results))
    summary = {
        "out": str(out),
        "rows": levels.total(),
        "errors": levels.pop("error", 0),
        "levels": dict(levels),
        "processes": used,
        "tiers": asked,
        "screened": screened,
        "versions": {"model": classifier.version, "plan": chosen.id, "taxonomy": classifier.taxonomy.id},
        "input": report.as_dict(),
    }
    if as_json:
        print_json(summary)
    else:
        typer.echo(_sentence(summary))


def _picture_words() -> PictureWords:
    """Return what reads pictures; its libraries are loaded only where it is asked for."""
    from hazardlens.picture_words import PictureWords
    from serving.settings import Settings

    return PictureWords(Settings.from_environment())


def count_rows(source: Path) -> int:
    """Count the rows of a table of listings, for the total of a progress bar."""
    from models.sources.listing_fields import FIELDS
    from models.sources.tables import open_table

    with open_table(source, FIELDS) as table:
        return sum(1 for _ in table.rows)


def _sentence(summary: dict[str, Any]) -> str:
    from models.domain.risk import RiskLevel

    levels = ", ".join(f"{level.value} {summary['levels'].get(level.value, 0):,}" for level in RiskLevel)
    errors = f"; {summary['errors']:,} with an error" if summary["errors"] else ""
    screened = f"; {summary['screened']:,} by the screen alone" if summary["tiers"] == "two" else ""
    return f"{summary['out']}: {summary['rows']:,} results ({levels}{errors}{screened})"


def _tiers(asked: str, model: HazardClassifier, place: str) -> Tiers:
    """Return what is asked for, where this model can do it."""
    if asked == "full":
        return "full"
    if asked != "two":
        raise InputError(f"value {asked!r} is not known", place="--tiers", hint="give full or two")
    if model.screen is None or model.screen.guarantee.threshold is None:
        why = f" that may answer: {model.screen.why_not}" if model.screen is not None else ""
        hint = "make one from listings of your market: hazardlens screen --model DIR --ordinary F --out DIR"
        raise InputError(f"the model has no screen{why}", place=place, hint=hint)
    return "two"

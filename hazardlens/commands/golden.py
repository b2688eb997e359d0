"""``hazardlens golden``: listings whose right answer is known, by which reviewers are measured."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.model_source import load_model
from hazardlens.review_database import DatabaseUrl, review_database
from models.domain.errors import InputError

if TYPE_CHECKING:
    from serving.review.golden import GoldenAnswers

app = typer.Typer(no_args_is_help=True, help="Known answers, mixed into the queues of reviewers.")
_BY = "command line"


@app.command()
def add(
    table: Annotated[
        Path | None, typer.Argument(metavar="F", help="Example table with labels and risk_level in every row.")
    ] = None,
    item: Annotated[
        list[int] | None, typer.Option("--item", metavar="N", help="Item of the console that was decided for good.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="DIR|URI", help="Model that assesses the listings of the table.")
    ] = None,
    plan: Annotated[Path | None, typer.Option("--plan", metavar="F", help="Plan that decides on them.")] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Add known answers: rows of a table, or items by their number.

    Reviewers get copies, at the share of HAZARDLENS_REVIEW_GOLDEN_SHARE; what they decide on these has no effect.
    """
    from serving.review.golden import GoldenAnswers
    from serving.review.items import ReviewConflictError
    from serving.settings import Settings

    if (table is None) == (not item):
        raise InputError("neither or both are given", place="F, --item", hint="give a table, or items by --item N")
    added, left, now = 0, dict[str, str](), dt.datetime.now(dt.UTC)
    with review_database(database) as engine:
        answers = GoldenAnswers(engine, Settings.from_environment().review_golden_uses)
        for number in item or []:
            try:
                answers.add_item(number, _BY, now)
                added += 1
            except ReviewConflictError as conflict:
                left[f"item {number}"] = str(conflict)
        if table is not None:
            added, left = _add_table(answers, table, model, plan, now)
    if as_json:
        print_json({"added": added, "left": left})
    else:
        for name, reason in left.items():
            typer.echo(f"{name}: {reason}", err=True)
        typer.echo(f"{added:,} known answers added")
    if left and not added:
        raise typer.Exit(1)


@app.command("list")
def show(database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every known answer with its uses, newest first."""
    from serving.review.golden import GoldenAnswers

    with review_database(database) as engine:
        found = GoldenAnswers(engine).all()
    if as_json:
        print_json(
            [{**vars(each), "added_at": _iso(each.added_at), "retired_at": _iso(each.retired_at)} for each in found]
        )
        return
    for each in found:
        hazards = ", ".join(each.hazards) or "no hazard"
        state = "retired" if each.retired_at else "in use"
        typer.echo(f"{each.id}  {each.level}  {hazards}  {each.uses}/{each.most_uses} uses, {state}  {each.title}")


@app.command()
def retire(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `golden list` shows it.")],
    database: DatabaseUrl = None,
) -> None:
    """Hand a known answer out no more; what it measured stays."""
    from serving.review.golden import GoldenAnswers
    from serving.review.items import NoItemError

    with review_database(database) as engine:
        try:
            GoldenAnswers(engine).retire(number, _BY, dt.datetime.now(dt.UTC))
        except NoItemError as error:
            raise InputError(str(error), place="ID", hint="see hazardlens golden list") from error
    typer.echo(f"{number} is handed out no more")


def _add_table(
    answers: GoldenAnswers, table: Path, model: str | None, plan: Path | None, now: dt.datetime
) -> tuple[int, dict[str, str]]:
    """Assess the listings of a table, keep them, and keep their answers; return how many, and why others were left."""
    from models.plan.reading import load_plan
    from models.sources.examples import read_examples
    from serving.review.items import ReviewConflictError, ReviewRefusedError
    from serving.settings import Settings
    from serving.store.assessments import Answered, AssessmentStore

    classifier = load_model(model or str(Settings.from_environment().model))
    chosen = load_plan(plan or Settings.from_environment().plan).bound_to(classifier.guarantees)
    store = AssessmentStore(answers.engine)  # nothing follows from keeping these: no item is opened
    added, left = 0, dict[str, str]()
    for example in read_examples(table, classifier.taxonomy)[0]:
        if example.risk_level is None or example.labels is None:
            left[example.id] = "it has no risk_level: give none, low, medium, high or serious"
            continue
        listing = example.to_listing()
        answer = Answered(listing, classifier.assess(listing, chosen))
        try:
            store.save([answer])
            answers.add_answer(answer, example.risk_level, example.labels, _BY, now)
            added += 1
        except (ReviewConflictError, ReviewRefusedError) as refused:
            left[example.id] = str(refused)
    return added, left


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

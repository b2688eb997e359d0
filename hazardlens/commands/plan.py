"""``hazardlens plan``: check a plan, show it, compare two, print its schema and the names that conditions can use."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, print_json

if TYPE_CHECKING:
    from models.plan.names import Vocabulary
    from models.plan.plan import Plan

app = typer.Typer(help="The risk-management plan: check, show, compare.", no_args_is_help=True)
_FILE = typer.Argument(metavar="[FILE]", help="Plan; by default the one that ships with hazardlens.")
_KNOWLEDGE = typer.Option("--knowledge", metavar="DIR", help="Knowledge base, instead of the one that ships.")
PlanFile = Annotated[Path | None, _FILE]
KnowledgeDirectory = Annotated[Path | None, _KNOWLEDGE]


@app.command()
def check(file: PlanFile = None, knowledge: KnowledgeDirectory = None, as_json: AsJson = False) -> None:
    """Check a plan; each problem on its line, with file, line, column and mend. Ends with 1 if there is an error."""
    from models.plan.reading import read_plan

    reading = read_plan(file, _vocabulary(knowledge))
    errors = len(reading.errors)
    if as_json:
        identifier = reading.plan.id if reading.plan is not None else None
        rules = len(reading.plan.rules) if reading.plan is not None else 0
        problems = [asdict(problem) for problem in reading.problems]
        print_json({"valid": not errors, "id": identifier, "rules": rules, "file": reading.file, "problems": problems})
    else:
        for problem in reading.problems:
            typer.echo(problem.line_for(reading.file))
        if reading.plan is None:
            typer.echo(f"{errors} error{'s' if errors > 1 else ''}", err=True)
        else:
            typer.echo(f"in order: {reading.plan.id}, {len(reading.plan.rules)} rules")
    if errors:
        raise typer.Exit(1)


@app.command()
def show(file: PlanFile = None, as_json: AsJson = False) -> None:
    """Show a plan, section by section; rules by action, strictest first."""
    from hazardlens.plan_text import plan_text

    plan = _load(file)
    if as_json:
        print_json({"id": plan.id, "thresholds": plan.thresholds, **plan.document.model_dump(mode="json")})
    else:
        typer.echo(plan_text(plan))


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="Plan before.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Plan after.")],
    as_json: AsJson = False,
) -> None:
    """Tell what differs between two plans, by meaning: comments and the order of rules do not count."""
    from hazardlens.plan_text import difference_text
    from models.plan.difference import differences

    old, new = _load(before), _load(after)
    found = differences(old.document, new.document)
    if as_json:
        rows: list[dict[str, Any]] = [{**asdict(difference), "path": list(difference.path)} for difference in found]
        print_json({"before": old.id, "after": new.id, "differences": rows})
    else:
        typer.echo(difference_text(old, new, found))


@app.command()
def schema() -> None:
    """Print the JSON schema of a plan file, for editors and other programs."""
    from models.plan.document import plan_schema

    print_json(plan_schema())


@app.command()
def names(as_json: AsJson = False) -> None:
    """List the facts and functions that conditions can use."""
    from hazardlens.plan_text import names_text
    from models.plan.names import FACTS, FUNCTIONS

    if as_json:
        facts = {
            name: {"type": fact.kind.value, "meaning": fact.meaning, "absent": fact.absent}
            for name, fact in FACTS.items()
        }
        functions = {name: {"type": each.kind.value, "meaning": each.meaning} for name, each in FUNCTIONS.items()}
        print_json({"facts": facts, "functions": functions})
    else:
        typer.echo(names_text())


def _load(file: Path | None) -> Plan:
    from models.plan.reading import load_plan

    return load_plan(file)


def _vocabulary(directory: Path | None) -> Vocabulary:
    from models.domain.taxonomy import load_taxonomy
    from models.knowledge.base import load_knowledge
    from models.plan.vocabulary import vocabulary_of

    taxonomy = load_taxonomy()
    return vocabulary_of(taxonomy, load_knowledge(directory, taxonomy))

"""``hazardlens knowledge``: check the knowledge base, show a kind, tell what is covered."""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.console import AsJson, print_json
from models.domain.errors import InputError

if TYPE_CHECKING:
    from models.knowledge.base import Knowledge
    from models.knowledge.kinds import ProductKind

app = typer.Typer(help="The knowledge base: product kinds, cues, languages.", no_args_is_help=True)
_DIRECTORY = typer.Argument(metavar="[DIR]", help="Knowledge base; by default the one that ships with hazardlens.")
_KNOWLEDGE = typer.Option("--knowledge", metavar="DIR", help="Knowledge base, instead of the one that ships.")
Directory = Annotated[Path | None, _KNOWLEDGE]


@app.command()
def check(directory: Annotated[Path | None, _DIRECTORY] = None, as_json: AsJson = False) -> None:
    """Check every file; each problem on its line, with file, line, key and mend. Ends with 1 if there is any."""
    from models.domain.taxonomy import load_taxonomy
    from models.knowledge.base import read_knowledge

    knowledge, problems = read_knowledge(directory, load_taxonomy())
    kinds, cues = (len(knowledge.kinds), len(knowledge.cues)) if knowledge is not None else (0, 0)
    if as_json:
        print_json({"valid": not problems, "kinds": kinds, "cues": cues, "problems": [asdict(p) for p in problems]})
    elif problems:
        for problem in problems:
            typer.echo(str(problem))
        typer.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
    else:
        typer.echo(f"in order: {kinds} kinds, {cues} cues")
    if problems:
        raise typer.Exit(1)


@app.command()
def show(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Id of a kind, or one of its names.")],
    languages: Annotated[bool, typer.Option("--languages", help="Names and phrases in every language.")] = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show one product kind: names, hazards, cues, what looks like it."""
    from hazardlens.knowledge_text import kind_text

    knowledge = _load(directory)
    found = find_kind(knowledge, kind)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
    else:
        typer.echo(kind_text(found, knowledge, languages=languages))


@app.command()
def coverage(directory: Directory = None, as_json: AsJson = False) -> None:
    """Tell what the knowledge base covers: kinds, categories, languages, hazards, cues; and the gaps."""
    from hazardlens.knowledge_coverage import coverage_of
    from hazardlens.knowledge_text import coverage_text
    from models.domain.taxonomy import load_taxonomy

    found = coverage_of(_load(directory), load_taxonomy())
    if as_json:
        print_json(found.as_dict())
    else:
        typer.echo(coverage_text(found))


def find_kind(knowledge: Knowledge, wanted: str) -> ProductKind:
    """Return the kind with that id or, failing that, with that name in any language.

    Raises
    ------
    InputError
        If there is none, or several have the name; the hint names ids.
    """
    if wanted in knowledge.kind_by_id:
        return knowledge.kind_by_id[wanted]
    folded = wanted.casefold()
    named = [
        kind
        for kind in knowledge.kinds
        if any(folded == name.casefold() for names in kind.names.values() for name in names)
    ]
    if len(named) == 1:
        return named[0]
    if named:
        raise InputError(f"{len(named)} kinds have the name {wanted!r}", hint=", ".join(kind.id for kind in named))
    close = get_close_matches(folded.replace(" ", "-"), knowledge.kind_by_id, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "kinds stand in datasets/knowledge/kinds"
    raise InputError(f"no product kind {wanted!r}", hint=hint)


def _load(directory: Path | None) -> Knowledge:
    from models.domain.taxonomy import load_taxonomy
    from models.knowledge.base import load_knowledge

    return load_knowledge(directory, load_taxonomy())

"""``hazardlens screen``: a model that screens long lists before it reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, ShowProgress, print_json, stage_bars
from hazardlens.extras import training_extra
from hazardlens.model_source import ModelArgument, load_model

if TYPE_CHECKING:
    from models.classifier.artifact import Manifest
    from models.screening.screen import Screen


def screen(
    model: ModelArgument,
    ordinary: Annotated[
        list[Path], typer.Option("--ordinary", metavar="F ...", help="Tables of listings like those to be screened.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Directory of the model with its screen.")],
    examples: Annotated[
        list[Path] | None, typer.Option("--examples", metavar="F ...", help="Tables of alerts, for more that is risky.")
    ] = None,
    written: Annotated[
        int | None, typer.Option("--written", min=0, help="Listings written from the knowledge base beside them.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same listings and seed give the same screen.")] = 0,
    progress: ShowProgress = None,
    as_json: AsJson = False,
) -> None:
    """Give a model a screen: a static encoder distilled from it, for `score --tiers two`.

    The listings need no labels: the model itself says which are high or serious. A third of them teaches, the others
    choose the threshold so that at most 1 % of those listings are lost, with 95 % confidence. Where they are too few
    there is a screen that never answers, and the model says why. What it promises, lost and goes by stands in a card
    beside the model, in DIR-report.
    """
    with training_extra("a screen"):
        from models.classifier.artifact import require_free
        from models.sources.listings import read_listings
        from training.paperwork import papers_beside
        from training.screen_card import write_screen_card
        from training.screening import Table, make_screen

        require_free(out)
        tables = [
            Table(path.name, [row.listing for row in read_listings(path)[0] if row.listing is not None])
            for path in [*ordinary, *(examples or [])]
        ]
        classifier = load_model(model)
        given = {} if written is None else {"written": written}
        with stage_bars(progress) as show:
            made = make_screen(classifier, tables, seed=seed, progress=show, **given)
        facts = classifier.manifest.facts if classifier.manifest else {}
        manifest = replace(classifier, screen=made).save(out, facts)
        write_screen_card(made, manifest.version, papers_beside(out))
    about = _about(made, manifest, out)
    if as_json:
        print_json(about)
    else:
        typer.echo(_sentence(about))


def _about(made: Screen, manifest: Manifest, out: Path) -> dict[str, Any]:
    return {
        "directory": str(out),
        "version": manifest.version,
        "guarantee": made.guarantee.as_dict(),
        "sources": [vars(source) for source in made.sources],
        "why_not": made.why_not,
    }


def _sentence(about: dict[str, Any]) -> str:
    if about["why_not"]:
        return f"{about['directory']}: the screen never answers: {about['why_not']}"
    tables = "; ".join(
        f"{source['name']}: {source['screened'] / max(1, source['n']):.0%} of {source['n']:,} screened, "
        f"{source['lost']} of {source['positives']} high or serious lost"
        for source in about["sources"]
    )
    return f"{about['directory']}: model {about['version']}. {tables}"

"""``hazardlens promote`` and ``rollback``: which registered model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.extras import training_extra

if TYPE_CHECKING:
    from training.registry import RegisteredVersion

Alias = Annotated[str, typer.Option("--alias", help="Name that the version answers under.")]


def promote(
    version: Annotated[int, typer.Argument(min=1, help="Number of the registered version.")],
    alias: Alias = "champion",
    as_json: AsJson = False,
) -> None:
    """Let a registered version answer under an alias."""
    with training_extra("the model registry"):
        from training.registry import promote as give_alias

        _say(give_alias(version, alias), alias, as_json)


def rollback(alias: Alias = "champion", as_json: AsJson = False) -> None:
    """Give an alias back to the version that held it before."""
    with training_extra("the model registry"):
        from training.registry import rollback as give_back

        _say(give_back(alias), alias, as_json)


def _say(found: RegisteredVersion, alias: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "version": found.version,
                "alias": alias,
                "aliases": list(found.aliases),
                "artifact_version": found.artifact_version,
                "run_id": found.run_id,
                "created": found.created.isoformat(),
            }
        )
    else:
        typer.echo(f"{alias} is version {found.version} (artifact {found.artifact_version or 'unknown'})")

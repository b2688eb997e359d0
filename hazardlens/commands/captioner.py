"""``hazardlens captioner``: an image-to-text model made ready for the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazardlens.extras import training_extra


def captioner(
    name: Annotated[
        str, typer.Argument(metavar="DIR|NAME", help="Image-to-text model of transformers: directory or hub name.")
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to; by default the cache.")] = None,
) -> None:
    """Export an image-to-text model to ONNX, and print the directory for HAZARDLENS_CAPTION_MODEL."""
    with training_extra("exporting a captioner"):
        from training.captioner_export import export_captioner

    typer.echo(export_captioner(name, out))

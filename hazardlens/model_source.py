"""The ``--model`` argument: a directory with a model artifact, or the URI of a registered model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hazardlens.extras import training_extra

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier

ModelArgument = Annotated[
    str,
    typer.Option("--model", metavar="DIR|URI", help="Model directory, or URI such as models:/hazardlens@champion."),
]


def model_directory(model: str) -> Path:
    """Return the directory of the artifact; a registered model is fetched.

    Raises
    ------
    InputError
        If nothing is there, or MLflow is needed and the training extra is not installed.
    """
    with training_extra(f"model {model!r}"):
        from training.registry import resolve_model

        return resolve_model(model)


def load_model(model: str) -> HazardClassifier:
    """Load a model, its checksums verified.

    Raises
    ------
    ArtifactError
        If the artifact is missing, half-written or altered.
    """
    from models.classifier.classifier import HazardClassifier

    return HazardClassifier.load(model_directory(model))

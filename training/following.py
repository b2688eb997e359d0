"""Keeps a link on the artifact that an alias of the registry names, so that a server without MLflow can follow it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from models.classifier.artifact import read_manifest
from models.domain.errors import InputError
from training.registry import resolve_model


def follow_once(uri: str, link: Path, tracking_uri: str | None = None) -> str | None:
    """Point the link at the artifact that a URI names now.

    A link is moved in one step: whoever opens it finds the one artifact or the other. An artifact whose checksums do
    not hold is not linked; the link stays as it was.

    Returns
    -------
    str or None
        Version of the artifact, where the link was moved; None where it stood right.

    Raises
    ------
    InputError
        If the URI names nothing, or something else than a link lies in the place.
    ArtifactError
        If what it names is missing or altered.
    """
    target = resolve_model(uri, tracking_uri).resolve()
    if link.is_symlink() and link.resolve() == target:
        return None
    if link.exists() and not link.is_symlink():
        raise InputError("is there already, and no link", place=str(link), hint="give --link a path that is free")
    version = read_manifest(target).version
    link.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{link.name}-", dir=link.parent))
    try:
        (staging / link.name).symlink_to(target)
        (staging / link.name).replace(link)
    finally:
        for left in staging.iterdir():
            left.unlink()
        staging.rmdir()
    return version

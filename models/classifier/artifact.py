"""The model artifact: a directory with a manifest and checksums, no pickle, written all or nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.domain.errors import ArtifactError

FORMAT = "hazardlens-model"
FORMAT_VERSION = 2
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What an artifact says about itself.

    Parameters
    ----------
    version : str
        Twelve hex digits over the checksums of all files: equal content, equal version.
    files : dict
        Name -> SHA-256 (hex).
    facts : dict
        Label set, settings, metrics, data fingerprint; anything JSON.
    """

    version: str
    files: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)


def require_free(directory: Path) -> None:
    """Refuse a place that an artifact must not overwrite; a missing or empty directory and an artifact are fine.

    Raises
    ------
    ArtifactError
        If the directory holds something else than an artifact.
    """
    if directory.exists() and (
        not directory.is_dir() or (any(directory.iterdir()) and not (directory / MANIFEST).exists())
    ):
        raise ArtifactError(
            "holds something else than a model artifact", place=str(directory), hint="give --out another directory"
        )


def write_artifact(directory: Path, files: Mapping[str, bytes | Path], facts: Mapping[str, Any]) -> Manifest:
    """Write an artifact; the directory appears whole or not at all, and replaces an older artifact of that name.

    Parameters
    ----------
    files : mapping
        Name -> content, or the path of a file to copy.

    Raises
    ------
    ArtifactError
        If the directory holds something else than an artifact.
    """
    directory = directory.resolve()
    require_free(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        for name, content in files.items():
            if isinstance(content, Path):
                shutil.copyfile(content, staging / name)
            else:
                (staging / name).write_bytes(content)
        digests = {name: _sha256(staging / name) for name in sorted(files)}
        version = hashlib.sha256(orjson.dumps(digests)).hexdigest()[:12]
        manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, "version": version, "files": digests, **facts}
        (staging / MANIFEST).write_bytes(
            orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
        )
        for path in staging.iterdir():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        staging.chmod(0o755)
        if directory.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
            directory.rename(retired / directory.name)
            try:
                staging.rename(directory)
            except OSError:
                (retired / directory.name).rename(directory)
                raise
            finally:
                shutil.rmtree(retired)
        else:
            staging.rename(directory)
    finally:
        if staging.exists():
            shutil.rmtree(staging)
    return Manifest(version, digests, dict(facts))


def read_manifest(directory: Path) -> Manifest:
    """Read an artifact's manifest and verify every checksum.

    Raises
    ------
    ArtifactError
        If the artifact is missing, half-written, altered, or of a format that this version cannot read.
    """
    place = str(directory)
    if not directory.is_dir():
        raise ArtifactError("no such model directory", place=place, hint="train one: hazardlens train --out DIR")
    path = directory / MANIFEST
    if not path.is_file():
        raise ArtifactError(
            f"no {MANIFEST}: not a model artifact, or its writing was cut off", place=place, hint="train it again"
        )
    try:
        raw = orjson.loads(path.read_bytes())
        files = {str(name): str(digest) for name, digest in raw["files"].items()}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{MANIFEST} is not readable: {error}", place=place, hint="train the model again"
        ) from error
    if raw.get("format") != FORMAT or raw.get("format_version") != FORMAT_VERSION:
        raise ArtifactError(
            f"format {raw.get('format')!r} version {raw.get('format_version')!r}, "
            f"this hazardlens reads {FORMAT!r} version {FORMAT_VERSION}",
            place=place,
            hint="use the hazardlens that wrote it, or train again",
        )
    for name, digest in files.items():
        if name != Path(name).name:
            raise ArtifactError(
                f"file {name!r} lies outside the artifact", place=place, hint="the manifest was altered"
            )
        if not (directory / name).is_file():
            raise ArtifactError(
                f"file {name} is missing", place=place, hint="copy the artifact again, or train it again"
            )
        if _sha256(directory / name) != digest:
            raise ArtifactError(
                f"file {name} is not what the manifest says (checksum differs)",
                place=place,
                hint="the artifact was altered or cut off; do not use it",
            )
    version = hashlib.sha256(orjson.dumps(dict(sorted(files.items())))).hexdigest()[:12]
    if raw.get("version") != version:
        raise ArtifactError(
            f"version {raw.get('version')!r} does not follow from the files",
            place=place,
            hint="the manifest was altered",
        )
    known = {"format", "format_version", "version", "files"}
    return Manifest(version, files, {key: value for key, value in raw.items() if key not in known})


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of an uncompressed `.npz`; the same arrays give the same bytes."""
    buffer = BytesIO()
    np.savez(buffer, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read arrays; pickled objects are refused."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

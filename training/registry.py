"""The model registry: from a name to a directory, and which version answers under which alias."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import yaml

from models.classifier.artifact import MANIFEST
from models.domain.errors import ArtifactError, InputError
from models.domain.resources import cache_dir
from training.mlflow_store import MODEL_NAME, Store, opened

CHAMPION, CHALLENGER = "champion", "challenger"
_BY_ALIAS = re.compile(r"^models:/(?P<name>[^/@]+)@(?P<alias>[^/@]+)$")
_BY_VERSION = re.compile(r"^models:/(?P<name>[^/@]+)/(?P<version>\d+)$")
_LOGGED = re.compile(r"^models:/(?P<model>m-[0-9a-f]+)$")
_HISTORY = "history."
"""Prefix of the version tag that holds an alias's earlier holders, oldest first, comma-separated."""


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of the registered model.

    Parameters
    ----------
    artifact_version : str
        Version of the artifact, twelve hex digits.
    """

    version: int
    aliases: tuple[str, ...]
    run_id: str
    created: dt.datetime
    artifact_version: str
    tags: dict[str, str] = field(default_factory=dict)


def resolve_model(uri_or_dir: str | Path, tracking_uri: str | None = None) -> Path:
    """Return the local artifact directory of a model.

    Parameters
    ----------
    uri_or_dir : str or Path
        An artifact directory, the directory of an MLflow model, ``models:/hazardlens@champion``,
        ``models:/hazardlens/3``, ``models:/m-...`` or ``runs:/RUN/model``. Models of a remote store are downloaded
        once into the cache.

    Raises
    ------
    InputError
        If the URI names nothing; the message lists what there is.
    ArtifactError
        If the directory holds no artifact. Its checksums are verified when it is loaded.
    """
    text = str(uri_or_dir)
    if not text.startswith(("models:/", "runs:/")):
        return _artifact_in(Path(uri_or_dir), text)
    with opened(tracking_uri) as store:
        return _artifact_in(_fetched(store, _location(store, text), text), text)


def promote(version: int | str, alias: str = CHAMPION, tracking_uri: str | None = None) -> RegisteredVersion:
    """Let a version answer under an alias; the holder before is remembered for `rollback`.

    Raises
    ------
    InputError
        If the version does not exist.
    """
    with opened(tracking_uri) as store:
        set_alias(store, int(version), alias)
        return _version(store, int(version))


def rollback(alias: str = CHAMPION, tracking_uri: str | None = None) -> RegisteredVersion:
    """Give an alias back to its holder before; calling it again goes back further.

    Raises
    ------
    InputError
        If nobody holds the alias, or nobody held it before.
    """
    with opened(tracking_uri) as store:
        holder = alias_holder(store, alias)
        if holder is None:
            raise InputError(f"no version has the alias {alias!r}", hint=_what_there_is(store))
        history = _history(store, holder, alias)
        existing = {found.version for found in versions_in(store)}
        while history and history[-1] not in existing:
            history.pop()
        if not history:
            raise InputError(f"version {holder} is the first {alias}", hint="there is none to go back to")
        target = history.pop()
        _hold(store, target, alias, history)
        return _version(store, target)


def versions(tracking_uri: str | None = None) -> list[RegisteredVersion]:
    """Return all versions, newest first."""
    with opened(tracking_uri) as store:
        return versions_in(store)


def alias_holder(store: Store, alias: str) -> int | None:
    """Return the version that has an alias, None where nobody has."""
    return _aliases(store).get(alias)


def set_alias(store: Store, version: int, alias: str) -> None:
    """Give an alias to a version and remember its holders before; a new champion challenges nobody any more."""
    _version(store, version)
    holder = alias_holder(store, alias)
    if holder != version:
        _hold(store, version, alias, [*_history(store, holder, alias), holder] if holder is not None else [])
    if alias == CHAMPION and alias_holder(store, CHALLENGER) == version:
        store.client.delete_registered_model_alias(MODEL_NAME, CHALLENGER)


def _hold(store: Store, version: int, alias: str, history: list[int]) -> None:
    # The history is written first: a crash in between leaves the old holder in place.
    store.client.set_model_version_tag(MODEL_NAME, str(version), _HISTORY + alias, ",".join(map(str, history)))
    store.client.set_registered_model_alias(MODEL_NAME, alias, str(version))


def _history(store: Store, version: int, alias: str) -> list[int]:
    text = _version(store, version).tags.get(_HISTORY + alias, "")
    return [int(part) for part in text.split(",") if part]


def versions_in(store: Store) -> list[RegisteredVersion]:
    """Return all versions of an open store, newest first."""
    holders = _aliases(store)
    found = store.client.search_model_versions(f"name = '{MODEL_NAME}'")
    return sorted((_plain(version, holders) for version in found), key=lambda version: -version.version)


def _aliases(store: Store) -> dict[str, int]:
    """Aliases and their holders. A search for versions leaves the aliases out, and so do the versions it returns."""
    models = store.client.search_registered_models(f"name = '{MODEL_NAME}'")
    return {str(alias): int(version) for model in models for alias, version in model.aliases.items()}


def _version(store: Store, version: int) -> RegisteredVersion:
    for found in versions_in(store):
        if found.version == version:
            return found
    raise InputError(f"there is no version {version} of {MODEL_NAME}", place=store.uri, hint=_what_there_is(store))


def _plain(found: Any, holders: dict[str, int]) -> RegisteredVersion:
    number, tags = int(found.version), dict(found.tags)
    return RegisteredVersion(
        number,
        tuple(sorted(alias for alias, holder in holders.items() if holder == number)),
        str(found.run_id),
        dt.datetime.fromtimestamp(found.creation_timestamp / 1000, tz=dt.UTC),
        tags.get("artifact_version", ""),
        tags,
    )


def _what_there_is(store: Store) -> str:
    known = [f"{v.version}{''.join(f' ({alias})' for alias in v.aliases)}" for v in versions_in(store)]
    return f"versions: {', '.join(known)}" if known else "nothing is registered; train a model first"


def _location(store: Store, uri: str) -> str:
    """Return where the files of a model lie, by a URI that MLflow can read; a plain place wherever one is known."""
    if logged := _LOGGED.match(uri):
        return str(store.client.get_logged_model(logged["model"]).artifact_location)
    alias, version = _BY_ALIAS.match(uri), _BY_VERSION.match(uri)
    named = alias or version
    if named is None:
        return uri
    if named["name"] != MODEL_NAME:
        raise InputError(f"no registered model {named['name']!r}", place=uri, hint=f"the name is {MODEL_NAME!r}")
    number = alias_holder(store, alias["alias"]) if alias else int(named["version"])
    if number is None:
        raise InputError(f"no version has the alias {named['alias']!r}", place=uri, hint=_what_there_is(store))
    _version(store, number)
    source = str(store.client.get_model_version_download_uri(MODEL_NAME, str(number)))
    return _location(store, source) if _LOGGED.match(source) else source


def _fetched(store: Store, location: str, asked: str) -> Path:
    import mlflow
    from mlflow.exceptions import MlflowException

    parsed = urlparse(location)
    if parsed.scheme in ("", "file"):
        return Path(unquote(parsed.path))
    # What lies under such a URI never changes, so its hash is the cache's key.
    target = cache_dir() / "registry" / hashlib.sha256(f"{store.uri}\x1f{location}".encode()).hexdigest()[:24]
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        got = Path(mlflow.artifacts.download_artifacts(artifact_uri=location, dst_path=str(staging)))
        if not target.exists():
            got.rename(target)
    except MlflowException as error:
        raise InputError(f"cannot be read: {error.message}", place=asked, hint=_what_there_is(store)) from error
    finally:
        if staging.exists():
            shutil.rmtree(staging)
    return target


def _artifact_in(root: Path, asked: str) -> Path:
    """Return the artifact directory within a directory: itself, or the data of an MLflow model."""
    if (root / MANIFEST).is_file():
        return root
    described = root / "MLmodel"
    if described.is_file():
        flavors = yaml.safe_load(described.read_text(encoding="utf-8")).get("flavors", {})
        data = root / str(flavors.get("python_function", {}).get("data", ""))
        if (data / MANIFEST).is_file():
            return data
    if not root.is_dir():
        raise ArtifactError(
            "no such model directory",
            place=asked,
            hint=f"give a directory, models:/{MODEL_NAME}@{CHAMPION} or models:/{MODEL_NAME}/1",
        )
    raise ArtifactError(f"holds no {MANIFEST}: not a hazardlens model", place=asked, hint="train one with --out DIR")

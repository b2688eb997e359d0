"""Where runs and models are kept: MLflow opened quietly, without telemetry, and in the project's own place by default.

MLflow reads its settings when it is imported, so they are set here first and MLflow is imported inside the functions.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.domain.errors import InputError

MODEL_NAME = "hazardlens"
"""Name of the registered model."""
DEFAULT_URI = "sqlite:///var/mlflow/mlflow.db"
_ARTIFACTS = Path("var/mlflow/artifacts")
_SQLITE = "sqlite:///"

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
}
"""Settings of MLflow; one that is set already stays, but for telemetry, which is always off."""
_ALWAYS = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")

for _name, _value in QUIET.items():
    if _name in _ALWAYS:
        os.environ[_name] = _value
    else:
        os.environ.setdefault(_name, _value)


@dataclass(frozen=True)
class Store:
    """An open tracking store and registry.

    Parameters
    ----------
    client : mlflow.MlflowClient
    uri : str
        Tracking URI.
    """

    client: Any
    uri: str

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, made on first use; local stores keep its artifacts beside the database."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        database = _database(self.uri)
        if self.uri.startswith(("http://", "https://", "databricks")):
            location = None  # The server knows.
        else:
            location = (database.parent / "artifacts" if database else _ARTIFACTS).resolve().as_uri()
        return str(self.client.create_experiment(name, artifact_location=location))


def tracking_uri(uri: str | None = None) -> str:
    """Return the tracking URI: the given one, else MLFLOW_TRACKING_URI, else the local default under ``var/mlflow``."""
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def store_exists(uri: str | None = None) -> bool:
    """Tell whether there is a store to look into: a local database is on disk, a remote server is taken at its word."""
    database = _database(tracking_uri(uri))
    return database is None or database.exists()


@contextmanager
def opened(uri: str | None = None, *, create: bool = False) -> Iterator[Store]:
    """Open the store; MLflow's process-wide state is put back afterwards.

    Parameters
    ----------
    uri : str, optional
        See `tracking_uri`.
    create : bool
        Make a local database that is missing. Otherwise looking something up would leave an empty one behind.

    Raises
    ------
    InputError
        If a local database is missing and must not be made.
    """
    target = tracking_uri(uri)
    database = _database(target)
    if database is not None and not database.exists():
        if not create:
            raise InputError(
                "no model registry here yet", place=target, hint="train a model first, or set MLFLOW_TRACKING_URI"
            )
        database.parent.mkdir(parents=True, exist_ok=True)
    before, path = os.environ.get("MLFLOW_TRACKING_URI"), list(sys.path)
    with warnings.catch_warnings():
        # MLflow warns about its own and its libraries' inner affairs; its errors and log warnings still come through.
        warnings.simplefilter("ignore")
        import mlflow

        mlflow.set_tracking_uri(target)
        try:
            yield Store(mlflow.MlflowClient(target, os.environ.get("MLFLOW_REGISTRY_URI")), target)
        finally:
            # MLflow also writes the URI to the environment, and puts the code of models that it loads on the path.
            mlflow.set_tracking_uri(before)
            sys.path[:] = path


def _database(uri: str) -> Path | None:
    """Return the file of a SQLite URI, None for any other store."""
    return Path(uri.removeprefix(_SQLITE).split("?")[0]) if uri.startswith(_SQLITE) else None

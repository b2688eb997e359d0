"""A run in MLflow: parameters, data, metrics, report, and the model, registered under an alias."""

from __future__ import annotations

import logging
import math
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

import models
import training
from models.classifier.artifact import Manifest, read_manifest
from models.domain.resources import datasets_dir
from training.data_fingerprint import DataFingerprint
from training.evaluation import Evaluation
from training.mlflow_store import MODEL_NAME, Store, opened
from training.promotion import Choice, choose_alias
from training.registry import set_alias
from training.report import write_report
from training.requirements import pinned_requirements

LOG = logging.getLogger(__name__)

EXPERIMENT = "hazardlens"
_LONGEST_PARAMETER = 500


@dataclass(frozen=True)
class LoggedRun:
    """What became of a run.

    Parameters
    ----------
    version : int
        Number of the registered version.
    alias : str
        ``champion`` or ``challenger``.
    reason : str
        Why that alias, in words for the person who trained.
    model_uri : str
        For `training.registry.resolve_model` and ``mlflow.pyfunc.load_model``.
    """

    run_id: str
    experiment_id: str
    version: int
    alias: str
    reason: str
    model_uri: str
    tracking_uri: str


def log_run(
    artifact: Path,
    evaluation: Evaluation,
    *,
    parameters: Mapping[str, Any] | None = None,
    data: Sequence[DataFingerprint] = (),
    champion_metrics: Mapping[str, Any] | None = None,
    promote: bool = False,
    experiment: str = EXPERIMENT,
    run_name: str | None = None,
    tracking_uri: str | None = None,
    papers: Path | None = None,
) -> LoggedRun:
    """Log a trained and evaluated model and register it as ``hazardlens``.

    Parameters
    ----------
    artifact : Path
        Artifact directory; its checksums are verified first.
    evaluation : Evaluation
        Of this model, on examples that it has not seen.
    parameters : mapping, optional
        Settings of the training; nested ones get dotted names.
    data : sequence of DataFingerprint
        Every input file.
    champion_metrics : mapping, optional
        `Evaluation.metrics` of the present champion on the same examples. Without them its logged metrics count, if
        they come from the same examples.
    promote : bool
        Make the model champion if it is better than the present one; see `choose_alias`.
    tracking_uri : str, optional
        By default MLFLOW_TRACKING_URI, else a local database under ``var/mlflow``.
    papers : Path, optional
        Directory with the report and the cards, as `write_paperwork` left it; without it a report is written.

    Raises
    ------
    ArtifactError
        If the artifact is damaged.
    """
    manifest = read_manifest(artifact)
    evaluation = evaluation.named(manifest.version)
    with opened(tracking_uri, create=True) as store:
        import mlflow

        where = store.experiment(experiment)
        with mlflow.start_run(experiment_id=where, run_name=run_name) as run:
            run_id = str(run.info.run_id)
            store.client.set_tag(run_id, "artifact_version", manifest.version)
            mlflow.log_params(_parameters(parameters or {}))
            mlflow.log_metrics(flat_metrics(evaluation))
            _log_data(store, run_id, data)
            _log_files(store, run_id, evaluation, parameters or {}, data, papers)
            model_id = _log_model(artifact, manifest)
        choice = choose_alias(store, evaluation.metrics, champion_metrics, promote)
        number = _register(store, run_id, model_id, manifest, evaluation, choice)
    LOG.info("registered %s version %d as %s: %s", MODEL_NAME, number, choice.alias, choice.reason)
    return LoggedRun(run_id, where, number, choice.alias, choice.reason, f"models:/{MODEL_NAME}/{number}", store.uri)


def flat_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return the metrics under dotted names, the classes that count among them; what is undefined is left out.

    Headline metrics have no prefix (``hazards.macro_f1``), those of the apart category begin with ``apart.``.
    """
    headline, apart = evaluation.metrics["headline"], evaluation.metrics["apart"]
    flat = _numbers(headline, "") | (_numbers(apart, "apart.") if apart["n"] else {})
    for row in evaluation.classes:
        if row.counted:
            name = re.sub(r"\W+", "_", row.name)
            flat |= {f"class.{name}.f1": row.f1, f"class.{name}.average_precision": row.average_precision}
    return {name: value for name, value in flat.items() if not math.isnan(value)}


def _numbers(part: Mapping[str, Any], prefix: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in part.items():
        if isinstance(value, Mapping):
            found |= _numbers(value, f"{prefix}{name}.")
        elif name != "confusion" and isinstance(value, list) and None not in value:
            found |= {f"{prefix}{name}.low": float(value[0]), f"{prefix}{name}.high": float(value[1])}
        elif isinstance(value, int | float):
            found[f"{prefix}{name}"] = float(value)
    return found


def _parameters(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            flat |= _parameters(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = str(value)[:_LONGEST_PARAMETER]
    return flat


def _log_data(store: Store, run_id: str, data: Sequence[DataFingerprint]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        # MLflow keeps 36 characters of a digest; the whole one stands in data.json and in the profile.
        DatasetInput(
            Dataset(
                item.name,
                item.sha256[:36],
                "local",
                orjson.dumps({"uri": item.path}).decode(),
                profile=orjson.dumps(item.as_dict()).decode(),
            ),
            [InputTag("mlflow.data.context", item.role)],
        )
        for item in data
    ]
    if inputs:
        store.client.log_inputs(run_id, inputs)


def _log_files(
    store: Store,
    run_id: str,
    evaluation: Evaluation,
    parameters: Mapping[str, Any],
    data: Sequence[DataFingerprint],
    papers: Path | None,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        if papers is None:
            write_report(evaluation, root / "report")
        else:
            shutil.copytree(papers, root / "report")
        (root / "parameters.json").write_bytes(orjson.dumps(parameters, default=str, option=orjson.OPT_INDENT_2))
        (root / "data.json").write_bytes(orjson.dumps([item.as_dict() for item in data], option=orjson.OPT_INDENT_2))
        store.client.log_artifacts(run_id, scratch)


def _log_model(artifact: Path, manifest: Manifest) -> str:
    import mlflow

    from training.pyfunc_model import example_input

    with tempfile.TemporaryDirectory() as scratch:
        code = _travelling_code(Path(scratch))
        sources = [path for part in code for path in part.rglob("*.py")]
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="training.pyfunc_model",
            data_path=str(artifact),
            code_paths=[str(path) for path in code],
            pip_requirements=pinned_requirements(sources, own=("models", "training")),
            signature=_signature(),
            input_example=example_input(),
            metadata={"artifact_version": manifest.version, "taxonomy": str(manifest.facts.get("taxonomy", ""))},
        )
    return str(logged.model_id)


def _travelling_code(scratch: Path) -> list[Path]:
    """Copy what scoring needs and nothing else, so that the model runs where hazardlens is not installed."""
    package, data = Path(next(iter(models.__path__))), datasets_dir()
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(package, scratch / "models", ignore=skipped)
    source = Path(next(iter(training.__path__)))
    (scratch / "training").mkdir()
    for name in ("__init__.py", "pyfunc_model.py"):
        shutil.copyfile(source / name, scratch / "training" / name)
    (scratch / "datasets").mkdir()
    shutil.copyfile(data / "taxonomy.yaml", scratch / "datasets" / "taxonomy.yaml")
    shutil.copytree(data / "plans", scratch / "datasets" / "plans")
    return [scratch / "models", scratch / "training", scratch / "datasets"]


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    from training.pyfunc_model import INPUT_COLUMNS, OUTPUT_COLUMNS

    inputs = [ColSpec("string", name, required=name == "title") for name in INPUT_COLUMNS]
    outputs = [ColSpec("double" if name == "risk_score" else "string", name) for name in OUTPUT_COLUMNS]
    return ModelSignature(Schema(inputs), Schema(outputs))


def _register(
    store: Store, run_id: str, model_id: str, manifest: Manifest, evaluation: Evaluation, choice: Choice
) -> int:
    from mlflow.exceptions import MlflowException

    try:
        store.client.create_registered_model(MODEL_NAME, description="Product-safety risk classifier for listings.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {
        "artifact_version": manifest.version,
        "evaluation_sha256": str(evaluation.metrics["evaluation_sha256"]),
        **{name: str(value) for name, value in choice.figures.items()},
    }
    version = store.client.create_model_version(
        MODEL_NAME,
        f"models:/{model_id}",
        run_id=run_id,
        tags=tags,
        model_id=model_id,
        description=choice.reason,
    )
    set_alias(store, int(version.version), choice.alias)
    return int(version.version)

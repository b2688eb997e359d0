from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest

from models.classifier.artifact import read_manifest
from models.domain.alert import Example
from models.domain.errors import ArtifactError
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from models.sources.examples import read_examples
from training.data_fingerprint import fingerprint
from training.evaluation import Evaluation
from training.mlflow_store import opened
from training.promotion import choose_alias
from training.pyfunc_model import INPUT_COLUMNS, OUTPUT_COLUMNS, _load_pyfunc, example_input
from training.registry import resolve_model
from training.requirements import pinned_requirements
from training.tracking import flat_metrics, log_run

Build = Callable[[float], Evaluation]
REPOSITORY = Path(__file__).resolve().parents[2]


def run_files(uri: str, run_id: str) -> Path:
    with opened(uri) as store:
        location = str(store.client.get_run(run_id).info.artifact_uri)
    return Path(location.removeprefix("file://"))


class TestRun:
    def test_parameters_and_metrics_are_logged(self, logged_store: Any, evaluation_of: Build) -> None:
        with opened(logged_store.uri) as store:
            run = store.client.get_run(logged_store.runs[0].run_id)
        assert run.data.params == {"seed": "0", "heads.c": "0.5"}
        assert run.info.status == "FINISHED"
        expected = flat_metrics(evaluation_of(0.5))
        assert run.data.metrics == pytest.approx(expected)
        assert {
            "hazards.macro_f1",
            "hazards.intervals.map.low",
            "levels.kappa",
            "calibration.risk_score.ece",
            "apart.hazards.map",
            "class.fire.f1",
        } <= set(expected)

    def test_report_and_tables_are_logged(self, logged_store: Any, small_model_dir: Path) -> None:
        files = run_files(logged_store.uri, logged_store.runs[0].run_id)
        assert {"metrics.json", "report.html", "per_class.csv", "reliability.png", "precision_recall.png"} <= {
            path.name for path in (files / "report").iterdir()
        }
        metrics = orjson.loads((files / "report" / "metrics.json").read_bytes())
        assert metrics["model_version"] == read_manifest(small_model_dir).version, "not the one of the unsaved model"
        assert orjson.loads((files / "parameters.json").read_bytes()) == {"seed": 0, "heads": {"c": 0.5}}

    def test_cards_that_lie_beside_the_model_are_logged_with_it(
        self, tmp_path: Path, small_model_dir: Path, evaluation_of: Build, copied_store: str
    ) -> None:
        (tmp_path / "model_card.md").write_text("the card", encoding="utf-8")
        logged = log_run(small_model_dir, evaluation_of(0.5), papers=tmp_path, tracking_uri=copied_store)
        assert (run_files(copied_store, logged.run_id) / "report" / "model_card.md").read_text() == "the card"

    def test_data_are_named_with_rows_hash_and_span(
        self,
        tmp_path: Path,
        logged_store: Any,
        small_model_dir: Path,
        evaluation_of: Build,
        taxonomy: Taxonomy,
        copied_store: str,
    ) -> None:
        examples, report = read_examples(datasets_dir() / "samples" / "examples.csv", taxonomy)
        item = fingerprint(report, examples)
        logged = log_run(small_model_dir, evaluation_of(0.5), data=[item], tracking_uri=copied_store)
        (known,) = orjson.loads((run_files(copied_store, logged.run_id) / "data.json").read_bytes())
        assert (known["rows"], known["sha256"]) == (len(examples), report.sha256)
        assert known["first_day"] <= known["last_day"]
        with opened(copied_store) as store:
            (dataset,) = store.client.get_run(logged.run_id).inputs.dataset_inputs
        assert dataset.dataset.name == "examples.csv"
        assert report.sha256.startswith(dataset.dataset.digest)

    def test_a_damaged_artifact_is_refused_before_anything_is_logged(
        self, tmp_path: Path, evaluation_of: Build
    ) -> None:
        (tmp_path / "model").mkdir()
        uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
        with pytest.raises(ArtifactError, match=r"manifest\.json"):
            log_run(tmp_path / "model", evaluation_of(0.5), tracking_uri=uri)
        assert not (tmp_path / "mlflow.db").exists()

    def test_the_process_is_left_as_it_was(
        self, small_model_dir: Path, evaluation_of: Build, copied_store: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        path, named = list(sys.path), os.environ.get("MLFLOW_TRACKING_URI")
        log_run(small_model_dir, evaluation_of(0.5), tracking_uri=copied_store)
        assert (sys.path, os.environ.get("MLFLOW_TRACKING_URI")) == (path, named)
        assert capfd.readouterr() == ("", ""), "nothing is printed, and no warning of MLflow (which are logged) either"

    def test_telemetry_is_off_before_mlflow_is_imported_and_no_one_is_called(self, tmp_path: Path) -> None:
        code = f"""
import socket, sys
def refuse(*args, **kwargs): raise SystemExit("a network call")
socket.socket.connect = refuse
from training.mlflow_store import opened
assert "mlflow" not in sys.modules
with opened("sqlite:///{tmp_path}/m.db", create=True) as store:
    store.experiment("x")
from mlflow.telemetry.utils import is_telemetry_disabled
sys.exit(0 if is_telemetry_disabled() else "telemetry is on")
"""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "false", "DO_NOT_TRACK": "0"},
        )
        assert done.returncode == 0, done.stderr


class TestAliases:
    def test_the_first_good_one_is_champion_and_later_ones_challenge(self, logged_store: Any) -> None:
        assert [run.alias for run in logged_store.runs] == ["champion", "challenger", "challenger"]
        assert [run.version for run in logged_store.runs] == [1, 2, 3]

    def test_the_reason_is_given_in_words(self, logged_store: Any) -> None:
        reasons = [run.reason for run in logged_store.runs]
        assert reasons[0] == "it is the first good model"
        assert "not better than the champion" in reasons[1]
        assert "promote it" in reasons[2]

    def test_a_better_one_becomes_champion_when_told_to(self, logged_store: Any, evaluation_of: Build) -> None:
        with opened(logged_store.uri) as store:
            assert choose_alias(store, evaluation_of(0.7).metrics, None, promote=True).alias == "champion"
            assert choose_alias(store, evaluation_of(0.2).metrics, None, promote=True).alias == "challenger"
            assert choose_alias(store, evaluation_of(0.5).metrics, None, promote=True).alias == "challenger"

    def test_figures_on_other_examples_do_not_compare(self, logged_store: Any, evaluation_of: Build) -> None:
        metrics = {**evaluation_of(0.9).metrics, "evaluation_sha256": "other"}
        with opened(logged_store.uri) as store:
            choice = choose_alias(store, metrics, None, promote=True)
            assert choice.alias == "challenger"
            assert "other examples" in choice.reason
            champion = {**evaluation_of(0.5).metrics, "evaluation_sha256": "other"}
            assert choose_alias(store, metrics, champion, promote=True).alias == "champion"
            with pytest.raises(ValueError, match="other examples"):
                choose_alias(store, metrics, evaluation_of(0.5).metrics, promote=True)

    def test_a_gain_on_hazards_does_not_pay_for_a_loss_on_levels(self, logged_store: Any, evaluation_of: Build) -> None:
        metrics = json.loads(json.dumps(evaluation_of(0.9).metrics))
        metrics["headline"]["levels"]["auroc"] = 0.5
        with opened(logged_store.uri) as store:
            assert choose_alias(store, metrics, None, promote=True).alias == "challenger"

    def test_a_model_that_knows_nothing_is_no_champion_even_alone(self, tmp_path: Path, evaluation_of: Build) -> None:
        with opened(f"sqlite:///{tmp_path / 'mlflow.db'}", create=True) as store:
            assert choose_alias(store, evaluation_of(0.0).metrics, None, promote=True).alias == "challenger"


class TestPyfunc:
    def test_results_are_those_of_the_classifier_row_by_row(self, small_model_dir: Path) -> None:
        scorer = _load_pyfunc(str(small_model_dir))
        table = example_input()
        table.index = pd.Index([7, 3])
        result = scorer.predict(table)
        assert list(result.columns) == list(OUTPUT_COLUMNS)
        assert result.index.tolist() == [7, 3]
        for number, (_, row) in enumerate(result.iterrows()):
            alone = scorer.predict(table.iloc[[number]]).iloc[0]
            assert row.to_dict() == alone.to_dict()
            assert set(json.loads(row["hazards"])) == set(scorer.model.taxonomy.names)
            assert sum(json.loads(row["level_probabilities"]).values()) == pytest.approx(1.0, abs=1e-4)
            assert row["risk_level"] in list(RiskLevel)

    @pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
    def test_missing_cells_are_empty_and_no_row_is_lost(self, small_model_dir: Path, missing: object) -> None:
        scorer = _load_pyfunc(str(small_model_dir))
        cells = {"title": ["Toy car", missing], "description": [missing, "a"], "noise": [1, 2]}
        table = pd.DataFrame(cells, dtype=object)
        result = scorer.predict(table)
        assert result["id"].tolist() == ["row-1", "row-2"]
        assert scorer.predict(pd.DataFrame({"title": []})).empty

    def test_captions_may_be_a_list(self, small_model_dir: Path) -> None:
        scorer = _load_pyfunc(str(small_model_dir))
        as_list = scorer.predict(pd.DataFrame([{"id": "1", "title": "Pen", "captions": ["a laser", "a box"]}]))
        as_text = scorer.predict(pd.DataFrame([{"id": "1", "title": "Pen", "captions": "a laser ; a box"}]))
        pd.testing.assert_frame_equal(as_list, as_text)

    def test_a_table_without_titles_is_refused_by_name(self, small_model_dir: Path) -> None:
        with pytest.raises(ValueError, match="'title' is missing; columns found: name"):
            _load_pyfunc(str(small_model_dir)).predict(pd.DataFrame({"name": ["x"]}))

    def test_the_signature_names_every_column(self, logged_store: Any) -> None:
        root = resolve_model("models:/hazardlens/1", logged_store.uri).parents[1]
        import mlflow

        model = mlflow.models.Model.load(str(root))
        assert model.signature.inputs.input_names() == list(INPUT_COLUMNS)
        assert model.signature.inputs.required_input_names() == ["title"]
        assert model.signature.outputs.input_names() == list(OUTPUT_COLUMNS)
        assert (root / "input_example.json").is_file()

    def test_nothing_is_pickled(self, logged_store: Any) -> None:
        root = resolve_model("models:/hazardlens/1", logged_store.uri).parents[1]
        assert not [path for path in root.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib", ".pt", ".bin")]

    def test_the_logged_model_runs_where_hazardlens_is_not(self, logged_store: Any, tmp_path: Path) -> None:
        """A bare interpreter, another directory, only what was logged: what Spark or a model server does."""
        root = resolve_model("models:/hazardlens/1", logged_store.uri).parents[1]
        code = f"""
import warnings; warnings.simplefilter("ignore")
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model({str(root)!r})
result = model.predict(pd.DataFrame({{"title": ["Green laser pointer 5000mW", "Cotton towel"]}}))
import models, training, sys
assert models.__file__.startswith({str(root)!r}), models.__file__
assert "torch" not in sys.modules
print(result.to_json(orient="records"))
"""
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert [set(row) for row in json.loads(done.stdout)] == [set(OUTPUT_COLUMNS)] * 2

    def test_the_requirements_name_every_library_that_travelling_code_imports(self, logged_store: Any) -> None:
        root = resolve_model("models:/hazardlens/1", logged_store.uri).parents[1]
        lines = (root / "requirements.txt").read_text(encoding="utf-8").split()
        pinned = dict(line.split("==") for line in lines)
        assert {"numpy", "onnxruntime", "pandas", "pydantic", "PyYAML", "tokenizers"} <= set(pinned)
        assert not {"torch", "models", "training", "hazardlens"} & set(pinned)
        assert pinned["numpy"] == version("numpy")

    def test_requirements_are_read_from_imports_wherever_they_stand(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("import os, numpy.linalg\ndef f():\n    from yaml import load\n")
        (tmp_path / "b.py").write_text("from . import a\nfrom mine import x\nimport nowhere_at_all\n")
        found = pinned_requirements([tmp_path / "a.py", tmp_path / "b.py"], own=["mine"])
        assert found == [f"numpy=={version('numpy')}", f"PyYAML=={version('PyYAML')}"]


def test_the_fingerprint_of_a_file_without_dates_has_no_span(tmp_path: Path, taxonomy: Taxonomy) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,title,labels\na,Lamp,fire\nb,Pen,cuts\n", encoding="utf-8")
    examples, report = read_examples(path, taxonomy)
    item = fingerprint(report, examples, "ordinary")
    assert (item.rows, item.first_day, item.last_day, item.undated, item.role) == (2, "", "", 2, "ordinary")
    dated = [*examples, Example(id="c", title="", date="2024-05-01"), Example(id="d", title="", date="2023")]
    assert (fingerprint(report, dated).first_day, fingerprint(report, dated).last_day) == ("2023-01-01", "2024-05-01")

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from models.classifier.artifact import read_manifest
from models.domain.errors import ArtifactError, InputError
from training.mlflow_store import DEFAULT_URI, opened, tracking_uri
from training.registry import promote, resolve_model, rollback, versions


def holders(uri: str) -> dict[str, int]:
    return {alias: found.version for found in versions(uri) for alias in found.aliases}


class TestResolve:
    def test_a_directory_is_itself(self, small_model_dir: Path) -> None:
        assert resolve_model(small_model_dir) == small_model_dir
        assert resolve_model(str(small_model_dir)) == small_model_dir

    @pytest.mark.parametrize("uri", ["models:/hazardlens@champion", "models:/hazardlens/1"])
    def test_a_name_leads_to_the_artifact_with_its_checksums_whole(
        self, logged_store: Any, small_model_dir: Path, uri: str
    ) -> None:
        found = resolve_model(uri, logged_store.uri)
        assert read_manifest(found).version == read_manifest(small_model_dir).version

    def test_alias_and_version_lead_to_the_same_place(self, logged_store: Any) -> None:
        by_version = resolve_model("models:/hazardlens/3", logged_store.uri)
        assert resolve_model("models:/hazardlens@challenger", logged_store.uri) == by_version
        assert resolve_model("models:/hazardlens/1", logged_store.uri) != by_version

    def test_the_directory_of_an_mlflow_model_leads_to_its_data(self, logged_store: Any) -> None:
        data = resolve_model("models:/hazardlens/1", logged_store.uri)
        assert resolve_model(data.parents[1]) == data

    def test_a_run_is_downloaded_once_into_the_cache(
        self, logged_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HAZARDLENS_CACHE", str(tmp_path))
        uri = f"runs:/{logged_store.runs[0].run_id}/model"
        found = resolve_model(uri, logged_store.uri)
        assert found.is_relative_to(tmp_path)
        assert read_manifest(found).version
        written = (found / "manifest.json").stat().st_mtime_ns
        assert (resolve_model(uri, logged_store.uri) / "manifest.json").stat().st_mtime_ns == written
        assert len(list((tmp_path / "registry").iterdir())) == 1, "no half download is left"

    def test_the_environment_names_the_store(self, logged_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", logged_store.uri)
        assert resolve_model("models:/hazardlens@champion").is_dir()
        assert os.environ["MLFLOW_TRACKING_URI"] == logged_store.uri

    @pytest.mark.parametrize(
        ("uri", "message"),
        [
            ("models:/hazardlens@nobody", "no version has the alias 'nobody'"),
            ("models:/hazardlens/99", "no version 99"),
            ("models:/other/1", "no registered model 'other'"),
            ("runs:/0123456789abcdef0123456789abcdef/model", "cannot be read"),
        ],
    )
    def test_what_is_not_there_is_an_error_that_says_what_is(
        self, logged_store: Any, uri: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HAZARDLENS_CACHE", str(tmp_path))
        with pytest.raises(InputError, match=message) as caught:
            resolve_model(uri, logged_store.uri)
        assert "hazardlens" in str(caught.value) or "versions:" in str(caught.value)
        assert not list(tmp_path.rglob("MLmodel"))

    def test_a_directory_without_a_model_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ArtifactError, match="not a hazardlens model"):
            resolve_model(tmp_path)
        with pytest.raises(ArtifactError, match="no such model directory"):
            resolve_model(tmp_path / "nothing")

    def test_looking_up_makes_no_store(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no model registry here yet"):
            resolve_model("models:/hazardlens@champion", f"sqlite:///{tmp_path / 'mlflow.db'}")
        assert not list(tmp_path.iterdir())


class TestPromote:
    def test_the_alias_moves_and_the_champion_challenges_nobody(self, copied_store: str) -> None:
        assert holders(copied_store) == {"champion": 1, "challenger": 3}
        assert promote(3, tracking_uri=copied_store).aliases == ("champion",)
        assert holders(copied_store) == {"champion": 3}

    def test_rollback_gives_it_back_step_by_step(self, copied_store: str) -> None:
        for version in (2, 3, 2):
            promote(version, tracking_uri=copied_store)
        assert [rollback(tracking_uri=copied_store).version for _ in range(3)] == [3, 2, 1]
        with pytest.raises(InputError, match="version 1 is the first champion"):
            rollback(tracking_uri=copied_store)
        assert holders(copied_store)["champion"] == 1

    def test_after_a_rollback_history_goes_on_from_there(self, copied_store: str) -> None:
        promote(2, tracking_uri=copied_store)
        rollback(tracking_uri=copied_store)
        promote(3, tracking_uri=copied_store)
        assert rollback(tracking_uri=copied_store).version == 1

    def test_promoting_the_holder_changes_nothing(self, copied_store: str) -> None:
        promote(2, tracking_uri=copied_store)
        promote(2, tracking_uri=copied_store)
        assert rollback(tracking_uri=copied_store).version == 1

    def test_aliases_have_histories_of_their_own(self, copied_store: str) -> None:
        promote(2, "shadow", copied_store)
        promote(3, "shadow", copied_store)
        promote(2, tracking_uri=copied_store)
        assert rollback("shadow", copied_store).version == 2
        assert rollback(tracking_uri=copied_store).version == 1

    def test_a_deleted_version_is_skipped(self, copied_store: str) -> None:
        promote(2, tracking_uri=copied_store)
        promote(3, tracking_uri=copied_store)
        with opened(copied_store) as store:
            store.client.delete_model_version("hazardlens", "2")
        assert rollback(tracking_uri=copied_store).version == 1

    def test_unknown_versions_and_aliases_are_errors(self, copied_store: str) -> None:
        with pytest.raises(InputError, match=r"no version 9 .*versions: 3 \(challenger\), 2, 1 \(champion\)"):
            promote(9, tracking_uri=copied_store)
        with pytest.raises(InputError, match="no version has the alias 'nobody'"):
            rollback("nobody", copied_store)
        assert holders(copied_store) == {"champion": 1, "challenger": 3}


def test_versions_are_listed_newest_first_with_what_they_are(copied_store: str, small_model_dir: Path) -> None:
    found = versions(copied_store)
    assert [v.version for v in found] == [3, 2, 1]
    assert {v.artifact_version for v in found} == {read_manifest(small_model_dir).version}
    assert found[0].created >= found[2].created


def test_the_default_store_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri() == DEFAULT_URI == "sqlite:///var/mlflow/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://somewhere")
    assert tracking_uri() == "http://somewhere"
    assert tracking_uri("sqlite:///x.db") == "sqlite:///x.db"


def test_the_default_store_keeps_its_artifacts_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied_store: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("var/mlflow").mkdir(parents=True)
    shutil.copyfile(copied_store.removeprefix("sqlite:///"), "var/mlflow/mlflow.db")
    with opened() as store:
        experiment = store.client.get_experiment(store.experiment("another"))
    assert experiment.artifact_location == (tmp_path / "var/mlflow/artifacts").as_uri()
    assert {path.name for path in tmp_path.iterdir()} == {"var"} | {path.name for path in tmp_path.glob("*.db")}

"""What a model's place comes to hold is in force within a look, if it is whole and passes its self-test."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.classifier.classifier import HazardClassifier
from models.classifier.golden import Golden, GoldenCase
from models.domain.errors import ArtifactError
from models.domain.listing import Listing
from serving import model_watch
from serving.engine import AssessmentEngine
from serving.model_watch import ModelWatch, self_test
from serving.services import load_engine
from serving.settings import Settings
from tests.serving.conftest import HEATER, StartApp, post, within
from tests.serving.test_operation import sample


def version_of(directory: Path) -> str:
    return HazardClassifier.load(directory, threads=1).version


def move(link: Path, target: Path) -> None:
    """Move a link in one step."""
    staging = link.with_name(f"{link.name}.new")
    staging.symlink_to(target)
    staging.replace(link)


@pytest.fixture
def place(first_model_dir: Path, tmp_path: Path) -> Path:
    """A link to the first model."""
    link = tmp_path / "live"
    link.symlink_to(first_model_dir)
    return link


@pytest.fixture
def own_engine(place: Path) -> Iterator[AssessmentEngine]:
    engine = load_engine(Settings(model=place, threads=1))
    yield engine
    engine.close()


@pytest.fixture
def told() -> list[str]:
    """What the watch told: versions that came in force, and `failure`."""
    return []


@pytest.fixture
def watch(place: Path, own_engine: AssessmentEngine, told: list[str]) -> ModelWatch:
    watch = ModelWatch(place, own_engine, lambda model: told.append(model.version), lambda: told.append("failure"))
    watch.begin()
    watch.go_on()
    assert not watch.refresh()
    return watch


@pytest.fixture
def spoilt_dir(other_model_dir: Path, tmp_path: Path) -> Path:
    """A whole artifact whose model does not answer as it did when it was made."""
    model = HazardClassifier.load(other_model_dir, threads=1)
    model.calibration = replace(model.calibration, offset=model.calibration.offset + 5.0)
    model.save(tmp_path / "spoilt")
    return tmp_path / "spoilt"


class TestAnotherModel:
    def test_a_link_that_was_moved_is_followed(
        self, watch: ModelWatch, place: Path, first_model_dir: Path, other_model_dir: Path, told: list[str]
    ) -> None:
        first, other = watch.engine.versions.model, version_of(other_model_dir)
        move(place, other_model_dir)
        assert watch.refresh()
        assert (watch.engine.versions.model, watch.state.previous) == (other, first)
        assert not watch.refresh()
        move(place, first_model_dir)
        assert watch.refresh()
        assert (told, watch.state.swaps) == ([other, first], 2)

    def test_a_directory_that_was_written_anew_is_read_anew(
        self, first_model_dir: Path, other_model_dir: Path, tmp_path: Path
    ) -> None:
        place = tmp_path / "model"
        HazardClassifier.load(first_model_dir, threads=1).save(place)
        engine = load_engine(Settings(model=place, threads=1))
        watch = ModelWatch(place, engine)
        assert not watch.refresh()
        HazardClassifier.load(other_model_dir, threads=1).save(place)
        assert watch.refresh()
        assert engine.versions.model == version_of(place)
        engine.close()

    def test_the_same_model_in_another_place_is_not_loaded(
        self, watch: ModelWatch, place: Path, first_model_dir: Path, tmp_path: Path, told: list[str]
    ) -> None:
        before = watch.engine.in_force
        shutil.copytree(first_model_dir, tmp_path / "copy")
        move(place, tmp_path / "copy")
        assert not watch.refresh()
        assert watch.engine.in_force is before
        assert told == []


class TestFailure:
    def test_a_model_that_fails_its_self_test_is_not_taken(
        self, watch: ModelWatch, place: Path, spoilt_dir: Path, told: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        before = watch.engine.in_force
        move(place, spoilt_dir)
        assert not watch.refresh()
        assert not watch.refresh()
        assert watch.engine.in_force is before
        assert watch.state.failed is not None
        assert watch.state.failed.version == version_of(spoilt_dir)
        assert watch.state.failed.reason.startswith("failed its self-test: listing golden-1: ")
        assert told == ["failure"]
        assert f"{before.versions.model} stays in force" in caplog.text

    def test_going_back_ends_the_failure(
        self, watch: ModelWatch, place: Path, spoilt_dir: Path, first_model_dir: Path
    ) -> None:
        move(place, spoilt_dir)
        watch.refresh()
        move(place, first_model_dir)
        assert not watch.refresh()
        assert watch.state.failed is None

    @pytest.mark.parametrize("name", ["encoder.onnx", "arrays.npz", "knowledge.json", "golden.json", "manifest.json"])
    def test_a_truncated_artifact_is_not_taken(
        self, watch: ModelWatch, place: Path, other_model_dir: Path, tmp_path: Path, name: str
    ) -> None:
        cut = tmp_path / "cut"
        shutil.copytree(other_model_dir, cut)
        content = (cut / name).read_bytes()
        (cut / name).write_bytes(content[: len(content) // 2])
        before = watch.engine.in_force
        move(place, cut)
        assert not watch.refresh()
        assert watch.engine.in_force is before
        assert watch.state.failed is not None
        assert str(cut) in watch.state.failed.reason

    def test_an_artifact_that_is_still_being_copied_is_taken_once_it_is_whole(
        self, watch: ModelWatch, place: Path, other_model_dir: Path, tmp_path: Path, told: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(model_watch, "_TRIES_AGAIN", 0.0)
        half = tmp_path / "half"
        half.mkdir()
        shutil.copy(other_model_dir / "manifest.json", half)
        move(place, half)
        assert not watch.refresh()
        assert not watch.refresh()
        for file in other_model_dir.iterdir():
            if file.name != "manifest.json":
                shutil.copy(file, half)
        assert watch.refresh()
        assert told == ["failure", version_of(other_model_dir)], "a failure is told once"

    def test_a_place_that_is_gone_leaves_the_model_as_it_is(self, watch: ModelWatch, place: Path) -> None:
        before = watch.engine.in_force
        place.unlink()
        assert not watch.refresh()
        assert watch.engine.in_force is before
        assert watch.state.failed is not None
        assert "no such model directory" in watch.state.failed.reason


class TestSelfTest:
    def test_a_server_does_not_start_with_a_model_that_fails(self, spoilt_dir: Path) -> None:
        engine = load_engine(Settings(model=spoilt_dir, threads=1))
        with pytest.raises(ArtifactError, match="failed its self-test: listing golden-1"):
            ModelWatch(spoilt_dir, engine).begin()
        engine.close()

    def test_what_fails_later_is_told_while_it_serves(self, own_engine: AssessmentEngine, place: Path) -> None:
        golden = own_engine.model.golden
        wrong = GoldenCase(Listing(id="late", title="Lamp"), golden.cases[0].probabilities)
        own_engine.model.golden = Golden((*golden.cases[:2], wrong))
        watch = ModelWatch(place, own_engine)
        watch.begin()
        watch.go_on()
        assert watch.state.failed is not None
        assert "listing late" in watch.state.failed.reason

    def test_a_model_without_golden_inputs_is_seen_to_answer(
        self, own_engine: AssessmentEngine, caplog: pytest.LogCaptureFixture
    ) -> None:
        own_engine.model.golden = Golden()
        with caplog.at_level(logging.WARNING):
            assert self_test(own_engine.in_force) == []
        assert "has no golden inputs" in caplog.text
        own_engine.model.heads.bias[:] = float("nan")
        assert self_test(own_engine.in_force) != []

    def test_the_plan_that_it_will_have_takes_part(self, own_engine: AssessmentEngine) -> None:
        def no_message(*_: object) -> None:
            raise KeyError("kind")

        broken = replace(own_engine.in_force, finish=no_message)  # type: ignore[arg-type]
        assert "KeyError" in self_test(broken)[0]


class TestServer:
    @pytest.fixture
    def served(self, start_app: StartApp, settings: Settings, place: Path) -> TestClient:
        return start_app(replace(settings, model=place, model_watch=0.0))

    def test_it_says_which_model_came_after_which(self, served: TestClient, place: Path, other_model_dir: Path) -> None:
        before = post(served, [HEATER])
        move(place, other_model_dir)
        reloaded = served.post("/v1/model/reload").json()
        after = post(served, [HEATER])
        assert reloaded["changed"]
        assert (reloaded["before"], reloaded["in_force"]) == (before["versions"]["model"], after["versions"]["model"])
        assert after["results"][0]["assessment"]["versions"] == after["versions"]
        described = served.get("/v1/model").json()
        assert described["version"] == after["versions"]["model"] == version_of(other_model_dir)
        assert described["loading"] == reloaded["loading"]
        assert (described["loading"]["previous"], described["loading"]["swaps"]) == (reloaded["before"], 1)
        assert sample(served, "hazardlens_changes_total", what="model") == 1

    def test_it_says_what_could_not_be_taken_and_why(self, served: TestClient, place: Path, spoilt_dir: Path) -> None:
        version = served.get("/readyz").json()["model"]
        move(place, spoilt_dir)
        answer = served.post("/v1/model/reload").json()
        assert (answer["changed"], answer["before"], answer["in_force"]) == (False, version, version)
        assert answer["loading"]["failed"]["version"] == version_of(spoilt_dir)
        ready = served.get("/readyz")
        assert (ready.status_code, ready.json()["model"]) == (200, version)
        assert ready.json()["note"].startswith(f"model {version_of(spoilt_dir)} could not be put in force")
        assert served.get("/v1/model").json()["loading"]["failed"]["reason"].startswith("failed its self-test")
        assert sample(served, "hazardlens_model_failures_total") == 1
        assert post(served, [HEATER])["versions"]["model"] == version

    def test_nothing_to_reload_changes_nothing(self, served: TestClient) -> None:
        answer = served.post("/v1/model/reload").json()
        assert (answer["changed"], answer["loading"]["swaps"], answer["loading"]["failed"]) == (False, 0, None)

    def test_an_explanation_of_the_model_before_is_refused(
        self, served: TestClient, place: Path, other_model_dir: Path
    ) -> None:
        made = post(served, [HEATER])["results"][0]["assessment"]
        move(place, other_model_dir)
        served.post("/v1/model/reload")
        response = served.get(f"/v1/assessments/{made['id']}/explanation")
        assert response.status_code == 409
        assert made["versions"]["model"] in response.json()["detail"]

    def test_the_known_items_of_the_operator_follow(
        self, start_app: StartApp, settings: Settings, place: Path, other_model_dir: Path, tmp_path: Path
    ) -> None:
        table = tmp_path / "known.csv"
        table.write_text("id,date,lang,title,brand,category,description,captions,labels\n"
                         "a1,2026-01-02,en,Laser pointer of ours,,,,,damage to sight\n", encoding="utf-8")  # fmt: skip
        served = start_app(replace(settings, model=place, model_watch=0.0, evidence=table))
        engine = served.app.state.services.engine  # type: ignore[attr-defined]
        bare = len(HazardClassifier.load(other_model_dir, threads=1).evidence)
        move(place, other_model_dir)
        assert served.post("/v1/model/reload").json()["changed"]
        within(120, lambda: len(engine.model.evidence) == bare + 1)

    def test_a_server_that_watches_needs_no_call(
        self, start_app: StartApp, settings: Settings, place: Path, other_model_dir: Path
    ) -> None:
        served = start_app(replace(settings, model=place, model_watch=0.05))
        move(place, other_model_dir)
        within(180, lambda: post(served, [HEATER])["versions"]["model"] == version_of(other_model_dir))

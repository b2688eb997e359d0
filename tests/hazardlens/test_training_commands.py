"""``hazardlens train``, ``evaluate``, ``promote``, ``rollback``: what they are given and what they say."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import training.pipeline as pipeline
import training.registry as registry
from models.domain.resources import datasets_dir
from tests.hazardlens.conftest import RunCommand
from training.evaluation import Evaluation
from training.pipeline import TrainResult
from training.registry import RegisteredVersion
from training.settings import TrainSettings

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = datasets_dir() / "samples"
METRICS = {
    "headline": {"n": 1_234, "hazards": {"map": 0.71, "macro_f1": 0.62, "top1": 0.85}, "levels": {"auroc": None}}
}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[TrainSettings]:
    """The settings that the pipeline was called with; it does nothing but report two stages."""
    seen: list[TrainSettings] = []

    def train(settings: TrainSettings, progress: Callable[[str, int, int], object]) -> TrainResult:
        seen.append(settings)
        for done in (0, 5, 10):
            progress("writing", done, 10)
        progress("fitting", 3, 0)
        evaluation = Evaluation(METRICS, [], [], [], {})
        return TrainResult(settings.out, "abc", "examples", evaluation, {}, "models:/hazardlens/1 as champion", "run")

    monkeypatch.setattr(pipeline, "train", train)
    return seen


def test_options_that_are_not_given_keep_the_defaults_of_the_pipeline(
    run: RunCommand, trained: list[TrainSettings]
) -> None:
    assert run("train").code == 0

    assert trained == [TrainSettings(out=Path("var/models/default"), examples=[], ordinary=[], levelled=[])]


def test_every_option_reaches_the_pipeline(run: RunCommand, trained: list[TrainSettings]) -> None:
    run(
        "train", "--examples", "a.csv", "b.csv", "--examples", "c.csv", "--ordinary", "o.csv", "--levelled", "l.csv",
        "--taxonomy", "t.yaml",
        "--knowledge", "k", "--out", "m", "--encoder", "e", "--corpus-size", 7, "--held-out", 50, "--seed", 3,
        "--no-track", "--promote", "--no-compare", "--layers", "0,2", "--precision", "fp32", "--finetune", "off",
    )  # fmt: skip

    assert trained == [
        TrainSettings(
            out=Path("m"), examples=[Path("a.csv"), Path("b.csv"), Path("c.csv")], ordinary=[Path("o.csv")],
            levelled=[Path("l.csv")],
            taxonomy=Path("t.yaml"), knowledge=Path("k"), encoder="e", corpus_size=7, held_out=50, seed=3, track=False,
            promote=True, compare=False, layers=(0, 2), precision="fp32", finetune="off",
        )
    ]  # fmt: skip


@pytest.mark.usefixtures("trained")
def test_training_says_what_came_of_it(run: RunCommand) -> None:
    ended = run("train", "--out", "m")

    assert "model abc in m" in ended.out
    assert "1,234 held-out examples" in ended.out
    assert "mAP 0.710, macro-F1 0.620, top-1 0.850" in ended.out
    assert "AUROC" not in ended.out
    assert "registered models:/hazardlens/1 as champion" in ended.out
    assert run("train", "--out", "m", "--json").json["metrics"] == METRICS


@pytest.mark.usefixtures("trained")
def test_each_stage_has_a_bar(run: RunCommand) -> None:
    ended = run("train", "--progress")

    assert "writing" in ended.err
    assert "10/10" in ended.err
    assert "fitting" in ended.err
    assert run("train").err == ""


@pytest.mark.usefixtures("trained")
def test_a_missing_package_names_the_extra(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(pipeline, "train", train)
    ended = run("train")

    assert ended.code == 1
    assert "'torch'" in ended.err
    assert "pip install 'hazardlens[training]'" in ended.err


@pytest.mark.usefixtures("trained")
def test_a_missing_module_of_ours_is_a_fault_of_ours(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'training.gone'", name="training.gone")

    monkeypatch.setattr(pipeline, "train", train)

    with pytest.raises(ModuleNotFoundError):
        run("train")


def test_an_evaluation_is_json_with_the_papers_on_request(
    run: RunCommand, small_model_dir: Path, tmp_path: Path
) -> None:
    ended = run(
        "evaluate", "--model", small_model_dir, "--examples", SAMPLES / "examples.csv", SAMPLES / "examples.jsonl",
        "--report", tmp_path / "report",
    )  # fmt: skip

    assert ended.code == 0
    assert ended.json["n"] == 61
    assert ended.json["headline"]["hazards"]["map"] > 0
    assert {"report.html", "model_card.html", "model_card.md", "data_card.html", "data_card.md"} <= {
        path.name for path in (tmp_path / "report").iterdir()
    }


def test_baselines_are_trained_on_request_and_never_on_what_is_judged(
    run: RunCommand, small_model_dir: Path, tmp_path: Path
) -> None:
    samples = (SAMPLES / "examples.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "judged.csv").write_text("\n".join(samples[:16]), encoding="utf-8")
    found = run(
        "evaluate", "--model", small_model_dir, "--examples", tmp_path / "judged.csv", "--train-examples",
        SAMPLES / "examples.csv", SAMPLES / "examples.jsonl", "--no-compare",
    ).json  # fmt: skip

    assert [row["name"] for row in found["comparisons"]] == [
        "this model", "majority", "TF-IDF + LR", "frozen encoder + LR",
    ]  # fmt: skip
    assert [row["n"] for row in found["comparisons"]] == [found["headline"]["n"]] * 4
    assert found["captions"] == []


def test_a_table_that_says_nothing_to_judge_by_is_refused(
    run: RunCommand, small_model_dir: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,title\n1,Lamp\n", encoding="utf-8")

    ended = run("evaluate", "--model", small_model_dir, "--examples", table)

    assert ended.code == 1
    assert "no row has labels or a risk level" in ended.err


def test_levels_alone_are_enough(run: RunCommand, small_model_dir: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,title,risk_level\n1,Laser pointer 5000 mW,serious\n2,Novel,none\n", encoding="utf-8")

    found = run("evaluate", "--model", small_model_dir, "--examples", table).json

    assert found["headline"]["levels"]["n"] == 2


VERSION = RegisteredVersion(3, ("champion",), "run", dt.datetime(2030, 1, 1, tzinfo=dt.UTC), "0123456789ab")


@pytest.mark.parametrize(
    ("arguments", "name", "expected"),
    [
        (["promote", "3"], "promote", (3, "champion")),
        (["promote", "3", "--alias", "shadow"], "promote", (3, "shadow")),
        (["rollback"], "rollback", ("champion",)),
        (["rollback", "--alias", "shadow"], "rollback", ("shadow",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_aliases_are_given_and_given_back(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, arguments: list[str], name: str, expected: tuple[Any, ...]
) -> None:
    called: list[tuple[Any, ...]] = []

    def record(*given: Any) -> RegisteredVersion:
        called.append(given)
        return VERSION

    monkeypatch.setattr(registry, name, record)

    assert run(*arguments).out == f"{expected[-1]} is version 3 (artifact 0123456789ab)\n"
    assert run(*arguments, "--json").json["version"] == 3
    assert called == [expected, expected]


@pytest.mark.parametrize(
    "arguments",
    [["promote", "1"], ["rollback"], ["evaluate", "--model", "models:/hazardlens@champion", "--examples", "x"]],
    ids=lambda arguments: str(arguments[0]),
)
def test_without_a_registry_the_error_says_what_to_do(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    ended = run(*arguments)

    assert ended.code == 1
    assert "train a model first" in ended.err


def test_without_the_training_extra_a_model_directory_still_loads(small_model_dir: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "extra = 'torch mlflow pandas matplotlib transformers sentence_transformers onnx mapie datasketch'\n"
        "sys.modules.update(dict.fromkeys(extra.split()))\n"
        "from hazardlens.cli import main\n"
        f"sys.exit(main(['score', '--model', {str(small_model_dir)!r},"
        f" '--in', {str(SAMPLES / 'examples.csv')!r}, '--out', {str(tmp_path / 'o.csv')!r}]))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert found.returncode == 0, found.stderr
    assert (tmp_path / "o.csv").is_file()

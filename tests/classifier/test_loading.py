"""Serving needs neither torch nor mlflow nor transformers, and tells nobody of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.reading import load_plan

model = HazardClassifier.load(sys.argv[1], threads=1)
answer = model.assess(Listing(id="1", title="Laser pointer 5000mW"), load_plan(), explain="full")
print(answer.risk_level.value)
heavy = {"torch", "mlflow", "transformers", "sentence_transformers", "onnx", "pandas", "matplotlib", "training"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_a_fresh_process_loads_and_explains_without_the_training_libraries(small_model_dir: Path) -> None:
    done = program(small_model_dir, dict(os.environ))
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["serious", "[]"]


def test_onnx_runtime_keeps_no_device_id_and_no_events_to_send(small_model_dir: Path, tmp_path: Path) -> None:
    # It does not where it thinks that it is being tested, so what it knows that by is taken away.
    tested = {"CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    rest = {name: value for name, value in os.environ.items() if name not in tested}

    done = program(small_model_dir, {**rest, "HOME": str(tmp_path)})

    assert done.stdout.startswith("serious"), done.stderr
    assert list(tmp_path.rglob("*onnxruntime*")) == []


def program(model: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", PROGRAM, str(model)]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)

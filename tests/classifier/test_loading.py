"""Serving needs neither torch nor mlflow nor transformers."""

from __future__ import annotations

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
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(small_model_dir)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["serious", "[]"]

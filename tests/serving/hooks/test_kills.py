"""A server that is killed between what happens and its webhook: a small run of `tests/benchmarks/outbox.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_server_that_is_killed_loses_no_event_and_none_is_handled_twice(small_model_dir: Path) -> None:
    rig = [sys.executable, str(ROOT / "tests" / "benchmarks" / "outbox.py"), "--model", str(small_model_dir)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*rig, "--kills", "5"], env=environment, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills" in done.stdout
    assert "nothing lost, nothing handled twice, every signature valid" in done.stdout

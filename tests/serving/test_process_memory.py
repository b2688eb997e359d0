"""Free memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from serving.process_memory import few_arenas, give_back

def resident():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)

few_arenas()
blocks = [bytes(50_000) for _ in range(2_000)]  # below the size from which malloc maps each block on its own
kept = blocks[-1]
full = resident()
del blocks
give_back()
print(full - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of other systems needs no help")
def test_what_was_freed_is_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 80_000  # of the 100,000 kB that were freed

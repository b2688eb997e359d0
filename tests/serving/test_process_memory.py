"""Free memory goes back to the system."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest

from serving.process_memory import collecting_later, few_arenas, keep_small, resident_bytes

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


SETTLING = """
import gc
import weakref
from serving.process_memory import collect, settle

gc.disable()

class Model:
    def __init__(self):
        self.itself = self

model, other = Model(), weakref.ref(Model())
gone = weakref.ref(model)
settle()
print(gc.isenabled(), other() is None, any(found is model for found in gc.get_objects()))
del model
gc.collect()
print(gone() is not None)
collect()
print(gone() is None, gc.get_freeze_count() > 0)
"""


def test_a_loaded_model_is_left_out_of_searches_for_garbage_until_it_is_replaced() -> None:
    told = subprocess.run([sys.executable, "-c", SETTLING], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "True", "False", "True", "True", "True"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not tell it so")
def test_a_process_that_has_grown_gives_back_what_it_no_longer_uses() -> None:
    async def grown() -> tuple[int, int]:
        few_arenas()
        keeping = asyncio.create_task(keep_small(0.05))
        await asyncio.sleep(0.1)
        blocks = [bytes(50_000) for _ in range(2_000)]
        kept, full = blocks[-1], resident_bytes()
        blocks.clear()
        while resident_bytes() > full - 80_000_000:
            await asyncio.sleep(0.02)
        keeping.cancel()
        return full, len(kept)

    assert asyncio.run(asyncio.wait_for(grown(), 30))[1] == 50_000


def test_a_start_looks_for_no_garbage_and_what_follows_does() -> None:
    with collecting_later():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(RuntimeError), collecting_later():
        raise RuntimeError("the start failed")
    assert gc.isenabled()

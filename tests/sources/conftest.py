from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.domain.resources import datasets_dir
from models.domain.taxonomy import Taxonomy, load_taxonomy


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="session")
def samples() -> Path:
    return datasets_dir() / "samples"


@pytest.fixture(scope="session")
def realdata_dir() -> Path:
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    place = Path(os.environ.get("HAZARDLENS_REALDATA", default))
    if not place.is_dir():
        pytest.skip(f"no real data in {place}; set HAZARDLENS_REALDATA")
    return place

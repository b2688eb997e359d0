"""Where the data of `datasets/` lies, in a checkout and in an installed wheel, and where derived files are kept."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.domain.errors import InputError

YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads what the safe loader reads, ten times as fast where PyYAML was built with libyaml, as its wheels are."""


@cache
def datasets_dir() -> Path:
    """Return the directory that holds `taxonomy.yaml`, the knowledge base and the samples.

    The environment variable `HAZARDLENS_DATASETS` wins; then the checkout that this file belongs to; then the
    place where the wheel puts its data.

    Raises
    ------
    InputError
        If none of these holds a `taxonomy.yaml`.
    """
    named = os.environ.get("HAZARDLENS_DATASETS")
    places = (
        [Path(named)]
        if named
        else [
            Path(__file__).resolve().parents[2] / "datasets",
            Path(sys.prefix) / "share" / "hazardlens" / "datasets",
        ]
    )
    for place in places:
        if (place / "taxonomy.yaml").is_file():
            return place
    raise InputError(
        f"no taxonomy.yaml in {', '.join(map(str, places))}",
        hint="set HAZARDLENS_DATASETS to the datasets directory of hazardlens",
    )


def cache_dir() -> Path:
    """Return where derived files are kept between runs: HAZARDLENS_CACHE, or the user's cache directory."""
    named = os.environ.get("HAZARDLENS_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hazardlens"
    base.mkdir(parents=True, exist_ok=True)
    return base

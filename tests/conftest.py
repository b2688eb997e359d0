"""Fixtures that several rooms share."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

from models.classifier.classifier import HazardClassifier
from models.classifier.golden import Golden
from models.domain.resources import datasets_dir
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.knowledge.base import Knowledge, load_knowledge
from models.plan.plan import Plan
from models.plan.reading import load_plan

# The first use of a language or a model builds what later uses share, so that single examples differ in time.
hypothesis_settings.register_profile("hazardlens", deadline=None)
hypothesis_settings.load_profile("hazardlens")

_SMALL_KINDS = frozenset(
    {
        "laser-pointer",
        "laser-level",
        "magnetic-ball-set",
        "magnetic-tiles",
        "magnetic-chess",
        "fridge-magnet-souvenir",
        "baby-rattle",
        "bike-bell",
        "soft-toy",
        "water-beads",
        "aquarium-gravel",
        "toy-slime",
        "soother",
        "baby-walker",
        "kids-hooded-jacket",
        "t-shirt",
        "handbag",
        "phone-case",
        "paperback-novel",
        "notebook",
        "extension-lead",
        "hdmi-cable",
        "phone-wall-charger",
        "electric-kettle",
        "ceramic-mug",
        "mains-string-lights",
        "battery-fairy-lights",
        "skin-lightening-cream",
        "face-cream",
        "swim-ring-kids",
        "swimming-cap",
        "scented-candle",
        "corded-window-blind",
        "cordless-blind",
        "pocket-lighter",
        "firecrackers",
        "drain-cleaner",
        "necklace",
        "bookcase",
        "angle-grinder",
        "motorcycle-helmet",
        "fruit-shaped-erasers",
        "rubber-eraser",
        "gas-camping-stove",
        "car-jack",
        "smoke-alarm",
    }
)
_SMALL_CORPUS = 800
_SMALL_HELD_OUT = 500
_GOLDEN_KEPT = 4
_MODELS_KEPT = 4
LONG_FILES = (
    "tests/hazardlens/test_two_tiers.py",
    "tests/training/test_corpus.py",
    "tests/training/test_pipeline.py",
    "tests/serving/test_job_crashes.py",
    "tests/test_notebooks.py",
    "tests/training/test_tracking.py",
    "tests/serving/test_console_browser.py",
    "tests/serving/test_interface.py",
    "tests/serving/test_browser.py",
    "tests/serving/pictures/test_pictures.py",
    "tests/hazardlens/test_model_following.py",
    "tests/hazardlens/test_data_commands.py",
    "tests/training/test_foreign_labels.py",
    "tests/serving/hooks/test_kills.py",
)
_PATH = tuple(sys.path)
_LOGGERS = ("hazardlens", "models", "training", "serving", "alembic")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: processes that share the files end at about the same time.

    The first asks for the small model, the next two do not: one process trains it while another needs none.
    """
    place = {config.rootpath / file: i for i, file in enumerate(LONG_FILES)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(autouse=True)
def own_path() -> Iterator[None]:
    """Begin with the path as it was at first: MLflow adds the code that a model carries, and leaves it there."""
    sys.path[:] = _PATH
    yield
    sys.path[:] = _PATH


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Begin with loggers that nothing has made quieter: a command that ran in this process does, for good."""
    root = logging.getLogger()
    handlers, root_level = root.handlers[:], root.level
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    root.handlers[:] = handlers
    root.setLevel(root_level)


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    """The label set that ships."""
    return load_taxonomy()


@pytest.fixture(scope="session")
def knowledge(taxonomy: Taxonomy) -> Knowledge:
    """The knowledge base that ships."""
    return load_knowledge(taxonomy=taxonomy)


@pytest.fixture(scope="session")
def default_plan() -> Plan:
    """The plan that ships."""
    return load_plan()


@pytest.fixture(scope="session")
def small_knowledge_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base of some 45 shipped kinds over many categories, look-alikes among them, with every cue."""
    shipped, small = datasets_dir() / "knowledge", tmp_path_factory.mktemp("knowledge")
    shutil.copytree(shipped / "cues", small / "cues")
    for name in ("languages.yaml", "vocabulary.csv"):
        shutil.copyfile(datasets_dir() / name, small / name)
    (small / "kinds").mkdir()
    for file in sorted((shipped / "kinds").glob("*.yaml")):
        family = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        kept = [_pruned(kind) for kind in family["kinds"] if kind["id"] in _SMALL_KINDS]
        if kept:
            text = yaml.dump({**family, "kinds": kept}, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
            (small / "kinds" / file.name).write_text(text, encoding="utf-8")
    return small


def _pruned(kind: dict[str, Any]) -> dict[str, Any]:
    return {**kind, "near": [near for near in kind.get("near") or [] if near in _SMALL_KINDS]}


@pytest.fixture(scope="session")
def small_model_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a real model, trained from the small knowledge base once for each state of the code and the data.

    HAZARDLENS_TEST_MODEL names another one.
    """
    named = os.environ.get("HAZARDLENS_TEST_MODEL")
    if named:
        return Path(named)
    from models.domain.resources import cache_dir
    from training.pipeline import train
    from training.settings import TrainSettings

    small_knowledge_dir: Path = request.getfixturevalue("small_knowledge_dir")
    root, home = Path(__file__).resolve().parents[1], cache_dir() / "test-models"
    data = datasets_dir()
    sources = [
        *_files(small_knowledge_dir, "*"),
        *_files(data / "corpus", "*"),
        data / "boilerplate.yaml",
        data / "taxonomy.yaml",
        *_files(root / "models", "*.py"),
        *_files(root / "training", "*.py"),
        Path(__file__),
    ]
    place = home / _content_hash(sources)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "training.lock"):  # of several test processes the first trains it
        if not (place / "manifest.json").is_file():
            out = tmp_path_factory.mktemp("trained") / "model"
            trained = train(
                TrainSettings(
                    out=out,
                    knowledge=small_knowledge_dir,
                    corpus_size=_SMALL_CORPUS,
                    held_out=_SMALL_HELD_OUT,
                    track=False,
                    compare=False,  # the report's comparisons and the look inside leave the model as it is
                    seed=0,
                )
            )
            model = HazardClassifier.load(out)
            # Every server that a test starts answers them all, which takes longer than the rest of its start.
            model.golden = Golden(model.golden.cases[:_GOLDEN_KEPT])
            model.save(place, trained.facts)
            _forget_old_models(home)
    return place


@pytest.fixture(scope="session")
def small_model(small_model_dir: Path) -> HazardClassifier:
    """The model of `small_model_dir`."""
    return HazardClassifier.load(small_model_dir, threads=2)


def _files(directory: Path, pattern: str) -> list[Path]:
    return [path for path in sorted(directory.rglob(pattern)) if path.is_file() and "__pycache__" not in path.parts]


def _content_hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _forget_old_models(home: Path) -> None:
    manifests = sorted(home.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for manifest in manifests[_MODELS_KEPT:]:
        shutil.rmtree(manifest.parent, ignore_errors=True)

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from training.card_plots import label_shares_plot, years_plot
from training.costs import CostCurve
from training.metrics import HazardStatistics, LevelStatistics
from training.plots import (
    class_bars_plot,
    hazard_confusion_plot,
    level_confusion_plot,
    precision_recall_plot,
    reliability_plot,
)
from training.reliability import reliability_curve
from training.review_plots import capacity_plot, comparison_plot, cost_plot

NAMES = ("fire", "choking", "a risk type with a very long name that no panel could ever hold in full", "rare")


PLOTS = (
    "reliability", "precision_recall", "bars", "confusion", "hazard confusion", "capacity", "costs", "comparison",
    "hazard shares", "years",
)  # fmt: skip


def statistics(n: int = 200) -> HazardStatistics:
    rng = np.random.default_rng(0)
    truth = rng.random((n, 4)) < [0.4, 0.2, 0.1, 0.005]
    return HazardStatistics(truth, np.clip(0.4 * truth + 0.6 * rng.random((n, 4)), 0, 1), np.full(4, 0.5))


def levels(n: int = 200) -> LevelStatistics:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 5, n)
    return LevelStatistics(truth, truth, np.clip(truth / 5 + 0.3 * rng.random(n), 0, 1))


CAPACITY = {
    "n": 100,
    "dangerous": 20,
    "rows": [
        {"share": c, "listings": 5, "precision": 0.8, "recall": 0.3, "precision_interval": [0.6, 0.9]}
        for c in (0.01, 0.05, 0.1)
    ],
}
FOUND = {"value": 0.1, "low": 0.05, "high": 0.2}
COMPARISON = [
    {"name": "this model", "figures": {}},
    {"name": "one", "differences": {"map": FOUND, "top1": {"value": -0.1, "low": -0.2, "high": -0.05}}},
    {"name": "two", "differences": {"map": FOUND, "kappa": {"value": 0.0, "low": None, "high": None}}},
]
PROFILES = {
    "train": {"n": 50, "labelled": 40, "labels": {"fire": 30, "cuts": 5}, "years": {"2009": 20, "2011": 30}},
    "test": {"n": 20, "labelled": 20, "labels": {"fire": 5, "choking": 9}, "years": {"2011": 5, "undated": 15}},
}


def draw(name: str) -> bytes:
    hazards = statistics()
    table = hazards.table(NAMES)
    return {
        "reliability": lambda: reliability_plot({"hazards": reliability_curve(hazards.truth, hazards.scores)}),
        "precision_recall": lambda: precision_recall_plot(hazards.truth, hazards.scores, table),
        "bars": lambda: class_bars_plot(table),
        "confusion": lambda: level_confusion_plot(np.diag([9.0, 4, 3, 2, 1]) + 1),
        "hazard confusion": lambda: hazard_confusion_plot(hazards.truth, hazards.scores, NAMES, least=1),
        "capacity": lambda: capacity_plot(CAPACITY),
        "costs": lambda: cost_plot(CostCurve.of(levels())),
        "comparison": lambda: comparison_plot(COMPARISON),
        "hazard shares": lambda: label_shares_plot(PROFILES),
        "years": lambda: years_plot(PROFILES),
    }[name]()


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_a_png_of_readable_size_with_something_on_it(name: str) -> None:
    image = Image.open(BytesIO(draw(name)))
    assert image.format == "PNG"
    assert 400 <= image.width <= 1600
    assert 200 <= image.height <= 2400
    assert len(np.unique(np.asarray(image.convert("L")))) > 10


@pytest.mark.parametrize("name", PLOTS)
def test_equal_data_give_equal_bytes(name: str) -> None:
    assert draw(name) == draw(name)


def test_threads_draw_the_same_as_one() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(draw, ["bars"] * 8))) == 1


def test_empty_data_give_a_picture_that_says_so() -> None:
    empty = HazardStatistics(np.zeros((0, 4), dtype=bool), np.zeros((0, 4)), np.full(4, 0.5))
    table = empty.table(NAMES)
    for png in (
        reliability_plot({}),
        precision_recall_plot(empty.truth, empty.scores, table),
        class_bars_plot(table),
        level_confusion_plot(np.zeros((5, 5))),
        hazard_confusion_plot(empty.truth, empty.scores, NAMES),
        capacity_plot({"n": 0, "dangerous": 0, "rows": []}),
        cost_plot(CostCurve.of(levels(0))),
        comparison_plot([]),
        label_shares_plot({}),
        years_plot({}),
    ):
        assert Image.open(BytesIO(png)).format == "PNG"


def test_colours_differ_in_lightness_so_that_no_one_needs_to_see_hue() -> None:
    image = np.asarray(Image.open(BytesIO(draw("bars"))).convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(image, axis=0, return_counts=True)
    bars = [c for c in colours[np.argsort(-counts)][:6] if c.max() - c.min() > 60][:2]
    lightness = [float(np.dot(c, (0.299, 0.587, 0.114))) for c in bars]
    assert abs(lightness[0] - lightness[1]) > 40


def test_drawing_loads_no_pyplot() -> None:
    code = (
        "import sys, numpy as np; from training.plots import level_confusion_plot;"
        "level_confusion_plot(np.eye(5)); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

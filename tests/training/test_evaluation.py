from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, parse_taxonomy
from models.sources.examples import read_examples
from training.evaluation import Evaluation, evaluate, examples_fingerprint
from training.report import BASES, CALIBRATION_WORDS, HAZARD_WORDS, LEVEL_WORDS, PLOT_WORDS, write_report

Build = Callable[..., Any]


def test_a_model_that_knows_everything_is_perfect(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    metrics = evaluate(table_model(1.0), known_examples, taxonomy, resamples=20, draw=False).metrics["headline"]
    assert (metrics["hazards"]["macro_f1"], metrics["hazards"]["map"], metrics["hazards"]["top1"]) == (1.0, 1.0, 1.0)
    assert (metrics["levels"]["kappa"], metrics["levels"]["auroc"], metrics["levels"]["accuracy"]) == (1.0, 1.0, 1.0)
    assert metrics["calibration"]["risk_score"]["ece"] == 0.0


def test_a_model_that_knows_nothing_orders_like_chance(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    evaluation = evaluate(table_model(0.0), known_examples, taxonomy, resamples=0, draw=False)
    hazards = evaluation.metrics["headline"]["hazards"]
    assert hazards["map"] <= hazards["map_by_chance"]


def test_a_model_whose_figures_are_at_hand_is_not_asked_again(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = table_model(0.6)
    given: dict[str, Any] = {"closely": False, "resamples": 0, "draw": False}
    asked = evaluate(model, known_examples, taxonomy, **given)
    predictions = model.predict(example.to_listing() for example in known_examples)
    monkeypatch.setattr(type(model), "predict", None)
    told = evaluate(model, known_examples, taxonomy, predictions=predictions, **given)
    assert told.metrics == asked.metrics


def test_vehicles_enter_no_headline_figure(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    model = table_model(0.6)
    others = [e for e in known_examples if e.category != "Motor vehicles"]
    whole, without = (evaluate(model, part, taxonomy, resamples=0, draw=False) for part in (known_examples, others))
    assert whole.metrics["headline"] == without.metrics["headline"]
    assert whole.classes == without.classes
    assert whole.slices == without.slices
    assert whole.metrics["apart"]["n"] == 16
    assert whole.metrics["headline"]["n"] == 144
    assert not {error.category for error in whole.errors} & {"Motor vehicles"}


def test_nothing_apart_where_nothing_is_asked_apart(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    evaluation = evaluate(table_model(0.6), known_examples, taxonomy, apart="", resamples=0, draw=False)
    assert evaluation.metrics["headline"]["n"] == 160
    assert evaluation.metrics["apart"]["n"] == 0


def test_hazards_count_where_known_and_levels_where_given(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    examples = [replace(e, labels=None) if i % 4 == 0 else e for i, e in enumerate(known_examples)]
    evaluation = evaluate(table_model(0.6), examples, taxonomy, apart="", resamples=0, draw=False)
    headline = evaluation.metrics["headline"]
    assert headline["hazards"]["n"] == 120
    assert headline["levels"]["n"] == 80
    assert headline["hazards"]["with_labels"] == sum(bool(e.labels) for e in examples)
    assert headline["levels"]["dangerous"] == sum(e.risk_level in (RiskLevel.HIGH, RiskLevel.SERIOUS) for e in examples)


def test_without_labels_and_levels_everything_is_null_and_the_report_still_stands(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy, tmp_path: Path
) -> None:
    examples = [replace(e, labels=None, risk_level=None) for e in known_examples]
    evaluation = evaluate(table_model(0.6), examples, taxonomy)
    assert evaluation.metrics["headline"]["hazards"]["map"] is None
    assert evaluation.errors == []
    write_report(evaluation, tmp_path)
    assert "No example has known hazards" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_equal_data_and_seed_give_equal_bytes(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        write_report(evaluate(table_model(0.6), known_examples, taxonomy, resamples=30, seed=3), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "other" / f).read_bytes() for f in files)


def test_translations_of_one_product_widen_the_interval(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    """Four copies of each product are four times the rows and not one product more."""
    model = table_model(0.4)
    copied = [replace(e, lang=lang) for e in known_examples for lang in ("en", "de", "fr", "es")]

    def width(groups: np.ndarray | None) -> float:
        metrics = evaluate(model, copied, taxonomy, groups=groups, resamples=200, closely=False, draw=False).metrics
        low, high = metrics["headline"]["hazards"]["intervals"]["micro_f1"]
        return float(high - low)

    assert width(None) > 1.5 * width(np.arange(len(copied)))


def test_worst_errors_come_first_and_name_what_was_missed(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    model = table_model(1.0)
    fire = taxonomy.names.index("fire")
    victim = next(e for e in known_examples if e.labels == ("fire",) and e.category == "Toys")
    model.hazards[victim.id] = np.zeros(len(taxonomy.names))
    model.hazards[victim.id][fire - 1] = 0.9
    worst = evaluate(model, known_examples, taxonomy, resamples=0, draw=False).errors[0]
    assert (worst.id, worst.kind, worst.known, worst.missed) == (victim.id, "hazards", "fire", "fire 0.00")
    assert worst.invented == f"{taxonomy.names[fire - 1]} 0.90"


def test_a_level_error_says_both_levels(table_model: Build, known_examples: list[Example], taxonomy: Taxonomy) -> None:
    model = table_model(1.0)
    victim = next(e for e in known_examples if e.risk_level == RiskLevel.SERIOUS and e.category == "Toys")
    model.levels[victim.id] = np.array([1.0, 0, 0, 0, 0])
    (worst,) = evaluate(model, known_examples, taxonomy, resamples=0, draw=False).errors
    assert (worst.kind, worst.known, worst.predicted) == ("level", "serious", "none (high or serious with 0.00)")


def test_no_example_is_an_error(table_model: Build, taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError, match="no example"):
        evaluate(table_model(0.5), [], taxonomy)


def test_another_taxonomy_is_an_error(table_model: Build, known_examples: list[Example]) -> None:
    other = parse_taxonomy({"name": "mine", "version": "2", "risk_types": ["sharp", "hot"]})
    with pytest.raises(InputError, match="mine@2"):
        evaluate(table_model(0.5), known_examples, other)


def test_a_label_outside_the_taxonomy_is_an_error_that_names_the_example(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
) -> None:
    examples = [replace(known_examples[0], labels=("boredom",)), *known_examples[1:]]
    with pytest.raises(InputError, match="example e0: label 'boredom'"):
        evaluate(table_model(0.5), examples, taxonomy)


def test_the_fingerprint_follows_content_and_not_order(known_examples: list[Example]) -> None:
    assert examples_fingerprint(known_examples) == examples_fingerprint(known_examples[::-1])
    changed = [replace(known_examples[0], labels=("cuts",)), *known_examples[1:]]
    assert examples_fingerprint(known_examples) != examples_fingerprint(changed)


@pytest.fixture(scope="module")
def report(evaluation_of: Callable[[float], Evaluation], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    write_report(evaluation_of(0.6), directory)
    return directory


def test_metrics_json_is_strict_json_with_everything(report: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert {"headline", "apart", "per_class", "slices", "worst_errors", "evaluation_sha256"} <= set(metrics)


def test_per_class_csv_has_a_row_for_every_risk_type(report: Path, taxonomy: Taxonomy) -> None:
    with (report / "per_class.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == list(taxonomy.names)
    fire = next(row for row in rows if row["name"] == "fire")
    assert 0 < float(fire["f1"]) <= 1
    assert int(fire["n"]) > 5


def test_the_report_stands_alone(report: Path) -> None:
    html = (report / "report.html").read_text(encoding="utf-8")
    places = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s)>]+)""", html)
    assert places
    assert all(place.startswith(("data:image/png;base64,", "#")) for place in places)
    assert "<script" not in html


def test_the_report_explains_every_figure_and_gives_its_n(
    report: Path, evaluation_of: Callable[[float], Evaluation]
) -> None:
    html = (report / "report.html").read_text(encoding="utf-8")
    headline = evaluation_of(0.6).metrics["headline"]
    for part, words in (("hazards", HAZARD_WORDS), ("levels", LEVEL_WORDS)):
        for key, (label, meaning) in words.items():
            row = html[html.index(f"<td>{label}</td>") :].split("</tr>")[0]
            assert meaning in row
            assert f"{headline[part][key]:.3f}" in row
            assert f'<td class="n">{headline[part][BASES.get(key, "n")]}</td>' in row
    assert all(label in html for label, _ in CALIBRATION_WORDS.values())
    assert all(words in html for name, words in PLOT_WORDS.items() if name != "comparison"), "there is no rival here"
    assert "Apart: Motor vehicles" in html


def test_what_a_listing_says_is_text_and_never_markup(
    table_model: Build, known_examples: list[Example], taxonomy: Taxonomy, tmp_path: Path
) -> None:
    hostile = '<script>alert("x")</script>'
    examples = [replace(e, title=hostile, category=hostile, labels=("cuts",)) for e in known_examples]
    write_report(evaluate(table_model(0.3), examples, taxonomy, resamples=0), tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_trained_model_on_the_samples(small_model_dir: Path, taxonomy: Taxonomy) -> None:
    model = HazardClassifier.load(small_model_dir)
    examples, _ = read_examples(datasets_dir() / "samples" / "examples.csv", taxonomy)
    seen: list[int] = []
    evaluation = evaluate(model, examples, taxonomy, resamples=20, progress=seen.append)
    assert evaluation.metrics["model_version"] == model.version
    assert evaluation.metrics["headline"]["hazards"]["n"] > 0
    assert sum(seen) == len(examples)

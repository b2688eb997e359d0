"""Labels that were changed by hand are found, and few others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.domain.alert import Example
from models.domain.taxonomy import Taxonomy
from training.label_noise import LabelNoise, label_noise
from training.scored import Scored

Build = Callable[..., Any]
NAMES = ("fire", "choking", "cuts")


@pytest.fixture
def clean() -> list[Example]:
    return [Example(id=f"e{i}", title=f"product {i}", labels=(NAMES[i % 3],)) for i in range(120)]


def noise_of(given: list[Example], table_model: Build, clean: list[Example], taxonomy: Taxonomy) -> LabelNoise:
    model = table_model(0.99, clean)
    scored = Scored.of(given, model.predict(e.to_listing() for e in given), taxonomy)
    return label_noise(scored, np.arange(len(given)), taxonomy.names)


def test_exchanged_labels_are_found_and_another_one_is_suggested(
    table_model: Build, clean: list[Example], taxonomy: Taxonomy
) -> None:
    wrong = {5, 40, 77, 93}
    given = [replace(e, labels=(NAMES[(i + 1) % 3],)) if i in wrong else e for i, e in enumerate(clean)]
    found = noise_of(given, table_model, clean, taxonomy)
    by_id = {issue.id: issue for issue in found.issues}

    assert {f"e{i}" for i in wrong} <= set(by_id)
    assert found.flagged <= len(wrong) + 12
    for i in wrong:
        assert by_id[f"e{i}"].given == NAMES[(i + 1) % 3]
        doubtful = by_id[f"e{i}"].doubtful
        assert f"+{NAMES[i % 3]}" in doubtful or f"-{NAMES[(i + 1) % 3]}" in doubtful
        assert by_id[f"e{i}"].suggested != by_id[f"e{i}"].given
    assert sum(map(sum, found.per_class.values())) >= len(wrong)


def test_the_least_credible_comes_first(table_model: Build, clean: list[Example], taxonomy: Taxonomy) -> None:
    given = [replace(e, labels=(NAMES[(i + 1) % 3],)) if i % 15 == 0 else e for i, e in enumerate(clean)]
    qualities = [issue.quality for issue in noise_of(given, table_model, clean, taxonomy).issues]

    assert qualities == sorted(qualities)
    assert qualities[0] < 0.2


def test_examples_without_a_hazard_and_few_examples_are_left_alone(
    table_model: Build, clean: list[Example], taxonomy: Taxonomy
) -> None:
    none = [replace(e, labels=()) for e in clean]
    assert noise_of(none, table_model, clean, taxonomy) == LabelNoise(0, 0, {}, [])
    assert noise_of(clean[:30], table_model, clean, taxonomy) == LabelNoise(30, 0, {}, [])


def test_a_rare_hazard_is_not_judged(table_model: Build, clean: list[Example], taxonomy: Taxonomy) -> None:
    given = [replace(e, labels=("drowning",)) if i < 3 else e for i, e in enumerate(clean)]
    assert "drowning" not in noise_of(given, table_model, clean, taxonomy).per_class

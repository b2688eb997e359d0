"""What the evidence index of a trained model holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.classifier.classifier import HazardClassifier
from models.classifier.neighbours import find_evidence
from models.domain.alert import Example
from models.domain.listing import Listing
from training import evidence_items
from training.evidence_items import evidence_index


def test_examples_with_known_labels_are_kept(small_model: HazardClassifier) -> None:
    examples = [
        Example("SR/1", "Laser pointer", labels=("damage to sight",), url="https://alerts.example/1"),
        Example("?", "Nobody looked", labels=None),
    ]
    index = evidence_index(small_model, examples)
    vector = small_model.encoder.encode("Laser pointer").embedding
    ((item, similarity),) = index.nearest(vector, "damage to sight")[0]
    assert (len(index), item.reference, item.type, item.kind) == (1, "SR/1", "alert", "laser-pointer")
    assert similarity > 0.9


def test_without_examples_written_listings_stand_in_and_say_so(
    small_model: HazardClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_items, "MOST", 30)
    index = evidence_index(small_model, [], seed=1)
    model = replace(small_model, evidence=index)
    found = find_evidence(model, model.explained(Listing(id="1", title="Cotton bag")), None)
    assert found.searched == 30
    shown = [*found.supporting, *found.contradicting]
    assert {item.type for item in shown} == {"written"}
    assert "written from the knowledge base" in found.note

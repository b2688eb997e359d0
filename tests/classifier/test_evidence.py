"""Known items near a listing: found exactly, for and against, kept in the artifact, added while it is searched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.evidence import ITEMS, VECTORS, EvidenceIndex, EvidenceItem
from models.classifier.evidence_indexing import index_listings, items_of
from models.classifier.neighbours import find_evidence
from models.domain.alert import Example
from models.domain.errors import ArtifactError
from models.domain.listing import Listing
from models.domain.risk import RiskLevel

LABELS = ("fire", "choking")


def items(n: int, rng: np.random.Generator) -> list[EvidenceItem]:
    chosen = [tuple(label for label in LABELS if rng.random() < 0.4) for _ in range(n)]
    return [EvidenceItem("alert", f"A{i:05d}", f"item {i}", labels, url=f"https://a.example/{i}")
            for i, labels in enumerate(chosen)]  # fmt: skip


def unit(n: int, rng: np.random.Generator) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    vectors = rng.normal(size=(n, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([*LABELS, None]), st.integers(0, 2**31))
def test_the_nearest_are_those_that_looking_at_every_item_finds(
    stored: int, added: int, label: str | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    every, vectors, query = items(stored + added, rng), unit(stored + added, rng), unit(1, rng)[0]
    index = EvidenceIndex(every[:stored], vectors[:stored])
    index.add(every[stored:], vectors[stored:])
    assert len(index) == stored + added
    supporting, contradicting = index.nearest(query, label)
    holds = [not item.labels if label is None else label in item.labels for item in every]
    for found, side in ((supporting, True), (contradicting, False)):
        best = sorted((float(v @ query) for v, has in zip(vectors, holds, strict=True) if has == side), reverse=True)
        assert [similarity for _, similarity in found] == pytest.approx(best[:3], abs=1e-5)
        assert all((not i.labels if label is None else label in i.labels) == side for i, _ in found)


def test_an_item_added_again_takes_the_place_of_the_first() -> None:
    rng = np.random.default_rng(0)
    index, vector = EvidenceIndex(), unit(1, rng)
    item = EvidenceItem("review", "R1", "lamp", ("fire",), RiskLevel.HIGH)
    index.add([item], vector)
    index.add([replace(item, labels=(), risk_level=RiskLevel.NONE)], vector)
    supporting, contradicting = index.nearest(vector[0], "fire")
    assert (len(index), supporting, len(contradicting)) == (1, [], 1)


def test_what_a_person_found_to_be_of_low_risk_stands_against() -> None:
    vector = unit(1, np.random.default_rng(0))
    index = EvidenceIndex([EvidenceItem("review", "R1", "lamp", ("fire",), RiskLevel.LOW)], vector)
    assert [item.reference for item, _ in index.nearest(vector[0], "fire")[1]] == ["R1"]


def test_files_hold_the_items_and_no_text_of_theirs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    every, vectors = items(20, rng), unit(20, rng)
    for name, content in EvidenceIndex(every, vectors).files().items():
        (tmp_path / name).write_bytes(content)
    read = EvidenceIndex.load(tmp_path)
    query = unit(1, rng)[0]
    for ours, theirs in zip(
        read.nearest(query, "fire"), EvidenceIndex(every, vectors).nearest(query, "fire"), strict=True
    ):
        assert [item for item, _ in ours] == [item for item, _ in theirs]
        assert [s for _, s in ours] == pytest.approx([s for _, s in theirs], abs=1e-3)


def test_an_artifact_made_without_an_index_has_none_and_works(small_model: HazardClassifier, tmp_path: Path) -> None:
    assert EvidenceIndex().files() == {}
    bare = replace(small_model, evidence=EvidenceIndex())
    bare.save(tmp_path / "bare", {}, small_model._directory)
    assert len(HazardClassifier.load(tmp_path / "bare").evidence) == 0


def test_the_index_travels_with_the_model(small_model: HazardClassifier, tmp_path: Path) -> None:
    known = replace(small_model, evidence=index_listings(small_model, items_of(EXAMPLES)))
    manifest = known.save(tmp_path / "known", {}, small_model._directory)
    assert {ITEMS, VECTORS} <= set(manifest.files)
    assert len(HazardClassifier.load(tmp_path / "known").evidence) == 3


def test_half_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / ITEMS).write_bytes(b"")
    with pytest.raises(ArtifactError, match=f"{VECTORS} is missing"):
        EvidenceIndex.load(tmp_path)


def test_items_and_vectors_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    files = EvidenceIndex(items(3, np.random.default_rng(0)), unit(3, np.random.default_rng(0))).files()
    (tmp_path / VECTORS).write_bytes(files[VECTORS])
    (tmp_path / ITEMS).write_bytes(files[ITEMS].splitlines(keepends=True)[0])
    with pytest.raises(ArtifactError, match="1 items and 3 vectors"):
        EvidenceIndex.load(tmp_path)


EXAMPLES = [
    Example("SR/1", "Laser pointer, green, 5000 mW", labels=("damage to sight",), url="https://alerts.example/1"),
    Example("SR/2", "Baby rattle with small parts", labels=("choking",)),
    Example("OK/1", "Laser level for craftsmen, class 2", labels=(), risk_level=RiskLevel.NONE),
    Example("?", "Nobody looked at this", labels=None),
]


def test_evidence_has_number_link_and_why_it_is_near(small_model: HazardClassifier) -> None:
    model = replace(small_model, evidence=index_listings(small_model, items_of(EXAMPLES)))
    found = find_evidence(model, model.explained(Listing(id="1", title="Laser pointer 200 mW")), "damage to sight")
    assert found.searched == 3
    (nearest,) = found.supporting
    assert (nearest.reference, nearest.url, nearest.stands) == ("SR/1", "https://alerts.example/1", "for")
    assert {"laser", "pointer"} <= set(nearest.shared)
    assert nearest.kind == "laser pointer"
    assert "same kind of product" in nearest.why
    assert found.contradicting[0].reference == "OK/1"
    assert found.contradicting[0].similarity >= found.contradicting[1].similarity


def test_a_model_without_known_items_says_so(small_model: HazardClassifier) -> None:
    model = replace(small_model, evidence=EvidenceIndex())
    found = find_evidence(model, model.explained(Listing(id="1", title="Laser pointer")), None)
    assert (found.searched, found.supporting, found.contradicting) == (0, [], [])
    assert "no index" in found.note

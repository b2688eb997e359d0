"""Fine-tuning, on a tiny encoder that learns within seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.encoder_export import EMBEDDED_SHA256, export_encoder, load_sentence_transformer
from training.finetuning import FinetuneSettings, FinetuneTexts, HazardTexts, finetune

LAMPS = [f"mains table lamp with plug number {i}" for i in range(40)]
BALLS = [f"small rubber ball for children number {i}" for i in range(40)]
PAIRS = [("lamp", text) for text in LAMPS[:8]] + [("ball", text) for text in BALLS[:8]]


def texts(lamps: list[str], balls: list[str]) -> HazardTexts:
    labels = np.array([[True, False]] * len(lamps) + [[False, True]] * len(balls))
    return HazardTexts([*lamps, *balls], labels)


TRAIN, VALIDATION = texts(LAMPS[:30], BALLS[:30]), texts(LAMPS[30:], BALLS[30:])
TEXTS = FinetuneTexts(TRAIN, VALIDATION, PAIRS, texts(LAMPS[:8], BALLS[:8]))


SETTINGS = FinetuneSettings(epochs=4, batch=12, pairs=2, learning_rate=3e-3, max_tokens=24, kept=0.0)


def similarity_gap(directory: Path) -> float:
    """How much nearer two lamps are than a lamp and a ball."""
    vectors = load_sentence_transformer(str(directory)).encode(
        [LAMPS[31], LAMPS[35], BALLS[31]], normalize_embeddings=True
    )
    return float(vectors[0] @ vectors[1] - vectors[0] @ vectors[2])


@pytest.fixture(scope="module")
def tuned(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    cache = tmp_path_factory.mktemp("cache")
    return finetune(str(tiny_model), TEXTS, SETTINGS, cache=cache), cache


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return dict(load_sentence_transformer(str(directory))[0].auto_model.state_dict())


def test_products_of_different_hazards_move_apart(tiny_model: Path, tuned: tuple[Path, Path]) -> None:
    assert similarity_gap(tuned[0]) > similarity_gap(tiny_model) + 0.05


def test_equal_inputs_are_trained_once(tiny_model: Path, tuned: tuple[Path, Path]) -> None:
    found, cache = tuned
    before = (found / "model.safetensors").stat().st_mtime_ns
    assert finetune(str(tiny_model), TEXTS, SETTINGS, cache=cache) == found
    assert (found / "model.safetensors").stat().st_mtime_ns == before


def test_what_is_kept_of_the_original_weights_is_their_share_of_the_mean(
    tiny_model: Path, tuned: tuple[Path, Path]
) -> None:
    half = finetune(str(tiny_model), TEXTS, replace(SETTINGS, kept=0.5), cache=tuned[1])
    name = "encoder.layer.0.attention.self.query.weight"
    original, trained, mixed = (weights(place)[name] for place in (tiny_model, tuned[0], half))
    assert not torch.allclose(trained, original, atol=1e-3)
    assert torch.allclose(mixed, (original + trained) / 2, atol=1e-5)


def test_the_validation_part_is_learnt_from_in_the_finishing_epochs(tiny_model: Path, tmp_path: Path) -> None:
    swapped = HazardTexts(VALIDATION.texts, VALIDATION.labels[:, ::-1].copy())

    def trained(finishing: int, validation: HazardTexts) -> bytes:
        settings = FinetuneSettings(epochs=1, finishing_epochs=finishing, batch=12, pairs=2, max_tokens=24)
        found = finetune(str(tiny_model), FinetuneTexts(TRAIN, validation, PAIRS), settings, cache=tmp_path)
        return (found / "model.safetensors").read_bytes()

    assert trained(0, VALIDATION) == trained(0, swapped)
    assert trained(1, VALIDATION) != trained(1, swapped)


def test_hazards_of_corpus_listings_are_learnt_from_too(tiny_model: Path, tuned: tuple[Path, Path]) -> None:
    silent = finetune(str(tiny_model), FinetuneTexts(TRAIN, VALIDATION, PAIRS), SETTINGS, cache=tuned[1])
    assert (silent / "model.safetensors").read_bytes() != (tuned[0] / "model.safetensors").read_bytes()


def test_no_more_epochs_are_planned_than_there_is_time_for(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    finetune(str(tiny_model), TEXTS, replace(SETTINGS, epochs=50, minutes=0.0), cache=tmp_path)
    assert "no more than 1 epochs" in caplog.text
    assert "epoch 2:" not in caplog.text


def test_other_labels_are_another_training(tiny_model: Path, tuned: tuple[Path, Path]) -> None:
    swapped = HazardTexts(TRAIN.texts, TRAIN.labels[:, ::-1].copy())
    one_epoch = FinetuneSettings(epochs=1, finishing_epochs=0, batch=12, pairs=2, max_tokens=24)
    assert finetune(str(tiny_model), FinetuneTexts(swapped, VALIDATION, PAIRS), one_epoch, cache=tuned[1]) != tuned[0]


def test_nothing_but_the_result_is_left_behind(tuned: tuple[Path, Path]) -> None:
    left = {path.name for path in (tuned[1] / "finetuned").iterdir()}
    assert not [name for name in left if name.endswith((".checkpoint", ".part"))]


def test_a_run_that_was_cut_off_goes_on_from_its_last_epoch(tiny_model: Path, tmp_path: Path) -> None:
    class CutOffError(Exception):
        pass

    steps: list[int] = []

    def cut_off(stage: str, done: int, total: int) -> None:
        steps.append(done)
        if done >= total // 3:
            raise CutOffError

    with pytest.raises(CutOffError):
        finetune(str(tiny_model), TEXTS, SETTINGS, cut_off, cache=tmp_path)
    assert list((tmp_path / "finetuned").glob("*.checkpoint")), "the first epoch's checkpoint is kept"
    resumed: list[int] = []
    finetune(str(tiny_model), TEXTS, SETTINGS, lambda _s, d, _t: resumed.append(d), cache=tmp_path)
    assert min(resumed) > min(steps)


def test_the_result_exports_as_an_encoder(tuned: tuple[Path, Path], tmp_path: Path) -> None:
    exported = export_encoder(str(tuned[0]), cache=tmp_path)
    assert exported.graph.is_file()
    assert exported.weights_sha256 != EMBEDDED_SHA256

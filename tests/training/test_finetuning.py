"""Fine-tuning, on a tiny encoder that learns within seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.encoder_export import EMBEDDED_SHA256, export_encoder, load_sentence_transformer
from training.finetuning import Finetuned, FinetuneSettings, FinetuneTexts, HazardTexts, finetune

LAMPS = [f"mains table lamp with plug number {i}" for i in range(40)]
BALLS = [f"small rubber ball for children number {i}" for i in range(40)]
PAIRS = [("lamp", text) for text in LAMPS[:8]] + [("ball", text) for text in BALLS[:8]]


def texts(lamps: list[str], balls: list[str]) -> HazardTexts:
    labels = np.array([[True, False]] * len(lamps) + [[False, True]] * len(balls))
    return HazardTexts([*lamps, *balls], labels)


TRAIN, VALIDATION = texts(LAMPS[:30], BALLS[:30]), texts(LAMPS[30:], BALLS[30:])
TEXTS = FinetuneTexts(TRAIN, VALIDATION, PAIRS, texts(LAMPS[:8], BALLS[:8]))


SETTINGS = FinetuneSettings(epochs=2, finishing_epochs=1, batch=12, pairs=2, learning_rate=3e-3, max_tokens=24)


def similarity_gap(directory: Path) -> float:
    """How much nearer two lamps are than a lamp and a ball."""
    vectors = load_sentence_transformer(str(directory)).encode(
        [LAMPS[31], LAMPS[35], BALLS[31]], normalize_embeddings=True
    )
    return float(vectors[0] @ vectors[1] - vectors[0] @ vectors[2])


@pytest.fixture(scope="module")
def tuned(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finetuned, Path]:
    cache = tmp_path_factory.mktemp("cache")
    return finetune(str(tiny_model), TEXTS, SETTINGS, cache=cache), cache


def test_products_of_different_hazards_move_apart(tiny_model: Path, tuned: tuple[Finetuned, Path]) -> None:
    assert similarity_gap(tuned[0].encoder) > similarity_gap(tiny_model) + 0.05


def test_equal_inputs_are_trained_once(tiny_model: Path, tuned: tuple[Finetuned, Path]) -> None:
    both, cache = tuned
    before = (both.encoder / "model.safetensors").stat().st_mtime_ns
    assert finetune(str(tiny_model), TEXTS, SETTINGS, cache=cache) == both
    assert (both.encoder / "model.safetensors").stat().st_mtime_ns == before


def test_the_judge_is_the_encoder_before_it_saw_the_validation_part(tuned: tuple[Finetuned, Path]) -> None:
    weights = [(directory / "model.safetensors").read_bytes() for directory in (tuned[0].encoder, tuned[0].judge)]
    assert weights[0] != weights[1]


def test_what_the_validation_part_says_reaches_the_encoder_and_not_the_judge(tiny_model: Path, tmp_path: Path) -> None:
    quick = FinetuneSettings(epochs=1, finishing_epochs=1, batch=12, pairs=2, max_tokens=24)
    swapped = HazardTexts(VALIDATION.texts, VALIDATION.labels[:, ::-1].copy())
    one, other = (
        finetune(str(tiny_model), FinetuneTexts(TRAIN, part, PAIRS), quick, cache=tmp_path)
        for part in (VALIDATION, swapped)
    )
    read = [[(both.encoder, both.judge)[i] / "model.safetensors" for both in (one, other)] for i in (0, 1)]
    assert read[0][0].read_bytes() != read[0][1].read_bytes()
    assert read[1][0].read_bytes() == read[1][1].read_bytes()


def test_other_labels_are_another_training(tiny_model: Path, tuned: tuple[Finetuned, Path]) -> None:
    swapped = HazardTexts(TRAIN.texts, TRAIN.labels[:, ::-1].copy())
    one_epoch = FinetuneSettings(epochs=1, finishing_epochs=0, batch=12, pairs=2, max_tokens=24)
    assert finetune(str(tiny_model), FinetuneTexts(swapped, VALIDATION, PAIRS), one_epoch, cache=tuned[1]) != tuned[0]


def test_nothing_but_the_result_is_left_behind(tuned: tuple[Finetuned, Path]) -> None:
    left = {path.name for path in (tuned[1] / "finetuned").iterdir()}
    assert not [name for name in left if name.endswith((".checkpoint", ".part", ".judge"))]


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


def test_the_result_exports_as_an_encoder(tuned: tuple[Finetuned, Path], tmp_path: Path) -> None:
    exported = export_encoder(str(tuned[0].encoder), cache=tmp_path)
    assert exported.graph.is_file()
    assert exported.weights_sha256 != EMBEDDED_SHA256

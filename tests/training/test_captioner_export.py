"""Image-to-text models become ONNX that says the same; tiny ones are made here and loaded as large ones would be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from models.captioning.image_to_text import DESCRIPTION, TEXT_GRAPH, ImageToText, read_description
from models.captioning.isolation import IsolatedCaptioner
from models.domain.errors import InputError
from tests.captioning.conftest import Drawn
from training.captioner_export import export_captioner

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *("a", "an", "the", "green", "red", "laser", "pen", "toy", "box", "with", "small", "magnets", "on", "table"),
]


def tiny(kind: str, place: Path) -> Path:
    """A model with random weights in the form in which a hub serves one."""
    from transformers import (
        BertConfig,
        BertLMHeadModel,
        BlipConfig,
        BlipForConditionalGeneration,
        PreTrainedTokenizerFast,
        VisionEncoderDecoderModel,
        ViTConfig,
        ViTImageProcessorPil,
        ViTModel,
    )

    torch.manual_seed(3)
    tokens = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokens.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokens, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(place)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(place)
    size: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    }
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
    text = {**size, **special, "vocab_size": len(WORDS), "max_position_embeddings": 40}
    if kind == "blip":
        config = BlipConfig(
            vision_config={**size, "image_size": 32, "patch_size": 8},
            text_config={**text, "encoder_hidden_size": 16, "projection_dim": 16},
            projection_dim=16,
        )
        model: Any = BlipForConditionalGeneration(config)
    else:
        model = VisionEncoderDecoderModel(
            encoder=ViTModel(ViTConfig(**size, image_size=32, patch_size=8), add_pooling_layer=False),
            decoder=BertLMHeadModel(BertConfig(**text, is_decoder=True, add_cross_attention=True)),
        )
        model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = 2
        model.config.pad_token_id = model.generation_config.pad_token_id = 0
        model.config.eos_token_id = model.generation_config.eos_token_id = 3
    with torch.no_grad():  # large weights, so that words differ in likelihood and pictures in words
        for parameter in model.parameters():
            parameter.mul_(6.0)
        decoder = model.text_decoder if kind == "blip" else model.decoder
        decoder.cls.predictions.bias.copy_(torch.tensor([-50.0] * 3 + [-8.0] + [0.0] * (len(WORDS) - 4)))
    model.save_pretrained(place)
    return place


@pytest.fixture(scope="module", params=["blip", "vision-encoder-decoder"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    source = tiny(request.param, tmp_path_factory.mktemp(request.param))
    return source, export_captioner(str(source), tmp_path_factory.mktemp("out") / "captioner")


def pictures() -> list[Drawn]:
    noise = np.random.default_rng(0).integers(0, 255, (5, 40, 56, 3), dtype=np.uint8)
    return [Drawn(Image.fromarray(pixels)) for pixels in noise]


def test_the_exported_model_says_what_transformers_says(made: tuple[Path, Path]) -> None:
    from transformers import AutoImageProcessor, AutoTokenizer, BlipForConditionalGeneration, VisionEncoderDecoderModel

    source, exported = made
    kind = json.loads((source / "config.json").read_text())["model_type"]
    loader: Any = BlipForConditionalGeneration if kind == "blip" else VisionEncoderDecoderModel
    model = loader.from_pretrained(source).eval()
    processor, tokenizer = AutoImageProcessor.from_pretrained(source), AutoTokenizer.from_pretrained(source)
    captioner = ImageToText(exported)
    said = set()
    for picture in pictures():
        pixels = processor(images=picture.image, return_tensors="pt")["pixel_values"]
        ids = model.generate(pixel_values=pixels, do_sample=False, num_beams=1, max_new_tokens=30)
        wanted = " ".join(tokenizer.decode(ids[0], skip_special_tokens=True).split())
        captions = captioner.captions(picture, ())
        assert [caption.text for caption in captions] == ([wanted] if wanted else [])
        assert all(caption.source == "caption" and 0 < caption.confidence <= 1 for caption in captions)
        said.add(wanted)
    assert said - {""}


def test_it_runs_in_a_process_of_its_own_without_torch(made: tuple[Path, Path]) -> None:
    (picture, *_) = pictures()
    here = ImageToText(made[1])
    there = IsolatedCaptioner(
        "caption", here.key, "models.captioning.image_to_text:ImageToText", {"directory": str(made[1])}, seconds=120
    )
    assert there.captions(picture, ()) == here.captions(picture, ())
    there.close()


def test_the_same_source_is_exported_once(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HAZARDLENS_CACHE", str(tmp_path))
    first = export_captioner(str(made[0]))
    written = (first / TEXT_GRAPH).stat().st_mtime_ns

    assert export_captioner(str(made[0])) == first
    assert (first / TEXT_GRAPH).stat().st_mtime_ns == written
    assert read_description(first).size == (32, 32)


@pytest.mark.parametrize("damage", ["missing", "description", "graph"])
def test_a_damaged_captioner_is_refused(made: tuple[Path, Path], tmp_path: Path, damage: str) -> None:
    for file in made[1].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    if damage == "missing":
        (tmp_path / TEXT_GRAPH).unlink()
    elif damage == "description":
        (tmp_path / DESCRIPTION).write_text('{"name": "x"}')
    else:
        (tmp_path / TEXT_GRAPH).write_bytes(b"no graph")
    told = {"missing": f"has no {TEXT_GRAPH}", "description": "Field required", "graph": "cannot be loaded"}
    with pytest.raises(InputError, match=told[damage]):
        ImageToText(tmp_path)


def test_a_model_of_another_kind_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="kind 'bert', which cannot be exported"):
        export_captioner(str(tmp_path), tmp_path / "out")

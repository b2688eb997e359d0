"""An image-to-text model of transformers -> ONNX graphs, tokenizer and a description, as `ImageToText` runs them."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.captioning.image_to_text import DESCRIPTION, TEXT_GRAPH, TOKENIZER, VISION_GRAPH
from models.domain.errors import InputError
from models.domain.resources import cache_dir

_EXPORT_VERSION = 1
"""Raise when the export changes, so that cached models are made anew."""
_OPSET = 17
_MOST_TOKENS = 30

log = logging.getLogger(__name__)


def export_captioner(name: str, out: Path | None = None) -> Path:
    """Export a model; the second call for the same source and place costs nothing.

    Parameters
    ----------
    name : str
        Directory of an image-to-text model of transformers, or a hub name. BLIP and what `VisionEncoderDecoderModel`
        loads (a vision encoder with GPT-2, BERT or the like) can be exported.
    out : Path, optional
        Where to; by default a place in the cache.

    Returns
    -------
    Path
        The directory for `ImageToText` and the setting HAZARDLENS_CAPTION_MODEL.

    Raises
    ------
    InputError
        If it cannot be loaded, or is of a kind that cannot be exported.
    """
    target = out or cache_dir() / "captioners" / f"{_digest(name)}-v{_EXPORT_VERSION}"
    if (target / DESCRIPTION).is_file():
        return target
    if target.exists() and any(target.iterdir()):
        raise InputError("holds something else than a captioner", place=str(target), hint="give another directory")
    model, processor, tokenizer = _load(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        _write(model, processor, tokenizer, name, staging)
        if target.exists():
            target.rmdir()
        staging.rename(target)
    finally:
        if staging.exists():
            shutil.rmtree(staging)
    return target


def _load(name: str) -> tuple[Any, Any, Any]:
    from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(name)
        loader = _loader(config.model_type, name)
        return (
            loader.from_pretrained(name, attn_implementation="eager").eval(),
            AutoImageProcessor.from_pretrained(name),
            AutoTokenizer.from_pretrained(name),
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot load image-to-text model {name}: {str(error)[:300]}",
            hint="a directory of one, or a hub name that is reachable",
        ) from error


def _loader(kind: str, name: str) -> Any:
    from transformers import BlipForConditionalGeneration, VisionEncoderDecoderModel

    loaders = {"blip": BlipForConditionalGeneration, "vision-encoder-decoder": VisionEncoderDecoderModel}
    if kind not in loaders:
        raise InputError(
            f"{name} is of kind {kind!r}, which cannot be exported",
            hint=f"take one of {', '.join(loaders)}, or serve it over HTTP and give HAZARDLENS_CAPTION_URL",
        )
    return loaders[kind]


def _write(model: Any, processor: Any, tokenizer: Any, name: str, folder: Path) -> None:
    import torch

    vision, text, tokens = _blip(model) if model.config.model_type == "blip" else _encoder_decoder(model, tokenizer)
    height, width = _size(processor.size)
    pixels = torch.zeros(1, 3, height, width)
    ids = torch.tensor([tokens["start"] * 3][:1], dtype=torch.long)
    log.info("exporting the captioner to ONNX")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        hidden = vision(pixels)
        torch.onnx.export(
            vision, (pixels,), str(folder / VISION_GRAPH), input_names=["pixels"], output_names=["hidden"],
            opset_version=_OPSET, dynamo=False,
        )  # fmt: skip
        torch.onnx.export(
            text, (ids, hidden), str(folder / TEXT_GRAPH), input_names=["ids", "hidden"], output_names=["logits"],
            dynamic_axes={"ids": {1: "tokens"}}, opset_version=_OPSET, dynamo=False,
        )  # fmt: skip
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    description = {
        "name": name,
        "version": _EXPORT_VERSION,
        "size": [width, height],
        "resample": int(processor.resample),
        "mean": list(processor.image_mean),
        "std": list(processor.image_std),
        "most_tokens": _MOST_TOKENS,
        **tokens,
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def _blip(model: Any) -> tuple[Any, Any, dict[str, Any]]:
    import torch

    class Vision(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.vision = model.vision_model

        def forward(self, pixels: Any) -> Any:
            return self.vision(pixel_values=pixels)[0]

    class Text(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.decoder = model.text_decoder

        def forward(self, ids: Any, hidden: Any) -> Any:
            seen = torch.ones(hidden.shape[:2], dtype=torch.long)
            answer = self.decoder(
                input_ids=ids, encoder_hidden_states=hidden, encoder_attention_mask=seen, use_cache=False
            )
            return answer.logits[:, -1]

    config = model.config.text_config
    return Vision(), Text(), {"start": [config.bos_token_id], "end": [config.sep_token_id]}


def _encoder_decoder(model: Any, tokenizer: Any) -> tuple[Any, Any, dict[str, Any]]:
    import torch

    class Vision(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = model.encoder
            self.projection = getattr(model, "enc_to_dec_proj", None)

        def forward(self, pixels: Any) -> Any:
            hidden = self.encoder(pixel_values=pixels)[0]
            return hidden if self.projection is None else self.projection(hidden)

    class Text(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.decoder = model.decoder

        def forward(self, ids: Any, hidden: Any) -> Any:
            return self.decoder(input_ids=ids, encoder_hidden_states=hidden, use_cache=False).logits[:, -1]

    known = (model.generation_config, model.config, tokenizer)
    start = next(
        (found for source in known for field in ("decoder_start_token_id", "bos_token_id")
         if (found := getattr(source, field, None)) is not None), None,
    )  # fmt: skip
    end = next((found for source in known if (found := getattr(source, "eos_token_id", None)) is not None), None)
    if start is None or end is None:
        raise InputError("the model names no first and no last token", hint="set decoder_start_token_id, eos_token_id")
    return Vision(), Text(), {"start": [start], "end": end if isinstance(end, list) else [end]}


def _size(size: Mapping[str, int]) -> tuple[int, int]:
    side = size.get("shortest_edge", 0)
    return size.get("height", side), size.get("width", side)


def _digest(name: str) -> str:
    """Return a short digest of all files of a directory, of the name for a hub model."""
    source = Path(name)
    digest = hashlib.sha256()
    if not source.is_dir():
        digest.update(name.encode())
        return digest.hexdigest()[:16]
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{path.relative_to(source)}\x1f{content}\x1e".encode())
    return digest.hexdigest()[:16]

"""Captions written by an image-to-text model, run by ONNX Runtime; `hazardlens captioner` exports one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tokenizers import Tokenizer

from models.captioning.captioner import PictureToRead
from models.domain.errors import InputError
from models.domain.listing import LIMITS, Caption

DESCRIPTION, VISION_GRAPH, TEXT_GRAPH, TOKENIZER = "captioner.json", "vision.onnx", "text.onnx", "tokenizer.json"
FILES = (DESCRIPTION, VISION_GRAPH, TEXT_GRAPH, TOKENIZER)


class CaptionerDescription(BaseModel):
    """What `captioner.json` says: how a picture is made ready, and which tokens begin and end a sentence.

    Parameters
    ----------
    size : (int, int)
        Width and height in pixels.
    resample : int
        Filter of Pillow.
    mean, std : sequence of float
        Of each channel, after division by 255.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    size: tuple[int, int]
    resample: int = Field(ge=0, le=5)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    start: list[int] = Field(min_length=1)
    end: list[int] = Field(min_length=1)
    most_tokens: int = Field(gt=0, le=512)


class ImageToText:
    """Gives one sentence for a picture: at each step the likeliest word, until the model ends it.

    Parameters
    ----------
    directory : str or Path
        What `hazardlens captioner` wrote.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """

    source = "caption"

    def __init__(self, directory: str | Path, threads: int = 1) -> None:
        root = Path(directory)
        self.description = read_description(root)
        self.key = captioner_key(root)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        try:
            self._vision = onnxruntime.InferenceSession(str(root / VISION_GRAPH), options, providers=providers)
            self._text = onnxruntime.InferenceSession(str(root / TEXT_GRAPH), options, providers=providers)
            self._tokenizer = Tokenizer.from_file(str(root / TOKENIZER))
        except Exception as error:  # ONNX Runtime and tokenizers raise types of their own, some of them plain Exception
            raise InputError(
                f"cannot be loaded: {str(error)[:200]}", place=str(root), hint="export the model again"
            ) from error

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:  # noqa: ARG002
        """Return the sentence; its confidence is the geometric mean of its words' probabilities."""
        hidden = self._vision.run(None, {"pixels": self._pixels(picture.image)})[0]
        ids = list(self.description.start)
        likelihoods: list[float] = []
        for _ in range(self.description.most_tokens):
            logits = self._text.run(None, {"ids": np.array([ids], dtype=np.int64), "hidden": hidden})[0][0]
            best = int(logits.argmax())
            likelihoods.append(-float(np.log(np.exp(logits.astype(np.float64) - logits[best]).sum())))
            if best in self.description.end:
                break
            ids.append(best)
        words = " ".join(self._tokenizer.decode(ids, skip_special_tokens=True).split())
        if not words:
            return []
        confidence = float(np.exp(np.mean(likelihoods)))
        return [Caption(text=words[: LIMITS["caption"]], source="caption", confidence=round(min(1.0, confidence), 3))]

    def _pixels(self, image: Image.Image) -> NDArray[np.float32]:
        sized = image.convert("RGB").resize(self.description.size, Image.Resampling(self.description.resample))
        scaled = np.asarray(sized, dtype=np.float32) / 255
        normal = (scaled - np.array(self.description.mean)) / np.array(self.description.std)
        pixels: NDArray[np.float32] = normal.transpose(2, 0, 1)[None].astype(np.float32)
        return pixels


def read_description(directory: Path) -> CaptionerDescription:
    """Read what a directory says about its captioner.

    Raises
    ------
    InputError
        If it holds none.
    """
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise InputError(
            f"has no {missing[0]}",
            place=str(directory),
            hint="export a model there: hazardlens captioner NAME --out DIR",
        )
    try:
        return CaptionerDescription.model_validate_json((directory / DESCRIPTION).read_bytes())
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = f"{directory / DESCRIPTION}: {'.'.join(map(str, fault['loc']))}"
        raise InputError(fault["msg"], place=place, hint="export the model again") from error


def captioner_key(directory: Path) -> str:
    """Return what the captions depend on: the content of the directory's files."""
    digest = hashlib.sha256()
    for name in FILES:
        with (directory / name).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"image-to-text {digest.hexdigest()[:16]}"

"""Text read off pictures by RapidOCR: PP-OCRv6, whose small models its wheel carries; Latin, Greek, Han and kana."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from models.captioning.captioner import PictureToRead
from models.captioning.layout import Point, ReadLine, is_tall, paragraphs, side_lengths
from models.domain.errors import InputError
from models.domain.listing import LIMITS, Caption

_LONGEST_SIDE = 1536
"""Pixels to which larger pictures are made smaller to find text in them; what is found is read at full size."""


class OcrCaptioner:
    """Gives the paragraphs of a picture.

    Raises
    ------
    InputError
        If rapidocr is not installed.
    """

    source = "ocr"

    def __init__(self) -> None:
        self.key = ocr_key()
        self._reader = RapidReader()

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:  # noqa: ARG002
        """Return a caption for each paragraph, those with the most letters first where there are many."""
        return as_captions(self._reader.lines(picture))


def as_captions(lines: Sequence[ReadLine]) -> list[Caption]:
    """Return the paragraphs of some lines as captions."""
    return [
        Caption(text=found.text[: LIMITS["caption"]], source="ocr", confidence=round(min(1.0, found.confidence), 3))
        for found in paragraphs(lines)
    ]


def ocr_key() -> str:
    """Return what the answers depend on.

    Raises
    ------
    InputError
        If rapidocr is not installed.
    """
    try:
        return f"rapidocr {version('rapidocr')} {_LONGEST_SIDE} 1"
    except PackageNotFoundError as error:
        raise InputError("the package rapidocr is not installed", hint="pip install 'hazardlens[pictures]'") from error


class RapidReader:
    """Finds and reads lines; loads the models when it is made, about 0.4 GB at work."""

    def __init__(self, threads: int = 1) -> None:
        ocr_key()
        from rapidocr import RapidOCR

        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.text_score": 0.0,
                "Det.limit_type": "max",
                "Det.limit_side_len": _LONGEST_SIDE,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def lines(self, picture: PictureToRead) -> list[ReadLine]:
        """Return every line that is found, also those that could hardly be read."""
        from rapidocr.main import RapidOCRError

        pixels = np.ascontiguousarray(np.asarray(picture.image.convert("RGB"))[:, :, ::-1])
        try:
            cuts, found = self._engine.detect_and_crop(*self._engine.preprocess_img(pixels))
        except RapidOCRError:  # how the engine says that there is no text
            return []
        corners = [[(float(x), float(y)) for x, y in box] for box in found.boxes]
        turned = _turned(corners, self._engine.cls_and_rotate(cuts)[1].cls_res)
        read = self._engine.recognize_txt([np.rot90(cut, 2) if t else cut for cut, t in zip(cuts, turned, strict=True)])
        return [
            ReadLine(text, float(score), box, t)
            for box, text, score, t in zip(corners, read.txts, read.scores, turned, strict=True)
        ]


def _turned(boxes: Sequence[Sequence[Point]], classes: Sequence[tuple[str, float]]) -> list[bool]:
    """Say which lines stand on their head: all broad ones or none, all tall ones or none, as most of their length says.

    The engine judges each line alone and is wrong about one in ten; a print has one way up.
    """
    votes = {True: 0.0, False: 0.0}
    tall = [is_tall(box) for box in boxes]
    for box, upended, (label, sure) in zip(boxes, tall, classes, strict=True):
        votes[upended] += max(side_lengths(box)) * (float(sure) - 0.5) * (1 if label == "180" else -1)
    return [votes[upended] > 0 for upended in tall]

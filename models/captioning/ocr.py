"""Text read off pictures by RapidOCR, and by Tesseract what that cannot read.

RapidOCR's wheel carries the small models of PP-OCRv6, which know Latin, Greek, Han and kana.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from models.captioning.captioner import PictureToRead
from models.captioning.layout import Point, ReadLine, cleaned, is_tall, paragraphs, side_lengths
from models.captioning.tesseract import Tesseract, tesseract_key
from models.domain.errors import InputError
from models.domain.listing import LIMITS, Caption

_LONGEST_SIDE = 1536
"""Pixels to which larger pictures are made smaller to find text in them; what is found is read at full size."""
_SURE = 0.9
"""Confidence below which a line may be in a script that the engine does not know: it then sees letters it knows."""
_LEAD = 0.1
"""The engine's confidence in such letters is that much too high beside Tesseract's in words."""


class OcrCaptioner:
    """Gives the paragraphs of a picture.

    Parameters
    ----------
    tesseract : str
        Language packs for lines in scripts that RapidOCR does not know, see `Tesseract`; empty leaves these unread.

    Raises
    ------
    InputError
        If rapidocr, Tesseract or a pack is not installed.
    """

    source = "ocr"

    def __init__(self, tesseract: str = "") -> None:
        self.key = ocr_key(tesseract)
        self._reader = RapidReader(Tesseract(tesseract) if tesseract else None)

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:  # noqa: ARG002
        """Return a caption for each paragraph, those with the most letters first where there are many."""
        return as_captions(self._reader.lines(picture))


def as_captions(lines: Sequence[ReadLine]) -> list[Caption]:
    """Return the paragraphs of some lines as captions."""
    return [
        Caption(text=found.text[: LIMITS["caption"]], source="ocr", confidence=round(min(1.0, found.confidence), 3))
        for found in paragraphs(lines)
    ]


def ocr_key(tesseract: str = "") -> str:
    """Return what the answers depend on.

    Raises
    ------
    InputError
        If rapidocr is not installed.
    """
    try:
        own = f"rapidocr {version('rapidocr')} {_LONGEST_SIDE} 1"
    except PackageNotFoundError as error:
        raise InputError("the package rapidocr is not installed", hint="pip install 'hazardlens[pictures]'") from error
    return f"{own}, {tesseract_key(tesseract)}" if tesseract else own


class RapidReader:
    """Finds and reads lines; loads the models when it is made, about 0.4 GB at work."""

    def __init__(self, other: Tesseract | None = None, threads: int = 1) -> None:
        ocr_key()
        from rapidocr import RapidOCR

        self._other = other
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
        upright = [np.rot90(cut, 2) if t else cut for cut, t in zip(cuts, turned, strict=True)]
        read = self._engine.recognize_txt(upright)
        if min(read.scores) < _SURE:
            # Letters that the engine does not know mislead its vote; those that it can read the right way round decide.
            other_way = [np.rot90(cut, 2) for cut in upright]
            again = self._engine.recognize_txt(other_way)
            if _read_well(again.txts, again.scores) > _read_well(read.txts, read.scores):
                upright, read, turned = other_way, again, [not t for t in turned]
        lines = [
            ReadLine(text, float(score), box, t)
            for box, text, score, t in zip(corners, read.txts, read.scores, turned, strict=True)
        ]
        return lines if self._other is None else _reread(lines, upright, self._other)


def _read_well(texts: Sequence[str], scores: Sequence[float]) -> int:
    """Return how many letters and digits stand in lines that were surely read."""
    return sum(sum(map(str.isalnum, text)) for text, score in zip(texts, scores, strict=True) if score >= _SURE)


def _reread(lines: Sequence[ReadLine], cuts: Sequence[Any], other: Tesseract) -> list[ReadLine]:
    """Have another reader try the lines that could hardly be read; the surer reading stands."""
    unsure = [i for i, line in enumerate(lines) if line.confidence < _SURE or not cleaned(line.text)]
    if not unsure:
        return list(lines)
    # A line that was surely read tells which way is up for all of them.
    readings, turned = other.read([cuts[i][:, :, ::-1] for i in unsure], upright_known=len(unsure) < len(lines))
    better = list(lines)
    for i, (text, confidence) in zip(unsure, readings, strict=True):
        if text and confidence > (lines[i].confidence if cleaned(lines[i].text) else 0.0) - _LEAD:
            better[i] = replace(lines[i], text=text, confidence=confidence, turned=lines[i].turned != turned)
    return better


def _turned(boxes: Sequence[Sequence[Point]], classes: Sequence[tuple[str, float]]) -> list[bool]:
    """Say which lines stand on their head: all broad ones or none, all tall ones or none, as most of their length says.

    The engine judges each line alone and is wrong about one in ten; a print has one way up.
    """
    votes = {True: 0.0, False: 0.0}
    tall = [is_tall(box) for box in boxes]
    for box, upended, (label, sure) in zip(boxes, tall, classes, strict=True):
        votes[upended] += max(side_lengths(box)) * (float(sure) - 0.5) * (1 if label == "180" else -1)
    return [votes[upended] > 0 for upended in tall]

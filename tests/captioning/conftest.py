"""Pictures that the tests draw, and captioners that behave as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from models.captioning.captioner import PictureToRead
from models.domain.listing import Caption

FONT = Path(pytest.importorskip("matplotlib").get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@dataclass(frozen=True)
class Drawn:
    """A picture as decoding gives it."""

    image: Image.Image
    sha256: str = "ab" * 32


def draw(*lines: tuple[str, int], size: tuple[int, int] = (900, 420), turn: int = 0) -> Drawn:
    """A white package with lines of print, each with its height in pixels, turned counter-clockwise by degrees."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    top = 30
    for text, height in lines:
        pen.text((40, top), text, font=ImageFont.truetype(FONT, height), fill="black")
        top += round(1.3 * height * (text.count("\n") + 1)) + 24
    return Drawn(image.rotate(turn, expand=True, fillcolor="white"))


@dataclass
class Scripted:
    """A captioner that answers as told and counts how often it is asked."""

    answer: Callable[[PictureToRead, Sequence[Caption]], list[Caption]]
    source: str = "caption"
    key: str = "scripted 1"
    asked: list[str] = field(default_factory=list)

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:
        """Answer."""
        self.asked.append(picture.sha256)
        return self.answer(picture, before)


def saying(*texts: str, source: str = "caption", key: str = "scripted 1") -> Scripted:
    """A captioner with the same words for every picture."""
    return Scripted(lambda *_: [Caption(text=text, source=source) for text in texts], source, key)

"""The seam: what a captioner is, what it gets, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image

from models.domain.errors import HazardlensError
from models.domain.listing import Caption


class CaptioningError(HazardlensError):
    """A captioner gave nothing for a picture; the message says why, in words for the assessment's notes."""


class PictureToRead(Protocol):
    """A decoded picture, as `models.pictures.decoding` gives it."""

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the file."""
        ...

    @property
    def image(self) -> Image:
        """The pixels, RGB, upright where the file says how it was held."""
        ...


class Captioner(Protocol):
    """Gives captions of pictures.

    Attributes
    ----------
    source : str
        ``ocr``, ``caption`` or ``mark``: the source of its captions.
    key : str
        Changes with everything that changes its answers: engine, models, settings. Empty where answers must not be
        kept.
    """

    source: str
    key: str

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:
        """Return the captions of a picture.

        Parameters
        ----------
        before : sequence of Caption
            What the captioners before this one gave for the same picture, and the words that came with it.

        Raises
        ------
        CaptioningError
            Where there is no answer; any other exception counts the same.
        """
        ...

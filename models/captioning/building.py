"""From settings to the chain of captioners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.captioning.cache import CaptionCache
from models.captioning.captioner import Captioner
from models.captioning.chain import CaptionChain
from models.captioning.isolation import IsolatedCaptioner
from models.captioning.mark_reading import MarkCaptioner
from models.captioning.ocr import ocr_key
from models.domain.errors import InputError

CAPTIONERS = ("ocr", "mark")
"""Captioners by name, in the order in which they are best asked."""


@dataclass(frozen=True)
class CaptionerSettings:
    """Which captioners are asked, and with what.

    Parameters
    ----------
    names : tuple of str
        Of `CAPTIONERS`, in order; none reads no pictures.
    seconds : float
        Time by the clock that each captioner may take for a picture.
    cache : Path or None
        Directory of answers that are kept; None keeps none.
    cache_bytes : int
        Bytes of all kept answers together.
    """

    names: tuple[str, ...] = ("ocr", "mark")
    seconds: float = 60.0
    cache: Path | None = None
    cache_bytes: int = 50_000_000

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in CAPTIONERS:
                raise InputError(f"no captioner {name!r}", hint=f"give some of {', '.join(CAPTIONERS)}")


def pictures_can_be_read() -> bool:
    """Whether the package that reads text in pictures is installed: the extra ``pictures``."""
    return find_spec("rapidocr") is not None


def build_chain(settings: CaptionerSettings) -> CaptionChain:
    """Return the chain; nothing is loaded and no process started before the first picture.

    Raises
    ------
    InputError
        If a captioner lacks what it needs.
    """
    captioners = [_MAKERS[name](settings) for name in settings.names]
    cache = CaptionCache(settings.cache, settings.cache_bytes) if settings.cache else None
    return CaptionChain(captioners, cache)


def _ocr(settings: CaptionerSettings) -> Captioner:
    return IsolatedCaptioner("ocr", ocr_key(), "models.captioning.ocr:OcrCaptioner", seconds=settings.seconds)


def _mark(_: CaptionerSettings) -> Captioner:
    return MarkCaptioner()


_MAKERS: Mapping[str, Callable[[CaptionerSettings], Captioner]] = {"ocr": _ocr, "mark": _mark}

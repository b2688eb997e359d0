"""From settings to the chain of captioners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.captioning.cache import CaptionCache
from models.captioning.captioner import Captioner
from models.captioning.chain import CaptionChain
from models.captioning.image_to_text import captioner_key, read_description
from models.captioning.isolation import IsolatedCaptioner
from models.captioning.mark_reading import MarkCaptioner
from models.captioning.ocr import ocr_key
from models.captioning.remote import RemoteCaptioner, RemoteLimits
from models.domain.errors import InputError

CAPTIONERS = ("ocr", "mark", "caption", "remote")
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
    tesseract : str
        Language packs for scripts that RapidOCR does not know, see `models.captioning.tesseract`; empty leaves these
        unread.
    model : Path or None
        Directory of an exported image-to-text model, for ``caption``.
    url, token : str
        The captioning service, for ``remote``.
    a_day : int
        Most requests to the service in 24 hours; 0 is no limit.
    """

    names: tuple[str, ...] = ("ocr", "mark")
    seconds: float = 60.0
    cache: Path | None = None
    cache_bytes: int = 50_000_000
    tesseract: str = ""
    model: Path | None = None
    url: str = ""
    token: str = ""
    a_day: int = 10_000

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in CAPTIONERS:
                raise InputError(f"no captioner {name!r}", hint=f"give some of {', '.join(CAPTIONERS)}")
        for name, needed in (("caption", self.model), ("remote", self.url)):
            if name in self.names and not needed:
                what = "the directory of a model" if name == "caption" else "the address of a service"
                raise InputError(f"captioner {name!r} needs {what}", hint=f"give it, or leave {name!r} out")


def pictures_can_be_read() -> bool:
    """Whether the package that reads text in pictures is installed: the extra ``pictures``."""
    return find_spec("rapidocr") is not None


def build_chain(settings: CaptionerSettings) -> CaptionChain:
    """Return the chain; no model is loaded and no process started before the first picture.

    Raises
    ------
    InputError
        If a captioner lacks what it needs.
    """
    captioners = [_MAKERS[name](settings) for name in settings.names]
    cache = CaptionCache(settings.cache, settings.cache_bytes) if settings.cache else None
    return CaptionChain(captioners, cache)


def _ocr(settings: CaptionerSettings) -> Captioner:
    key, chosen = ocr_key(settings.tesseract), {"tesseract": settings.tesseract}
    return IsolatedCaptioner("ocr", key, "models.captioning.ocr:OcrCaptioner", chosen, seconds=settings.seconds)


def _mark(_: CaptionerSettings) -> Captioner:
    return MarkCaptioner()


def _caption(settings: CaptionerSettings) -> Captioner:
    assert settings.model is not None
    read_description(settings.model)
    return IsolatedCaptioner(
        "caption",
        captioner_key(settings.model),
        "models.captioning.image_to_text:ImageToText",
        {"directory": str(settings.model.resolve())},
        seconds=settings.seconds,
    )


def _remote(settings: CaptionerSettings) -> Captioner:
    return RemoteCaptioner(settings.url, settings.token, RemoteLimits(settings.seconds, a_day=settings.a_day))


_MAKERS: Mapping[str, Callable[[CaptionerSettings], Captioner]] = {
    "ocr": _ocr,
    "mark": _mark,
    "caption": _caption,
    "remote": _remote,
}

"""Which captioners read the pictures of listings, from the server's settings."""

from __future__ import annotations

from models.captioning.building import CaptionerSettings, pictures_can_be_read
from serving.settings import Settings

NONE = "none"
"""In place of names: pictures have only the words that came with them."""


def captioner_settings(settings: Settings) -> CaptionerSettings:
    """Return what `build_chain` needs.

    Where the settings name no captioners, those are asked that have what they need: `ocr` and `mark` where the extra
    ``pictures`` is installed, `caption` where a model is given, `remote` where a service is.

    Raises
    ------
    InputError
        If a captioner is named that does not exist or lacks what it needs.
    """
    has = {
        "ocr": pictures_can_be_read(),
        "mark": pictures_can_be_read(),
        "caption": settings.caption_model is not None,
        "remote": settings.caption_url is not None,
    }
    names = settings.captioners or tuple(name for name, there in has.items() if there)
    return CaptionerSettings(
        names=() if names == (NONE,) else names,
        seconds=settings.captioner_seconds,
        cache=settings.pictures / "captions",
        cache_bytes=settings.caption_cache_mb * 1_000_000,
        tesseract=settings.tesseract or "",
        model=settings.caption_model,
        url=settings.caption_url or "",
        token=settings.caption_token or "",
        a_day=settings.caption_a_day,
    )

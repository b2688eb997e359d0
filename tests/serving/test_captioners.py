"""The settings of a server choose who reads its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.captioning.building import pictures_can_be_read
from models.domain.errors import InputError
from serving.captioners import captioner_settings
from serving.settings import Settings

OCR = ("ocr", "mark") if pictures_can_be_read() else ()


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, OCR),
        ({"HAZARDLENS_CAPTIONERS": "none"}, ()),
        ({"HAZARDLENS_CAPTIONERS": "mark, ocr"}, ("mark", "ocr")),
        ({"HAZARDLENS_CAPTION_URL": "http://127.0.0.1:9"}, (*OCR, "remote")),
        ({"HAZARDLENS_CAPTION_MODEL": "blip"}, (*OCR, "caption")),
    ],
)
def test_those_are_asked_that_are_named_or_have_what_they_need(
    environment: dict[str, str], names: tuple[str, ...]
) -> None:
    settings = Settings.from_environment(environment)

    assert captioner_settings(settings).names == names
    assert Settings.from_environment(settings.as_environment()) == settings


def test_what_the_captioners_need_is_handed_on() -> None:
    settings = Settings(
        captioners=("ocr", "remote"), captioner_seconds=9, pictures=Path("c"), caption_cache_mb=2, tesseract="rus",
        caption_url="http://c", caption_token="t", caption_a_day=3,
    )  # fmt: skip
    found = captioner_settings(settings)

    assert (found.seconds, found.cache, found.cache_bytes, found.tesseract) == (9, Path("c/captions"), 2_000_000, "rus")
    assert (found.url, found.token, found.a_day) == ("http://c", "t", 3)


@pytest.mark.parametrize("named", ["eye", "caption", "remote"])
def test_a_captioner_that_does_not_exist_or_lacks_something_is_refused(named: str) -> None:
    with pytest.raises(InputError, match=f"captioner '{named}'"):
        captioner_settings(Settings(captioners=(named,)))

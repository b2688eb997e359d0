"""Print on pictures is read, whichever way they are held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image

from models.captioning.isolation import IsolatedCaptioner
from models.captioning.ocr import OcrCaptioner, ocr_key
from tests.captioning.conftest import Drawn, draw

pytest.importorskip("rapidocr")
PRINT = (("SPACE BALLS", 56), ("Not for children under 3 years:\nsmall magnets.", 26), ("Laser 5000 mW", 18))
READ = ["SPACE BALLS", "Not for children under 3 years: small magnets.", "Laser 5000 mW"]


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedCaptioner]:
    captioner = IsolatedCaptioner("ocr", ocr_key(), "models.captioning.ocr:OcrCaptioner", seconds=300)
    yield captioner
    captioner.close()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 9])
def test_a_package_is_read_whichever_way_it_is_held(reader: IsolatedCaptioner, degrees: int) -> None:
    captions = reader.captions(draw(*PRINT, size=(700, 320), turn=degrees), ())

    assert sorted(caption.text for caption in captions) == sorted(READ)
    assert all(caption.source == "ocr" and caption.confidence > 0.8 for caption in captions)


def test_a_picture_without_print_has_no_captions(reader: IsolatedCaptioner) -> None:
    assert reader.captions(Drawn(Image.radial_gradient("L").convert("RGB")), ()) == []


def test_the_models_are_those_of_the_wheel() -> None:
    assert OcrCaptioner().key == ocr_key()

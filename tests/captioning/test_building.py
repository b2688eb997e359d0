"""Settings choose the captioners, and what is missing is told before the first picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.captioning.building import CaptionerSettings, build_chain, pictures_can_be_read
from models.captioning.ocr import OcrCaptioner
from models.captioning.tesseract import Tesseract, chosen_packs, tesseract_is_installed
from models.domain.errors import InputError
from tests.captioning.conftest import draw


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"names": ("ocr", "eye")}, "no captioner 'eye'"),
        ({"names": ("caption",)}, "'caption' needs the directory of a model"),
        ({"names": ("remote",)}, "'remote' needs the address of a service"),
        ({"names": ("caption",), "model": Path("nowhere")}, "nowhere: has no captioner.json"),
        ({"names": ("ocr",), "tesseract": "klingon"}, "language pack 'klingon'|not installed"),
    ],
)
def test_what_is_missing_is_told_at_once(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        build_chain(CaptionerSettings(**settings))


def test_without_captioners_pictures_have_the_words_that_came_with_them() -> None:
    chain = build_chain(CaptionerSettings(()))

    assert [caption.text for caption in chain(draw(size=(9, 9)), ["a lamp"])] == ["a lamp"]
    chain.close()


def test_the_captioners_come_in_the_order_of_the_settings() -> None:
    chain = build_chain(CaptionerSettings(("mark", "remote"), url="http://127.0.0.1:9/"))

    assert [captioner.source for captioner in chain.captioners] == ["mark", "caption"]


@pytest.mark.skipif(
    not (tesseract_is_installed() and pictures_can_be_read()), reason="Tesseract or the extra pictures is not installed"
)
class TestTesseract:
    """What the built-in reader does not know is read by Tesseract, whichever way it is held."""

    @pytest.mark.parametrize("turn", [0, 180])
    def test_a_script_that_the_built_in_reader_does_not_know_is_read(self, turn: int) -> None:
        if "rus" not in chosen_packs("all"):
            pytest.skip("the language pack rus is not installed")
        picture = draw(("LASER 5000 mW", 34), ("Не подходит для детей до 3 лет", 34), size=(760, 220), turn=turn)

        assert {c.text for c in OcrCaptioner("rus").captions(picture, ())} == {
            "LASER 5000 mW",
            "Не подходит для детей до 3 лет",
        }

    def test_a_line_without_print_has_no_text(self) -> None:
        readings, turned = Tesseract("all").read([draw(size=(200, 40)).image])

        assert ([text for text, _ in readings], turned) == ([""], False)

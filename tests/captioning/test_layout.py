"""Boxes of text become paragraphs, whatever way the picture is held."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.captioning.layout import ReadLine, cleaned, paragraphs

PRINT = (
    ("SPACE BALLS", 40, 10, 60),
    ("Not suitable for children", 40, 120, 20),
    ("under 36 months.", 40, 145, 20),
    ("230 V~", 40, 300, 20),
    ("50 Hz", 130, 300, 20),
    ("小さな", 500, 120, 20),
    ("磁石", 500, 144, 20),
)
PARAGRAPHS = ["SPACE BALLS", "Not suitable for children under 36 months.", "小さな磁石", "230 V~ 50 Hz"]


def line(text: str, left: float, top: float, height: float, degrees: float = 0.0) -> ReadLine:
    """A line of print after its picture was turned clockwise by some degrees."""
    width = 0.6 * height * max(3, len(text))
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned = [(x * cos - y * sin, x * sin + y * cos) for x, y in corners]
    # Detectors name the corners by where they lie in the picture, not by what the letters say.
    shift = round(degrees / 90) % 4
    named = [turned[(i - shift) % 4] for i in range(4)]
    return ReadLine(text, 0.9, named, turned=shift in (2, 3))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 8, -8, 98, 172])
def test_lines_are_read_in_the_order_of_a_reader(degrees: float) -> None:
    boxes = [line(*printed, degrees) for printed in PRINT]
    random.Random(degrees).shuffle(boxes)

    assert sorted(p.text for p in paragraphs(boxes)) == sorted(PARAGRAPHS)
    assert paragraphs(boxes)[0].text == "SPACE BALLS"


def test_noise_is_no_text() -> None:
    faint = ReadLine("ghost", 0.3, line("ghost", 0, 0, 20).corners)

    assert paragraphs([faint, line("~ —", 0, 50, 20), line("", 0, 90, 20)]) == []


def test_the_confidence_is_the_mean_of_the_letters() -> None:
    one = line("aaa", 0, 0, 20)
    two = ReadLine("b", 0.5, line("b", 0, 24, 20).corners)

    assert paragraphs([one, two])[0].confidence == pytest.approx((3 * 0.9 + 0.5) / 4)


@given(st.lists(st.tuples(st.text(max_size=8), *[st.integers(0, 400)] * 2, st.integers(5, 60)), max_size=12))
def test_no_word_is_lost_and_none_is_made_up(printed: list[tuple[str, int, int, int]]) -> None:
    boxes = [line(*piece) for piece in printed]
    letters = sorted("".join(cleaned(box.text) for box in boxes).replace(" ", ""))

    assert sorted("".join(p.text for p in paragraphs(boxes)).replace(" ", "")) == letters

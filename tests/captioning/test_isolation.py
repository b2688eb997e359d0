"""A captioner in a process of its own: what hangs, breaks or ends costs one picture."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from models.captioning.captioner import CaptioningError
from models.captioning.isolation import IsolatedCaptioner
from tests.captioning.conftest import Drawn, draw

MOODY = """
import os, signal
from models.domain.errors import InputError
from models.domain.listing import Caption

class Moody:
    source, key = "caption", "moody"

    def __init__(self, tense):
        if not tense:
            raise InputError("tense is 0", hint="give more")
        self.tense = tense

    def captions(self, picture, before):
        print("what a library prints does not get between the answers")
        width = picture.image.width
        if width == self.tense:
            signal.pause()
        if width == 41:
            raise ValueError("odd")
        if width == 42:
            os._exit(7)
        seen = (picture.image.size, picture.image.getpixel((1, 0)), "SECRET_OF_OURS" in os.environ)
        return [Caption(text=repr(seen), source="caption", confidence=0.5)]
"""


@pytest.fixture
def moody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IsolatedCaptioner]:
    (tmp_path / "moody.py").write_text(MOODY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    captioner = IsolatedCaptioner("caption", "moody", "moody:Moody", {"tense": 40}, seconds=3.0)
    yield captioner
    captioner.close()


def wide(width: int) -> Drawn:
    drawn = draw(size=(width, 9))
    drawn.image.putpixel((1, 0), (1, 2, 3))
    return drawn


def test_the_pixels_arrive_and_the_captions_come_back_without_our_secrets(moody: IsolatedCaptioner) -> None:
    (caption,) = moody.captions(wide(30), ())

    assert (caption.text, caption.confidence) == ("((30, 9), (1, 2, 3), False)", 0.5)


def test_a_captioner_that_hangs_is_ended_and_the_next_picture_is_read(moody: IsolatedCaptioner) -> None:
    moody.captions(wide(30), ())
    process = moody.process_id
    with pytest.raises(CaptioningError, match="took more than 3 s"):
        moody.captions(wide(40), ())

    assert process is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert len(moody.captions(wide(30), ())) == 1
    assert moody.process_id != process


@pytest.mark.parametrize(("width", "told"), [(41, "broke with ValueError: odd"), (42, "ended with code 7")])
def test_what_breaks_is_told(moody: IsolatedCaptioner, width: int, told: str) -> None:
    with pytest.raises(CaptioningError, match=told):
        moody.captions(wide(width), ())

    assert len(moody.captions(wide(30), ())) == 1


def test_a_captioner_that_cannot_be_made_says_why(moody: IsolatedCaptioner) -> None:
    with pytest.raises(CaptioningError, match="tense is 0"):
        IsolatedCaptioner("caption", "", "moody:Moody", {"tense": 0}).captions(wide(30), ())


def test_its_memory_is_given_back_when_nothing_is_left_to_read(moody: IsolatedCaptioner) -> None:
    moody.idle_seconds = 0.05
    moody.captions(wide(30), ())
    deadline = time.monotonic() + 20
    while moody.process_id is not None and time.monotonic() < deadline:
        time.sleep(0.02)

    assert moody.process_id is None
    assert len(moody.captions(wide(30), ())) == 1


def test_a_process_that_is_killed_costs_one_picture_at_most(moody: IsolatedCaptioner) -> None:
    moody.captions(wide(30), ())
    assert moody.process_id is not None
    os.kill(moody.process_id, signal.SIGKILL)
    with suppress(CaptioningError):  # where its end was not seen yet
        moody.captions(wide(30), ())

    assert len(moody.captions(wide(30), ())) == 1

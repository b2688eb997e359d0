"""Captioners in order: what each gives, what is kept, and what a failure costs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.captioning.cache import CaptionCache
from models.captioning.captioner import CaptioningError
from models.captioning.chain import MOST_CAPTIONS, CaptionChain
from models.domain.listing import LIMITS, Caption, Listing
from tests.captioning.conftest import Drawn, Scripted, draw, saying


@pytest.fixture(scope="module")
def picture() -> Drawn:
    return draw(("box", 20), size=(60, 40))


def failing(error: Exception) -> Scripted:
    def answer(*_: object) -> list[Caption]:
        raise error

    return Scripted(answer)


def test_captions_come_in_the_order_of_the_captioners_and_name_their_picture(picture: Drawn) -> None:
    found = CaptionChain([saying("a", "b", source="ocr"), saying("c")])(picture, ["alt text", " "])

    assert [(c.text, c.source, c.picture) for c in found] == [
        ("alt text", "given", picture.sha256),
        ("a", "ocr", picture.sha256),
        ("b", "ocr", picture.sha256),
        ("c", "caption", picture.sha256),
    ]


def test_a_captioner_sees_what_was_found_before(picture: Drawn) -> None:
    echo = Scripted(lambda _, before: [Caption(text=" ".join(c.text for c in before), source="mark")], "mark", "")

    assert CaptionChain([saying("one"), echo])(picture, ["zero"])[-1].text == "zero one"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CaptioningError("took more than 5 s"), "took more than 5 s"),
        (ZeroDivisionError(), "broke with ZeroDivisionError"),
    ],
)
def test_a_failure_is_told_and_the_others_go_on(picture: Drawn, error: Exception, told: str) -> None:
    failed, other = CaptionChain([failing(error), saying("c")])(picture)

    assert (failed.text, failed.confidence, failed.failure, failed.picture) == ("", 0.0, told, picture.sha256)
    assert other.text == "c"
    assert Listing(id="1", title="Lamp", captions=[failed, other]).captions[0].failure == told


def test_one_picture_never_fills_a_listing(picture: Drawn) -> None:
    found = CaptionChain([saying(*map(str, range(200)))])(picture)

    assert len(found) == MOST_CAPTIONS < LIMITS["captions"]


class TestCache:
    """Answers are kept by picture and captioner."""

    def test_a_picture_is_read_once_by_each_captioner(self, picture: Drawn, tmp_path: Path) -> None:
        one, two, changed = saying("a"), saying("b", key="scripted 2"), saying("c", key="scripted 3")
        cache = CaptionCache(tmp_path)

        first = CaptionChain([one, two], cache)(picture)
        again = CaptionChain([one, two], CaptionCache(tmp_path))(picture)

        assert again == first
        assert (len(one.asked), len(two.asked)) == (1, 1)
        assert [c.text for c in CaptionChain([changed], cache)(picture)] == ["c"]

    def test_a_failure_is_not_kept(self, picture: Drawn, tmp_path: Path) -> None:
        captioner = failing(CaptioningError("no answer"))
        chain = CaptionChain([captioner], CaptionCache(tmp_path))

        chain(picture)
        chain(picture)

        assert len(captioner.asked) == 2

    def test_an_unreadable_file_counts_as_absent(self, picture: Drawn, tmp_path: Path) -> None:
        captioner = saying("a")
        chain = CaptionChain([captioner], CaptionCache(tmp_path))
        chain(picture)
        (file,) = tmp_path.glob("*/*.json")
        file.write_text("[{")

        assert [c.text for c in chain(picture)] == ["a"]
        assert len(captioner.asked) == 2

    def test_what_was_not_used_for_longest_goes_first(self, tmp_path: Path) -> None:
        cache = CaptionCache(tmp_path, most_bytes=1_000)
        said = [Caption(text="x" * 100)]
        for i in range(8):
            cache.put(str(i), "k", said)
        for age, file in enumerate(sorted(tmp_path.glob("*/*.json"))):
            os.utime(file, (age, age))
        assert cache.get("3", "k") == said
        cache.put("new", "k", [Caption(text="y" * 500)])

        assert sum(file.stat().st_size for file in tmp_path.glob("*/*")) <= 1_000
        assert cache.get("3", "k") == said
        assert any(cache.get(str(i), "k") is None for i in range(8))

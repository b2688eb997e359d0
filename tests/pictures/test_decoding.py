"""What is read of a picture, and what is refused with which words."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from models.domain.errors import InputError
from models.pictures.decoding import DecodeLimits, decode, heic_is_read

RED, WHITE = (255, 0, 0), (255, 255, 255)
SIZE = (120, 80)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def marked(mode: str = "RGB") -> Image.Image:
    """White, with a red corner at the upper left."""
    image = Image.new("RGB", SIZE, WHITE)
    ImageDraw.Draw(image).rectangle((0, 0, 30, 30), fill=RED)
    return image.convert(mode)


def near(found: Any, expected: tuple[int, int, int], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
def test_common_formats_give_upright_rgb_of_their_size(kind: str) -> None:
    picture = decode(saved(marked(), kind))
    assert (picture.format, picture.width, picture.height) == (kind, *SIZE)
    assert (picture.image.mode, picture.image.size) == ("RGB", SIZE)
    assert near(picture.image.getpixel((10, 10)), RED, 30)
    assert near(picture.image.getpixel((100, 60)), WHITE)


def test_heic_is_read_where_its_package_is_installed() -> None:
    if not heic_is_read():
        with pytest.raises(InputError, match="is HEIC, which this server does not read"):
            decode(b"\x00\x00\x00\x18ftypheic" + bytes(20))
        return
    from pillow_heif import register_heif_opener

    register_heif_opener()
    picture = decode(saved(marked(), "HEIF"))
    assert (picture.width, picture.height) == SIZE
    assert near(picture.image.getpixel((10, 10)), RED, 40)


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "ul"), (2, "ur"), (3, "lr"), (4, "ll"), (5, "ul"), (6, "ur"), (7, "lr"), (8, "ll")],
)
def test_the_orientation_of_a_camera_is_applied_and_its_notes_are_dropped(orientation: int, corner: str) -> None:
    notes = Image.Exif()
    notes[0x0112], notes[0x010E] = orientation, "taken at home"
    picture = decode(saved(marked(), "JPEG", exif=notes, quality=95))
    turned = orientation >= 5
    width, height = (SIZE[1], SIZE[0]) if turned else SIZE
    assert (picture.width, picture.height) == (width, height) == picture.image.size
    place = (10 if corner[1] == "l" else width - 10, 10 if corner[0] == "u" else height - 10)
    assert near(picture.image.getpixel(place), RED, 30)
    assert not picture.image.info
    assert b"taken at home" not in saved(picture.image, "JPEG")


def test_colours_of_other_kinds_come_as_people_see_them() -> None:
    assert near(decode(saved(marked("CMYK"), "JPEG", quality=95)).image.getpixel((10, 10)), RED, 30)
    assert near(decode(saved(marked("P"), "PNG")).image.getpixel((10, 10)), RED)
    see_through = marked("RGBA")
    see_through.putalpha(0)
    assert decode(saved(see_through, "PNG")).image.getpixel((10, 10)) == WHITE
    key = marked("P")
    assert decode(saved(key, "GIF", transparency=key.getpixel((10, 10)))).image.getpixel((10, 10)) == WHITE


@pytest.mark.parametrize(("value", "seen"), [(0, 0), (0x4000, 64), (0x8000, 128), (0xFFFF, 255)])
def test_grey_of_sixteen_bits_keeps_its_shades(value: int, seen: int) -> None:
    wide = Image.new("I;16", SIZE, value)
    found = decode(saved(wide, "PNG")).image.getpixel((5, 5))
    assert near(found, (seen, seen, seen), 1)


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [marked(), Image.new("RGB", SIZE, "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near(decode(data).image.getpixel((100, 60)), WHITE), kind


def test_a_large_picture_is_made_smaller_and_says_how_large_it_was() -> None:
    picture = decode(saved(marked().resize((1_200, 800)), "JPEG"), DecodeLimits(kept_side=300))
    assert (picture.width, picture.height) == (1_200, 800)
    assert picture.image.size == (300, 200)


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        (DecodeLimits(bytes=50), "bytes, more than 50"),
        (DecodeLimits(pixels=5_000), "120 x 80 pixels; at most 5,000 are read"),
        (DecodeLimits(longest_side=100), "a side has more than 100"),
        (DecodeLimits(least_side=81), "nothing to see in so few"),
    ],
)
def test_each_limit_is_named_with_the_mend(limits: DecodeLimits, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refusal:
        decode(saved(marked(), "PNG"), limits)
    assert refusal.value.hint


def test_an_animation_of_too_many_frames_is_refused() -> None:
    frames = [Image.new("RGB", SIZE, (i, 0, 0)) for i in range(6)]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="has 6 frames, more than 5"):
        decode(data, DecodeLimits(frames=5))


def test_what_calls_itself_a_picture_is_judged_by_its_bytes() -> None:
    with pytest.raises(InputError, match=r"is PDF, no picture .*send JPEG"):
        decode(b"%PDF-1.7 photo.jpg")
    with pytest.raises(InputError, match=r"is SVG, which can hold scripts .*export it"):
        decode(b'<?xml version="1.0"?>\n<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>')


@settings(max_examples=150)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"]),
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12),
)
def test_however_a_file_is_damaged_it_is_read_or_refused_as_input(
    kind: str, cut: float, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(saved(marked(), kind))
    for place, value in changes:
        data[int(place * len(data))] = value
    try:
        picture = decode(bytes(data[: int(cut * len(data)) + 1]), DecodeLimits(pixels=1_000_000))
    except InputError as refusal:
        assert refusal.message  # noqa: PT017
        assert refusal.hint  # noqa: PT017
    else:
        assert picture.image.mode == "RGB"

"""Packages drawn with real fonts: what is printed on them, and which marks that is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from models.captioning.marks import load_marks

FONTS = Path("/usr/share/fonts")
DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
SCRIPTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Latin": ("en", ()),
    "Latin, many accents": ("vi", ()),
    "Cyrillic": ("ru", ()),
    "Arabic": ("ar", ()),
    "Hebrew": ("he", ()),
    "Devanagari": ("hi", ("Lohit-Devanagari.ttf", "NotoSansDevanagari-Regular.ttf")),
    "Thai": ("th", ("Loma.ttf", "NotoSansThai-Regular.ttf")),
    "Han": ("zh", ("wqy-microhei.ttc", "NotoSansCJK-Regular.ttc")),
    "Kana and Han": ("ja", ("wqy-microhei.ttc", "NotoSansCJK-Regular.ttc")),
    "Hangul": ("ko", ("wqy-microhei.ttc", "NotoSansCJK-Regular.ttc")),
}
"""Script -> language and fonts of which one is needed; none where matplotlib's DejaVu Sans has the letters."""
SHAPED = frozenset({"Arabic", "Hebrew", "Devanagari"})
"""Scripts that Pillow draws right only with libraqm."""
CONDITIONS = ("clean", "turned", "on texture", "small")
PLAIN = {
    "laser-power": "LASER 5000 mW 532 nm",
    "voltage": "INPUT 230 V~ 50 Hz",
    "power": "MAX 1500 W",
    "standard": "EN 71-1:2014",
    "ce": "CE",
    "ukca": "UKCA",
}
WARNINGS = ("age-warning", "small-parts-warning", "magnet-warning", "flammable-warning", "laser-warning", "weee")


@dataclass(frozen=True)
class Package:
    """A drawn package.

    Parameters
    ----------
    lines : tuple of str
        As printed.
    marks : frozenset of str
        Codes of what is printed.
    """

    image: Image.Image
    lines: tuple[str, ...]
    marks: frozenset[str]
    sha256: str = ""


def font_of(script: str) -> Path | None:
    """Return the font for a script, None where this machine has none or cannot shape it."""
    if script in SHAPED and not features.check("raqm"):
        return None
    names = SCRIPTS[script][1]
    return next((path for name in names for path in FONTS.rglob(name)), None) if names else DEJAVU


def packages(script: str, condition: str, count: int, seed: int = 0) -> Iterator[Package]:
    """Draw packages; equal arguments draw equal ones."""
    chance = random.Random(f"{script} {condition} {seed}")
    language, font = SCRIPTS[script][0], font_of(script)
    assert font is not None
    by_code = {mark.code: mark for mark in load_marks()}
    for number in range(count):
        warned = chance.sample(WARNINGS, 3)
        plain = chance.sample(sorted(PLAIN), 3)
        lines = [
            (chance.choice(by_code[code].phrases[language]).replace("{months}", "36").replace("{years}", "3"), code)
            for code in warned
        ] + [(PLAIN[code], code) for code in plain]
        chance.shuffle(lines)
        image = _drawn([text for text, _ in lines], font, condition, chance, number)
        yield Package(image, tuple(text for text, _ in lines), frozenset(code for _, code in lines))


def _drawn(lines: list[str], font: Path, condition: str, chance: random.Random, number: int) -> Image.Image:
    height = 15 if condition == "small" else chance.choice([24, 30, 36])
    letters = {"font": ImageFont.truetype(font, height)}
    latin = {"font": ImageFont.truetype(DEJAVU, height)}
    width = 80 + max(round(ImageFont.truetype(font, height).getlength(line)) for line in lines)
    image = Image.new("RGB", (max(width, 500), round(60 + 2.4 * height * len(lines))), "white")
    if condition == "on texture":
        image = _texture(image.size, chance)
    pen = ImageDraw.Draw(image)
    ink = "black" if condition != "on texture" else chance.choice(["#101060", "#400000", "black"])
    for i, line in enumerate(lines):
        style = latin if line.isascii() else letters
        pen.text((40, 30 + round(2.4 * height * i)), line, fill=ink, **style)
    if condition == "turned":
        angle = (90, 180, 270, 8, -12)[number % 5]
        image = image.rotate(angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    return image


def _texture(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """Return stripes over a gradient with noise, as light as print is put on."""
    grain = np.random.default_rng(chance.randrange(10**6))
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    base = 205 + 25 * np.sin(x / chance.uniform(9, 30) + y / chance.uniform(15, 60)) + 20 * y / size[1]
    colour = np.array([chance.uniform(0.85, 1.0) for _ in range(3)])
    pixels = base[:, :, None] * colour + grain.normal(0, 9, (size[1], size[0], 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

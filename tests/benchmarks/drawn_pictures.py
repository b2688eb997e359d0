"""Pictures as shops show them, drawn, and what is done to pictures that are used again."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SIZE = 320
Edit = Callable[[Image.Image], Image.Image]


def drawn(number: int) -> Image.Image:
    """Return the picture of that number: a product on white, a scene, or a printed package, in turn."""
    chance = np.random.default_rng(number)
    return (_on_white, _scene, _package)[number % 3](chance)


def _colour(chance: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in chance.integers(0, 256, 3))
    return red, green, blue


def _shape(draw: ImageDraw.ImageDraw, chance: np.random.Generator, low: int, high: int) -> None:
    x, y = (int(value) for value in chance.integers(low, high - 30, 2))
    width, height = (int(value) for value in chance.integers(20, high - low, 2))
    box = (x, y, min(high, x + width), min(high, y + height))
    match int(chance.integers(4)):
        case 0:
            draw.rectangle(box, fill=_colour(chance))
        case 1:
            draw.ellipse(box, fill=_colour(chance))
        case 2:
            draw.rounded_rectangle(box, 12, fill=_colour(chance), outline=_colour(chance), width=4)
        case _:
            corners = chance.integers(low, high, (int(chance.integers(3, 7)), 2))
            draw.polygon([(int(x), int(y)) for x, y in corners], fill=_colour(chance))


def _on_white(chance: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (SIZE, SIZE), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(int(chance.integers(4, 10))):
        _shape(draw, chance, 50, 270)
    return image


def _scene(chance: np.random.Generator) -> Image.Image:
    rough = chance.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(rough).resize((SIZE, 240), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(int(chance.integers(3, 9))):
        _shape(draw, chance, 0, 240)
    return image


def _package(chance: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (260, SIZE), _colour(chance))
    draw = ImageDraw.Draw(image)
    for _ in range(3):
        _shape(draw, chance, 10, 240)
    for line in range(int(chance.integers(5, 12))):
        word = "".join(chr(int(c)) for c in chance.integers(97, 123, int(chance.integers(4, 12))))
        draw.text(
            (int(chance.integers(5, 120)), 20 + 25 * line),
            word,
            _colour(chance),
            font_size=int(chance.integers(14, 34)),
        )
    return image


def _again(kind: str, quality: int) -> Edit:
    def edit(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, kind, quality=quality)
        return Image.open(io.BytesIO(file.getvalue())).convert("RGB")

    return edit


def _cropped(left: float, upper: float, right: float, lower: float) -> Edit:
    def edit(image: Image.Image) -> Image.Image:
        width, height = image.size
        return image.crop((int(left * width), int(upper * height), int((1 - right) * width), int((1 - lower) * height)))

    return edit


def _watermarked(image: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    for y in range(20, image.height, 90):
        draw.text((15 + y % 60, y), "BEST SHOP 24", (128, 128, 128, 120), font_size=28)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _badged(image: Image.Image) -> Image.Image:
    badged = image.copy()
    draw = ImageDraw.Draw(badged)
    size = image.width // 5
    draw.ellipse((image.width - size, 4, image.width - 4, size), fill=(220, 20, 20))
    draw.text((image.width - size + 8, size // 3), "-50%", "white", font_size=max(12, size // 3))
    return badged


def _cropped_anyhow(image: Image.Image) -> Image.Image:
    chance = np.random.default_rng(image.getpixel((image.width // 2, image.height // 2)))
    return _cropped(*chance.uniform(0, 0.06, 4))(image)


def _faded(image: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(1.25)).enhance(0.8)


EDITS: dict[str, Edit] = {
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS),
    "stretched by a tenth, twice the size": lambda image: image.resize((int(2.2 * image.width), 2 * image.height)),
    "JPEG of quality 20": _again("JPEG", 20),
    "WebP of quality 30": _again("WEBP", 30),
    "white border": lambda image: ImageOps.expand(image, 40, "white"),
    "coloured border": lambda image: ImageOps.expand(image, 25, (30, 60, 160)),
    "watermark": _watermarked,
    "badge in a corner": _badged,
    "cropped by 5 % a side": _cropped(0.05, 0.05, 0.05, 0.05),
    "cropped by up to 6 % a side, each its own": _cropped_anyhow,
    "brighter, less contrast": _faded,
    "mirrored, grey, blurred": lambda image: ImageOps.mirror(image.convert("L")).filter(ImageFilter.GaussianBlur(1)),
}
"""Twelve edits, by what they do."""

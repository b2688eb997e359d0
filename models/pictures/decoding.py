"""Bytes of a stranger -> upright RGB pixels without metadata, or a refusal that names what is wrong.

`decode` checks what can be checked before the pixels are unpacked. No check of ours bounds the time and memory that a
codec takes on a file made to hurt: for files of strangers use `models.pictures.isolation.IsolatedDecoder`, which does
the same in a process that the system holds to both.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from models.domain.errors import InputError
from models.pictures.kinds import kind_of

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")
"""Of Pillow; every other plugin stays shut. A JPEG that holds further pictures comes as MPO, and the first is read."""
HEIC = "HEIF"
"""Read where the package pillow-heif is installed, and only there."""
_READ = "JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP"
_COUNTED = frozenset({"PNG", "WEBP", "AVIF", HEIC})
"""Formats whose head tells the number of frames; to count those of a GIF or a TIFF, all of it would be read."""
_REDUCES = frozenset({"L", "RGB", "RGBA", "CMYK", "YCbCr", "LA"})
_WHITE = (255, 255, 255, 255)


@dataclass(frozen=True)
class DecodeLimits:
    """What a picture may be.

    Parameters
    ----------
    bytes : int
        Of the file.
    pixels : int
        Width x height of a frame.
    longest_side, least_side : int
        In pixels. Below the least there is nothing to see.
    frames : int
        Of an animation, where its head tells their number. Only the first is read in any case.
    kept_side : int
        Longest side of the pixels that are given back; larger pictures are made smaller.
    """

    bytes: int = 10_000_000
    pixels: int = 25_000_000
    longest_side: int = 20_000
    least_side: int = 16
    frames: int = 1_000
    kept_side: int = 2_400


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as people see it: upright, RGB on white, first frame, without metadata.

    Parameters
    ----------
    sha256 : str
        Of the file, in hex.
    width, height : int
        Of the file's picture, upright; `image` may be smaller.
    format : str
        Of the file, in Pillow's words.
    image : PIL.Image.Image
        Mode RGB.
    """

    sha256: str
    width: int
    height: int
    format: str
    image: Image.Image


_PLAIN = DecodeLimits()


def decode(data: bytes, limits: DecodeLimits = _PLAIN) -> Picture:
    """Read a picture in this process.

    Raises
    ------
    InputError
        Naming what is wrong and the mend.
    """
    check_file(data, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a codec grumbles about, it mends or raises
        try:
            return _decoded(data, limits)
        except InputError:
            raise
        except Image.DecompressionBombError as error:
            raise _too_many_pixels(limits) from error
        except MemoryError as error:
            raise InputError(
                "unpacks to more memory than is given to a picture", hint="save it again, smaller, as JPEG"
            ) from error
        except UnidentifiedImageError as error:
            kind = kind_of(data)
            what = f"begins like {kind} and cannot be read" if kind else "is no picture that is read here"
            raise InputError(what, hint=f"save it again as {_READ}") from error
        except Exception as error:  # a damaged file may make a codec raise anything
            raise InputError(
                f"is damaged: {str(error) or type(error).__name__}"[:200], hint="export it again and send it whole"
            ) from error


def check_file(data: bytes, limits: DecodeLimits) -> None:
    """Refuse what the bytes themselves rule out: empty, too long, no picture.

    Raises
    ------
    InputError
        Naming what is wrong and the mend.
    """
    if not data:
        raise InputError("has no bytes", hint="send the file itself")
    if len(data) > limits.bytes:
        raise InputError(
            f"has {len(data):,} bytes, more than {limits.bytes:,}", hint="make it smaller or compress it more"
        )
    kind = kind_of(data)
    if kind == "SVG":
        raise InputError("is SVG, which can hold scripts and links", hint=f"export it as {_READ}")
    if kind == "HEIC" and not heic_is_read():
        raise InputError("is HEIC, which this server does not read", hint=f"export it as {_READ}")
    if kind and kind not in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "AVIF", "HEIC", "AVIF or HEIC"):
        raise InputError(f"is {kind}, no picture that is read here", hint=f"send {_READ}")


def heic_is_read() -> bool:
    """Whether the package that reads HEIC is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def _formats(data: bytes) -> tuple[str, ...]:
    Image.init()
    if "HEIC" in kind_of(data) and heic_is_read():
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False, decode_threads=1)
        return (*FORMATS, HEIC)
    return FORMATS


def _decoded(data: bytes, limits: DecodeLimits) -> Picture:
    with Image.open(io.BytesIO(data), formats=_formats(data)) as image:
        _check_head(image, limits)
        read_as = str(image.format)
        orientation = image.getexif().get(0x0112, 1) if read_as != HEIC else 1  # libheif has turned it already
        width, height = image.size
        if read_as in ("JPEG", "MPO"):
            image.draft(None, (limits.kept_side, limits.kept_side))  # unpacked at a fraction of its size
        image.load()
        pixels = _upright(_small(image, limits.kept_side), orientation)
    if isinstance(orientation, int) and 5 <= orientation <= 8:
        width, height = height, width
    return Picture(hashlib.sha256(data).hexdigest(), width, height, read_as, pixels)


def _check_head(image: Image.Image, limits: DecodeLimits) -> None:
    width, height = image.size
    if width * height > limits.pixels:
        raise _too_many_pixels(limits, (width, height))
    if max(width, height) > limits.longest_side:
        raise InputError(
            f"is {width} x {height} pixels; a side has more than {limits.longest_side:,}",
            hint="cut it or make it smaller",
        )
    if min(width, height) < limits.least_side:
        raise InputError(
            f"is {width} x {height} pixels; there is nothing to see in so few",
            hint=f"send one with sides of {limits.least_side} or more",
        )
    frames = getattr(image, "n_frames", 1) if image.format in _COUNTED else 1
    if frames > limits.frames:
        raise InputError(
            f"has {frames:,} frames, more than {limits.frames:,}", hint="send one frame as a still picture"
        )


def _too_many_pixels(limits: DecodeLimits, size: tuple[int, int] | None = None) -> InputError:
    shown = f"is {size[0]:,} x {size[1]:,} pixels" if size else "is made of too many pixels"
    return InputError(f"{shown}; at most {limits.pixels:,} are read", hint="make it smaller")


def _small(image: Image.Image, side: int) -> Image.Image:
    """Return RGB pixels on white with a longest side of at most `side`; large ones are reduced first."""
    factor = max(image.size) // side
    if factor >= 2 and image.mode in _REDUCES and "transparency" not in image.info:
        image = image.reduce(factor)
    pixels = _rgb(image)
    if max(pixels.size) > side:
        pixels.thumbnail((side, side), Image.Resampling.LANCZOS)
    return pixels


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _eight_bit(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, _WHITE)
        white.alpha_composite(layer)
        return white.convert("RGB")
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale grey of 16 bits or more; Pillow's own conversion would cut everything above 255 off."""
    wide = image.convert("F")
    low, high = wide.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    if image.mode.startswith("I") and low >= 0 and high <= 65_535:
        return wide.point(lambda value: value * (255 / 65_535) + 0).convert("L")
    scale = 255 / (high - low) if high > low else 0.0
    return wide.point(lambda value: value * scale + -low * scale).convert("L")


def _upright(pixels: Image.Image, orientation: object) -> Image.Image:
    """Turn as the camera's note says, and drop every note."""
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        turned = pixels.copy()
        turned.getexif()[0x0112] = orientation
        pixels = ImageOps.exif_transpose(turned)
    clean = Image.new("RGB", pixels.size)
    clean.paste(pixels)
    return clean

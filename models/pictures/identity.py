"""What a picture looks like in a few numbers that stay nearly the same however it is saved, scaled, framed or marked.

The hash is built as PDQ is (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm",
2019): luminance, smoothed and sampled at 64 x 64, the 16 x 16 lowest frequencies of its cosine transform without the
constant, each a bit that says whether it lies above their median. The smoothing is Pillow's triangle filter instead of
two box filters, so the bits are not exchanged with hashes of other programs.

One hash does not survive a frame, a crop or a badge. A picture therefore has several: of the whole, of its middle, of
what is left without each corner, and without its plain border. It is asked for also mirrored, which only changes the
sign of every second frequency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dct

Box = tuple[float, float, float, float]
"""Left, upper, right, lower."""
Hashes = NDArray[np.uint64]
"""One row of four words, the first bit foremost, for each hash."""

BITS = 256
SAME = 31
"""Most bits in which two hashes of one picture differ; the distance that PDQ's authors advise."""
_SIDE, _KEPT = 64, 16
_SEEN = 256
"""Longest side at which borders are looked for."""
_TRANSFORM: NDArray[np.float64] = dct(np.eye(_SIDE), axis=0, norm="ortho")[1 : _KEPT + 1]
_MIRROR = np.where(np.arange(1, _KEPT + 1) % 2, -1.0, 1.0)
_PLAIN = 12
"""Difference of grey, of 255, that still counts as one colour: JPEG ripples."""
_LEAST_QUALITY = 25
"""Of 100. Below it there is so little to see that all such pictures look alike."""
_LEAST_LEFT = 0.25
"""Share of a side that must be left without its border."""
_CENTRES = (0.96, 0.92, 0.88, 0.84)
_CORNERS = (0.95, 0.9, 0.8)
_EDGE = 0.95


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """The hashes of one picture.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n, 4)
        The whole picture first. None where there is too little to see in it.
    mirrored : ndarray of uint64, shape (2, 4) or (0, 4)
        Of its mirror image, whole and without its border; none where it was read from texts.
    """

    hashes: Hashes
    mirrored: Hashes

    @property
    def texts(self) -> list[str]:
        """The hashes as they are stored: 64 hexadecimal digits each."""
        return [row.astype(">u8").tobytes().hex() for row in self.hashes]

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> Self:
        """Return what was stored; to be found, not to ask with."""
        raw = b"".join(bytes.fromhex(text) for text in texts)
        words = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 4)
        return cls(words, np.empty((0, 4), np.uint64))

    def distance(self, other: Fingerprint) -> int:
        """Return the least number of bits between hashes of the two; `BITS` where one has none."""
        mine = np.concatenate([self.hashes, self.mirrored])
        if not len(mine) or not len(other.hashes):
            return BITS
        return int(distances(mine[:, None], other.hashes[None]).min())


def fingerprint(image: Image.Image) -> Fingerprint:
    """Return the hashes of a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright, mode RGB or L.
    """
    grey = image.convert("L")
    grey.thumbnail((_SEEN, _SEEN), Image.Resampling.BOX)
    inner = _without_border(np.asarray(grey))
    parts = _parts((0.0, 0.0, float(grey.width), float(grey.height)), inner)
    spectra = [spectrum for box in parts if (spectrum := _spectrum(grey, box)) is not None]
    if not spectra:
        return Fingerprint(np.empty((0, 4), np.uint64), np.empty((0, 4), np.uint64))
    stacked = np.stack(spectra)
    return Fingerprint(_bits(stacked), _bits(stacked[:2] * _MIRROR))


def similarity(one: Fingerprint, other: Fingerprint) -> float:
    """Return 1 for the same picture, 0 for pictures as far apart as chance has it; for features of a match."""
    return max(0.0, 1.0 - one.distance(other) / (BITS / 2))


def distances(one: Hashes, other: Hashes) -> NDArray[np.int64]:
    """Return the number of differing bits along the last axis."""
    found: NDArray[np.int64] = np.bitwise_count(one ^ other).sum(axis=-1, dtype=np.int64)
    return found


def _parts(whole: Box, inner: Box) -> Iterator[Box]:
    """Yield what is hashed; a picture without a border has the same for both."""
    yield whole
    yield inner
    for box in dict.fromkeys((whole, inner)):
        yield from (_part(box, share, share, 0.5, 0.5) for share in _CENTRES)
    for share in _CORNERS:
        yield from (_part(whole, share, share, x, y) for x in (0.0, 1.0) for y in (0.0, 1.0))
    for end in (0.0, 1.0):
        yield _part(whole, _EDGE, 1.0, end, 0.0)
        yield _part(whole, 1.0, _EDGE, 0.0, end)


def _part(box: Box, wide: float, high: float, x: float, y: float) -> Box:
    """Return a part of a box with such shares of its sides; x is 0 at its left, 1 at its right."""
    left, upper, right, lower = box
    width, height = wide * (right - left), high * (lower - upper)
    left, upper = left + x * (right - left - width), upper + y * (lower - upper - height)
    return (left, upper, left + width, upper + height)


def _without_border(grey: NDArray[np.uint8]) -> Box:
    """Return the box that is left when rows and columns of one colour are cut off each side."""
    plain_rows, plain_columns = np.ptp(grey, axis=1) <= _PLAIN, np.ptp(grey, axis=0) <= _PLAIN
    rows, columns = np.flatnonzero(~plain_rows), np.flatnonzero(~plain_columns)
    height, width = grey.shape
    whole = (0.0, 0.0, float(width), float(height))
    if not len(rows) or not len(columns):
        return whole
    upper, lower, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    if lower - upper < _LEAST_LEFT * height or right - left < _LEAST_LEFT * width:
        return whole
    return (float(left), float(upper), float(right), float(lower))


def _spectrum(grey: Image.Image, box: Box) -> NDArray[np.float64] | None:
    small = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box), np.float64)
    if _quality(small) < _LEAST_QUALITY:
        return None
    found: NDArray[np.float64] = _TRANSFORM @ small @ _TRANSFORM.T
    return found


def _quality(small: NDArray[np.float64]) -> float:
    """Return how much there is to see, 0 to 100: PDQ's sum of the steps between neighbours."""
    steps = sum(np.floor(np.abs(np.diff(small, axis=axis)) * 100 / 255).sum() for axis in (0, 1))
    return min(100.0, float(steps) / 90)


def _bits(spectra: NDArray[np.float64]) -> Hashes:
    flat = spectra.reshape(len(spectra), BITS)
    above = flat > np.median(flat, axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(">u8").astype(np.uint64)

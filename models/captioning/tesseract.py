"""Lines that the built-in reader cannot read, read by Tesseract: scripts for which language packs are installed."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from models.captioning.captioner import CaptioningError
from models.captioning.layout import cleaned
from models.domain.errors import InputError

ALL = "all"
"""Every language pack that is installed."""
_NO_LANGUAGE = frozenset({"osd", "equ", "snum"})
_LINE_HEIGHT, _MARGIN = 56, 28
_SECONDS = 60.0
_READ_WELL = 0.6
"""Mean confidence below which the lines may stand on their head."""

Cut = Any
"""Pixels of a line, upright as far as it is known: array of shape (height, width, 3), uint8."""
Reading = tuple[str, float]
"""Text and confidence (0 to 1)."""


class Tesseract:
    """Reads lines in some languages.

    Parameters
    ----------
    languages : str
        Names of language packs joined by ``+``, such as ``rus+ara``, or `ALL`.

    Raises
    ------
    InputError
        If the program or a pack is not installed.
    """

    def __init__(self, languages: str) -> None:
        self.languages = chosen_packs(languages)

    def read(self, cuts: Sequence[Cut], upright_known: bool = False) -> tuple[list[Reading], bool]:
        """Read lines, each in the language that fits it best.

        Parameters
        ----------
        upright_known : bool
            The lines are known to stand upright; otherwise they are also tried turned, where they can hardly be read.

        Returns
        -------
        readings : list of (text, confidence)
            Empty with confidence 0 where nothing was made out.
        turned : bool
            The lines stood on their head and were read turned.
        """
        upright = self._best(cuts)
        if upright_known or _mean(upright) >= _READ_WELL:
            return upright, False
        turned = self._best([np.rot90(cut, 2) for cut in cuts])
        return (turned, True) if _mean(turned) > _mean(upright) else (upright, False)

    def _best(self, cuts: Sequence[Cut]) -> list[Reading]:
        page, middles = _page(cuts)
        best: list[Reading] = [("", 0.0)] * len(cuts)
        for language in self.languages:
            for i, reading in enumerate(_read_page(page, middles, language)):
                if reading[1] > best[i][1]:
                    best[i] = reading
        return best


def tesseract_key(languages: str) -> str:
    """Return what the answers depend on: version and packs."""
    return f"tesseract {_version()} {'+'.join(chosen_packs(languages))}"


def chosen_packs(languages: str) -> tuple[str, ...]:
    """Return the packs that a setting names.

    Raises
    ------
    InputError
        If the program or a pack is not installed.
    """
    installed = _installed()
    wanted = tuple(installed if languages == ALL else filter(None, languages.split("+")))
    missing = [name for name in wanted if name not in installed]
    if missing or not wanted:
        raise InputError(
            f"Tesseract has no language pack {missing[0]!r}" if missing else "Tesseract has no language pack",
            hint=f"install it (Debian: tesseract-ocr-{missing[0] if missing else 'rus'}); "
            f"there are {', '.join(installed) or 'none'}",
        )
    return wanted


def tesseract_is_installed() -> bool:
    """Whether the program is on the path."""
    return shutil.which("tesseract") is not None


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    lines = _run("--list-langs").decode().splitlines()[1:]
    return tuple(sorted(name for line in lines if (name := line.strip()) and name not in _NO_LANGUAGE))


@lru_cache(maxsize=1)
def _version() -> str:
    return _run("--version").decode().split("\n", 1)[0].strip()


def _run(*arguments: str, data: bytes = b"") -> bytes:
    program = shutil.which("tesseract")
    if program is None:
        raise InputError("Tesseract is not installed", hint="install it (Debian: tesseract-ocr), or do not name packs")
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(
            [program, *arguments], input=data, capture_output=True, check=True, timeout=_SECONDS, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise CaptioningError(f"Tesseract took more than {_SECONDS:g} s") from error
    except subprocess.CalledProcessError as error:
        raise CaptioningError(f"Tesseract failed: {error.stderr.decode(errors='replace').strip()[:200]}") from error
    return done.stdout


def _page(cuts: Sequence[Cut]) -> tuple[bytes, list[float]]:
    """Put lines under each other on a white page; return it as PNG and the middle of each line."""
    images = []
    for cut in cuts:
        image = Image.fromarray(np.ascontiguousarray(cut)).convert("L")
        width = max(8, round(image.width * _LINE_HEIGHT / max(1, image.height)))
        sized = image.resize((min(width, 4_000), _LINE_HEIGHT), Image.Resampling.LANCZOS)
        # Light print on dark is turned into dark on light.
        images.append(sized if np.median(np.asarray(sized)) >= 128 else sized.point(lambda value: 255 - value))
    page = Image.new(
        "L", (max(i.width for i in images) + 2 * _MARGIN, len(images) * (_LINE_HEIGHT + _MARGIN) + _MARGIN), 255
    )
    middles = []
    for i, image in enumerate(images):
        top = _MARGIN + i * (_LINE_HEIGHT + _MARGIN)
        page.paste(image, (_MARGIN, top))
        middles.append(top + _LINE_HEIGHT / 2)
    stream = io.BytesIO()
    page.save(stream, "PNG")
    return stream.getvalue(), middles


def _read_page(page: bytes, middles: Sequence[float], language: str) -> list[Reading]:
    table = _run("stdin", "stdout", "-l", language, "--psm", "6", "tsv", data=page).decode(errors="replace")
    words: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5" and cleaned(row["text"] or ""):
            middle = int(row["top"]) + int(row["height"]) / 2
            line = min(range(len(middles)), key=lambda i: abs(middles[i] - middle))
            words[line].append((row["text"], float(row["conf"]) / 100))
    return [_joined(words[i]) for i in range(len(middles))]


def _joined(words: Sequence[tuple[str, float]]) -> Reading:
    if not words:
        return "", 0.0
    letters = sum(len(word) for word, _ in words)
    # Thai is written without gaps, and its words come apart.
    text = re.sub(r"(?<=[\u0e00-\u0e7f]) (?=[\u0e00-\u0e7f])", "", " ".join(word for word, _ in words))
    return text, max(0.0, sum(len(word) * sure for word, sure in words) / letters)


def _mean(readings: Sequence[Reading]) -> float:
    return sum(sure for _, sure in readings) / max(1, len(readings))

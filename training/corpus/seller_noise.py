"""What goes wrong between a seller's head and the listing: typing errors, lost accents, capitals, emoji."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random

import yaml

from models.domain.resources import datasets_dir
from training.corpus.spans import Span, Spans

_SHORTEST_MISTYPED = 5


class SellerNoise:
    """Spoils texts the way sellers do. Cues are never spoilt: what makes the label must stay readable.

    Parameters
    ----------
    keyboards : list of str
        Keyboard rows.
    letters : mapping
        Language -> letter -> Latin letters; ``letters`` for what loses more than an accent.
    """

    def __init__(self, keyboards: list[str], letters: Mapping[str, Mapping[str, str]]) -> None:
        self._near: dict[str, str] = {}
        for row in keyboards:
            for i, letter in enumerate(row):
                self._near[letter] = row[max(0, i - 1) : i] + row[i + 1 : i + 2]
        self._letters = letters
        self._latin = lru_cache(maxsize=20_000)(self._in_latin)

    def mistyped(self, spans: Spans, rng: Random) -> Spans:
        """Return the spans with one slip of the fingers: a neighbouring key, a letter lost, doubled or swapped."""
        candidates = [
            i for i, span in enumerate(spans) if span.role in ("plain", "name") and len(span.text) >= _SHORTEST_MISTYPED
        ]
        if not candidates:
            return spans
        i = candidates[int(rng.random() * len(candidates))]
        span = spans[i]
        text = self._slip(span.text, rng)
        spans[i] = span._replace(text=text, mask=text if span.mask == span.text else span.mask)
        return spans

    def latinised(self, spans: Spans, language: str) -> Spans:
        """Return the spans in plain Latin letters, where the language can be written so."""
        return [span if span.role == "cue" else self._latinised(span, language) for span in spans]

    def slug(self, text: str, language: str) -> str:
        """Return a text as shops put it into addresses: ``derevyannaya-igrushka``."""
        kept = "".join(c if c.isalnum() else " " for c in self._latin(text, language).lower())
        return "-".join(kept.split())

    def _latinised(self, span: Span, language: str) -> Span:
        text = self._latin(span.text, language)
        return span._replace(text=text, mask=text if span.mask == span.text else self._latin(span.mask, language))

    def _in_latin(self, text: str, language: str) -> str:
        table = self._letters.get(language)
        if table is None:
            special = self._letters.get("letters", {})
            decomposed = unicodedata.normalize("NFD", "".join(special.get(c, c) for c in text))
            latin = "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
            return unicodedata.normalize("NFC", latin)
        letters = []
        for character in text:
            latin = table.get(character.lower(), character)
            letters.append(latin.capitalize() if character.isupper() else latin)
        return "".join(letters)

    def _slip(self, text: str, rng: Random) -> str:
        place = 1 + int(rng.random() * (len(text) - 2))
        letter = text[place]
        stands_alone = text[place - 1].isspace() and text[place + 1].isspace()
        if not letter.isalpha() or stands_alone:  # a word of one letter would be gone
            return text
        luck = rng.random()
        if luck < 0.35:
            near = self._near.get(letter)
            return text[:place] + (near[int(rng.random() * len(near))] if near else letter * 2) + text[place + 1 :]
        if luck < 0.6:
            return text[:place] + text[place + 1 :]
        if luck < 0.8:
            return text[:place] + letter + text[place:]
        return text[: place - 1] + letter + text[place - 1] + text[place + 1 :]


def shouted(spans: Spans) -> Spans:
    """Return the spans in capitals."""
    return [span._replace(text=span.text.upper(), mask=span.mask.upper()) for span in spans]


def load_letters(directory: Path | str | None = None) -> dict[str, dict[str, str]]:
    """Read the transliteration tables; without a directory, those that ship with hazardlens."""
    root = Path(directory) if directory is not None else datasets_dir() / "corpus"
    tables: dict[str, dict[str, str]] = yaml.safe_load((root / "transliteration.yaml").read_text(encoding="utf-8"))
    return tables

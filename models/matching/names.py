"""Brands and names in one spelling, and the words that say there is no brand."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import yaml

from models.domain.resources import datasets_dir
from models.matching.identifiers import shortened
from models.matching.look_alikes import looks_like, plain_letters

_GLUED = re.compile(r"\s*(?:type\s*/\s*number of model|model\s*:|barcode\s*:|ean\s*:).*", re.IGNORECASE | re.DOTALL)
"""Some registers put model and barcode behind the brand without a space."""
_LEGAL = re.compile(r"\b(?:ltd|inc|llc|gmbh|co|corp|company|srl|spa|sa|bv|kg|ag|oy|ab|sarl|trading|tm|r)\b\.?")
_SIGNS = re.compile(r"[^a-z0-9]+")
_LEET = str.maketrans("013457", "oleast")
_SHORTEST_NEAR = 5
_DOUBLED = re.compile(r"([a-z])\1+")
_WORD = re.compile(r"[^\W_]+")
_AND = re.compile(r"(?<![^\W_])([^\W_]{1,3})\s*[&+]\s*([^\W_]{1,3})(?![^\W_])")
"""``C&A``: too short to be read as two words."""
_TWO_CAPITALS = re.compile(r"(?<![^\W_])[A-Z]{2}(?![^\W_])")
LONGEST_BRAND = 60
_SAID_TOGETHER = 3


@cache
def no_brand_words() -> frozenset[str]:
    """Return the texts that say "no brand" or "unknown", in the spelling of `brand_key`."""
    raw = yaml.safe_load((datasets_dir() / "matching" / "no_brand.yaml").read_text(encoding="utf-8"))
    return frozenset(_squeezed(plain_letters(text)) for texts in raw["languages"].values() for text in texts)


def brand_key(text: str) -> str:
    """Return a brand in one spelling, empty where the text says that there is none.

    Examples
    --------
    >>> brand_key("Воsсh GmbH"), brand_key("Miss-Bellina®"), brand_key("ohne Marke"), brand_key("Не указан")
    ('bosch', 'missbellina', '', '')
    >>> brand_key("S&R"), brand_key("AB")
    ('sr', 'ab')
    """
    plain = plain_letters(_GLUED.sub("", text))[:LONGEST_BRAND]
    key = _squeezed(plain)
    if not key or key in no_brand_words():
        return ""
    named = _squeezed(_LEGAL.sub(" ", plain))
    return named if len(named) > 1 else key


def brand_readings(text: str) -> set[str]:
    """Return the brand's key, and what it would be if all its letters were look-alikes."""
    key = brand_key(text)
    if not key or text.isascii():
        return {key} - {""}
    return {key, _squeezed(looks_like(text))} - {""}


def near_brands(key: str) -> set[str]:
    """Return forms that a brand and its misspellings share: a letter left out, digits read as letters, none doubled."""
    letters = _plain_spelling(key)
    return {letters, *shortened(letters)} if len(letters) >= _SHORTEST_NEAR else {"=" + letters}


def brand_runs(text: str) -> list[str]:
    """Return three neighbouring words of a brand that has more, joined: a title says no more of it than `said_names`
    reads.

    Examples
    --------
    >>> brand_runs("Happy Anna – Rocky Air"), brand_runs("Miss Bellina")
    (['happyannarocky', 'annarockyair'], [])
    """
    words = _WORD.findall(plain_letters(_GLUED.sub("", text))[:LONGEST_BRAND]) if brand_key(text) else []
    if len(words) <= _SAID_TOGETHER:
        return []
    runs = ["".join(words[i : i + _SAID_TOGETHER]) for i in range(len(words) - _SAID_TOGETHER + 1)]
    return [run for run in dict.fromkeys(runs) if len(run) >= _SHORTEST_NEAR]


def said_names(text: str, most: int = 12) -> list[str]:
    """Return the words of a title and its pairs and triples of neighbours, joined: any of them may be the brand.

    Each also as `near_brands` spells it, where that is another spelling.

    Examples
    --------
    >>> said_names("Anna Marta")
    ['anna', 'marta', 'annamarta', 'ana', 'anamarta']
    """
    plain = plain_letters(text)
    words = _WORD.findall(plain)[:most]
    capitals = [word.lower() for word in _TWO_CAPITALS.findall(text)][:most]
    pairs = [a + b for a, b in pairwise(words)]
    triples = [a + b + c for a, b, c in zip(words, words[1:], words[2:], strict=False)]
    said = [word for word in (*words, *pairs, *triples) if 2 < len(word) <= LONGEST_BRAND]
    said += [*capitals, *(one + other for one, other in _AND.findall(plain))]
    return list(dict.fromkeys((*said, *map(_plain_spelling, said))))


def _plain_spelling(key: str) -> str:
    """Return a name with digits read as letters and no letter twice in a row, as both are ways to hide it."""
    if key.isdigit():
        return key
    return _DOUBLED.sub(r"\1", key.translate(_LEET))


def _squeezed(plain: str) -> str:
    return _SIGNS.sub("", plain)

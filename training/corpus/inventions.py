"""Brands, model numbers, sizes and prices that nobody owns."""

from __future__ import annotations

from random import Random

from training.corpus.phrase_book import SharedWords

_LETTERS = "ABCDEFGHKLMNPRSTVWXZ"
_UNKNOWN_BRANDS = ("", "", "Unknown", "N/A", "-")


def invented_brand(words: SharedWords, rng: Random) -> str:
    """Return a brand made of syllables, in one of the ways brands are written."""
    syllables = (words.brand_starts, words.brand_middles, words.brand_ends)
    brand = "".join([part[int(rng.random() * len(part))] for part in syllables])
    luck = rng.random()
    return brand.upper() if luck < 0.3 else brand.lower() if luck < 0.35 else brand


def shown_brand(brand: str, rng: Random) -> str:
    """Return what the brand field says: the brand, or one of the ways to say nothing."""
    luck = rng.random()
    return brand if luck < 0.6 else _UNKNOWN_BRANDS[int((luck - 0.6) / 0.4 * len(_UNKNOWN_BRANDS))]


def invented_model(rng: Random) -> str:
    """Return a model number such as ``KX-204``."""
    letters = "".join(_LETTERS[int(rng.random() * len(_LETTERS))] for _ in range(1 + int(rng.random() * 3)))
    return f"{letters}{('-', '', ' ')[int(rng.random() * 3)]}{int(rng.random() * 9900) + 100}"


def invented_price(rng: Random) -> str:
    """Return a price without meaning; most listings of a corpus have none."""
    pounds, pence = int(rng.random() * 90) + 3, ("99", "00", "50", "95")[int(rng.random() * 4)]
    return f"{pounds}.{pence}" if rng.random() < 0.4 else ""


def measured(pattern: str, rng: Random) -> str:
    """Fill `{a}`, `{b}` (lengths), `{c}` (grams, millilitres) and `{n}` (pieces) of a pattern with numbers."""
    if "{" not in pattern:
        return pattern
    return pattern.format(
        a=int(rng.random() * 95) + 4,
        b=int(rng.random() * 60) + 2,
        c=(int(rng.random() * 60) + 2) * 10,
        n=(2, 2, 3, 4, 5, 6, 8, 10, 12, 20, 24, 50)[int(rng.random() * 12)],
    )

"""Letters of other scripts that pass for Latin ones, and Latin letters for every script."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

_ALIKE = str.maketrans("аеорсухкмтнвіјѕԁһӏԛԝпгзбαοερτυκιχνηωβѵ", "aeopcyxkmthbijsdhlqwnr36aoeptukixvnwbv")
"""Cyrillic and Greek small letters by the Latin sign that they look like (Unicode Technical Standard 39, confusables;
those that are common in brands)."""
_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[a-z]")


@lru_cache(maxsize=4_000)
def plain_letters(text: str) -> str:
    """Return a text in small ASCII letters: width and accents gone, other scripts in Latin letters.

    A word that mixes Latin letters with others is read by what it looks like, as nobody writes one word in two
    scripts but
    to be found under another name.

    Examples
    --------
    >>> plain_letters("Воsсh ПИЛА"), plain_letters("ＳÔＮＹ")
    ('bosch pila', 'sony')
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return anyascii(_WORD.sub(_unmixed, folded)).lower()


def looks_like(word: str) -> str:
    """Return what a word of another script passes for, letter by letter: all its letters may be look-alikes.

    Examples
    --------
    >>> looks_like("сосо"), looks_like("КХ-204")
    ('coco', 'kx-204')
    """
    if word.isascii():
        return word.lower()
    return anyascii(unicodedata.normalize("NFKC", word).casefold().translate(_ALIKE)).lower()


def _unmixed(match: re.Match[str]) -> str:
    word = match.group()
    return word if word.isascii() or not _LATIN.search(word) else word.translate(_ALIKE)

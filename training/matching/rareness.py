"""Weights of words, counted over product texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from models.classifier.reading import ReadListing
from models.classifier.sparse import words_of
from models.knowledge.stemming import WordForms
from models.matching.rarity import Rarity

_STEMS = WordForms("en")


def counted(read: Iterable[ReadListing]) -> tuple[Counter[str], int]:
    """Return in how many texts each English stem stands, and the number of texts."""
    counts: Counter[str] = Counter()
    texts = 0
    for each in read:
        texts += 1
        counts.update({_STEMS.stem_word(word.form) for word in words_of(each.text.text)})
    return counts, texts


def rarity_of(collections: Iterable[tuple[Counter[str], int]], least: int = 4) -> Rarity:
    """Return the weights of words by their highest share in any of some collections.

    A word is as common as in the collection where it is most common: inspectors' words are rare among sellers. Words
    in fewer
    than `least` texts of every collection are left out and count as rare: brands and other names are among them.
    """
    shares: dict[str, float] = {}
    rarest = 1.0
    for counts, texts in collections:
        rarest = min(rarest, least / texts)
        for word, count in counts.items():
            if count >= least:
                shares[word] = max(shares.get(word, 0.0), count / texts)
    top = -math.log(rarest)
    return Rarity(
        {word: min(100, round(100 * -math.log(share) / top)) for word, share in shares.items() if not word[0].isdigit()}
    )

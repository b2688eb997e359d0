"""Weights of words, counted over product texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from models.classifier.reading import ReadListing
from models.classifier.sparse import words_of
from models.knowledge.stemming import WordForms
from models.matching.names import said_names

_STEMS = WordForms("en")


def counted(read: Iterable[ReadListing]) -> tuple[Counter[str], int]:
    """Return in how many texts each English stem stands, and the number of texts."""
    counts: Counter[str] = Counter()
    texts = 0
    for each in read:
        texts += 1
        counts.update({_STEMS.stem_word(word.form) for word in words_of(each.text.text)})
    return counts, texts


def weights_of_words(collections: Iterable[tuple[Counter[str], int]], least: int = 4) -> dict[str, int]:
    """Return the weights of words by their highest share in any of some collections.

    A word is as common as in the collection where it is most common: inspectors' words are rare among sellers. Words
    in fewer than `least` texts of every collection are left out and count as rare: brands and other names are among
    them.
    """
    shares: dict[str, float] = {}
    rarest = 1.0
    for counts, texts in collections:
        rarest = min(rarest, least / texts)
        for word, count in counts.items():
            if count >= least:
                shares[word] = max(shares.get(word, 0.0), count / texts)
    top = -math.log(rarest)
    return {
        word: min(100, round(100 * -math.log(share) / top)) for word, share in shares.items() if not word[0].isdigit()
    }


def weights_of_names(titles: Sequence[str], least: int = 3) -> dict[str, int]:
    """Return the weights of what titles say that may be a brand: the logarithm of its share over that of one title.

    What fewer than `least` titles say is left out, and counts as rare.
    """
    counts: Counter[str] = Counter()
    for title in titles:
        counts.update(said_names(title))
    top = math.log(max(2, len(titles)))
    return {name: round(100 * math.log(len(titles) / count) / top) for name, count in counts.items() if count >= least}

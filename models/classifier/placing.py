"""Where the model's words and tokens stand in the listing: whole words of the seller's own text.

The composed text is split by rules of its own, and a cut may fall inside what a reader takes for one thing: before a
combining mark, inside an emoji made of several code points, at the apostrophe of ``children's``. Places are widened
until they begin and end where a reader would, and places that then touch the same letters become one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier.composing import ComposedText
from models.classifier.sparse import Word
from models.domain.assessment import Span
from models.domain.listing import Listing

Place = tuple[str, int, int]
"""Field, start and end (exclusive) in code points of the field as it was received."""
Index = NDArray[np.int64]

_JOINER = "\u200d"
_APOSTROPHES = "'’ʼ"
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "BOPOMOFO")
"""Scripts that write words without gaps (or, Hangul, with endings): a word ends where the match ends."""


@dataclass(frozen=True)
class Places:
    """Disjoint places of a listing, and which of them each word and token of the composed text belongs to.

    Parameters
    ----------
    spans : sequence of Place
        In the order of the listing's fields, then of their text.
    of_word, of_token : array of int
        Index into `spans`; the number of spans where a word or token has no place there.
    """

    spans: Sequence[Place]
    of_word: Index
    of_token: Index

    def __len__(self) -> int:
        return len(self.spans)

    def touching(self, place: Place) -> list[int]:
        """Return the places that share a letter with another."""
        name, start, end = place
        return [i for i, (field, s, e) in enumerate(self.spans) if field == name and s < end and e > start]


def span_of(listing: Listing, place: Place) -> Span:
    """Return a place with its text and, where a caption names it, its picture."""
    name, start, end = place
    text = dict(listing.texts())[name][start:end]
    return Span(field=name, start=start, end=end, text=text, picture=listing.pictures().get(name, ""))


def find_places(
    listing: Listing, text: ComposedText, words: Sequence[Word], tokens: Sequence[tuple[int, int]]
) -> Places:
    """Find the places of a composed text.

    Parameters
    ----------
    words : sequence of Word
        Of the composed text.
    tokens : sequence of (start, end)
        Offsets of the encoder's tokens in the composed text; (0, 0) for special ones.
    """
    fields = dict(listing.texts())
    padded = {name: f" {whole} " for name, whole in fields.items()}
    covered = {name: bytearray(len(whole)) for name, whole in fields.items()}
    found: dict[str, set[tuple[int, int]]] = {name: set() for name in fields}
    wide: list[Place | None] = []
    for place in text.origins((word.start, word.end) for word in words):
        if place is not None:
            name, start, end = place
            around = padded[name]
            if around[start] != " " or around[end + 1] != " " or around[end] == _JOINER:
                place = name, start, end = _whole(fields[name], place)
            found[name].add((start, end))
            covered[name][start:end] = b"\1" * (end - start)
        wide.append(place)
    # Names and cues can lie beyond what the encoder reads; they have a share all the same.
    for name, findings in text.findings.items():
        hits = [(hit.start, hit.end) for hit in findings.names] + [(hit.start, hit.end) for hit in findings.cues]
        for first, last in hits:
            if covered[name].find(1, first, last) < 0:
                _, start, end = _whole(fields[name], (name, first, last))
                found[name].add((start, end))
                covered[name][start:end] = b"\1" * (end - start)
    spans, home = _disjoint(found)
    of_word = [len(spans) if place is None else home[place] for place in wide]
    of_token = _of_tokens(tokens, words, of_word, len(spans))
    return Places(spans, np.array(of_word, dtype=np.int64), np.array(of_token, dtype=np.int64))


def _disjoint(found: Mapping[str, set[tuple[int, int]]]) -> tuple[list[Place], dict[Place, int]]:
    spans: list[Place] = []
    home: dict[Place, int] = {}
    for name, places in found.items():
        last = -1
        for start, end in sorted(places):
            if start < last:
                if end > last:
                    last = end
                    spans[-1] = (name, spans[-1][1], end)
            else:
                spans.append((name, start, end))
                last = end
            home[name, start, end] = len(spans) - 1
    return spans, home


def _of_tokens(
    tokens: Sequence[tuple[int, int]], words: Sequence[Word], of_word: Sequence[int], none: int
) -> list[int]:
    """A token belongs to the word it lies in; punctuation belongs to none. Both stand in the order of the text."""
    result, i = [none] * len(tokens), 0
    for token, (begin, end) in enumerate(tokens):
        if begin < end:
            while i < len(words) and words[i].end <= begin:
                i += 1
            if i < len(words) and words[i].start < end:
                result[token] = of_word[i]
    return result


def _whole(text: str, place: Place) -> Place:
    name, start, end = place
    while start > 0 and _belong_together(text, start):
        start -= 1
    while end < len(text) and _belong_together(text, end):
        end += 1
    return name, start, end


def _belong_together(text: str, i: int) -> bool:
    """Whether a reader sees no gap between the characters before and at a position."""
    before, after = text[i - 1], text[i]
    if before == " " or (after == " " and before != _JOINER):
        return False
    if before == _JOINER or after == _JOINER or _extends(after):
        return not before.isspace()
    if before in _APOSTROPHES:
        return i > 1 and text[i - 2].isalpha() and after.isalpha()
    if after in _APOSTROPHES:
        return before.isalpha() and i + 1 < len(text) and text[i + 1].isalpha()
    return in_spaced_word(before) and in_spaced_word(after)


def _extends(c: str) -> bool:
    """Combining marks, variation selectors and skin tones have no place of their own."""
    return not c.isascii() and (unicodedata.category(c)[0] == "M" or 0x1F3FB <= ord(c) <= 0x1F3FF)


def in_spaced_word(c: str) -> bool:
    """Whether a character is part of a word in a script that parts its words by gaps."""
    if c.isascii():
        return c.isalnum()
    return (c.isalnum() or _extends(c)) and not unicodedata.name(c, "").startswith(_UNSPACED)

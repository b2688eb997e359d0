"""Skimming listings: their words in English and what of the knowledge base they name, in a tenth of a millisecond."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.classifier.composing import FIELD_BUDGETS, field_group
from models.domain.listing import Listing
from models.knowledge.base import Knowledge
from models.screening.lexicon import Found, Lexicon, spaced

Array = NDArray[np.float32]
_LATIN = re.compile(r"[a-zà-ɏḀ-ỿ0-9]+")
_LONGEST = 1_200


@dataclass(frozen=True)
class Skimmed:
    """What skimming found in n listings.

    Parameters
    ----------
    texts : list of str
        English words, in the order of the listing.
    languages : list of str
        Code of the language that most forms belong to, ``und`` where none was found.
    named : array of bool, shape (n, kinds)
        Kinds whose names stand there, and
    titled : array of bool, shape (n, kinds)
        those that stand in the title.
    cues : array of bool, shape (n, cues)
    known_share : array of shape (n,)
        Share of the letters that the forms cover.
    """

    texts: list[str]
    languages: list[str]
    named: NDArray[np.bool_]
    titled: NDArray[np.bool_]
    cues: NDArray[np.bool_]
    known_share: Array


class Skimmer:
    """Skims listings in any language of the knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    @cached_property
    def lexicon(self) -> Lexicon:
        """Built on first use, which takes a second or two."""
        return Lexicon(self.knowledge)

    def skim(self, listings: Sequence[Listing]) -> Skimmed:
        """Skim some listings; the answer to one does not depend on the others."""
        lexicon, n = self.lexicon, len(listings)
        english = lexicon.languages.index("en")
        named = np.zeros((n, len(self.knowledge.kinds)), dtype=bool)
        titled = np.zeros_like(named)
        cues = np.zeros((n, len(self.knowledge.cues)), dtype=bool)
        known_share = np.zeros(n, dtype=np.float32)
        texts, languages = [], []
        for row, listing in enumerate(listings):
            raw = _fields(listing)
            title = len(spaced(listing.title))
            words = f" {spaced(raw)} "
            found = lexicon.find(words)
            forms = [form for form, _, _ in found]
            votes = lexicon.votes[forms].sum(axis=0) if forms else None
            language = int(votes.argmax()) if votes is not None else -1
            if language == english or votes is None:
                texts.append(raw)
            else:
                found = lexicon.with_stems(words, found, language)
                texts.append(self._glossed(words, found, language, english))
            languages.append(lexicon.languages[language] if language >= 0 else "und")
            letters = sum(end - start for _, start, end in found)
            known_share[row] = min(1.0, letters / max(1, len(words) - 1))
            for form, start, _ in found:
                if lexicon.says_more[form]:
                    for meaning in (lexicon.meaning(form, language), lexicon.meaning(form, english)):
                        if meaning is not None:
                            cues[row, list(meaning.cues)] = True
                            kinds = list(meaning.kinds)
                            named[row, kinds] = True
                            if start < title:
                                titled[row, kinds] = True
        return Skimmed(texts, languages, named, titled, cues, known_share)

    def _glossed(self, words: str, found: Sequence[Found], language: int, english: int) -> str:
        parts: list[str] = []
        position = 0
        for form, start, end in found:
            if start > position:
                parts += _LATIN.findall(words, position, start)
            meaning = self.lexicon.meaning(form, language) or self.lexicon.meaning(form, english)
            if meaning is None:
                parts.append(words[start:end])
            elif meaning.english:
                parts.append(meaning.english)
            position = max(position, end)
        parts += _LATIN.findall(words, position)
        return " ".join(parts)


def _fields(listing: Listing) -> str:
    """Join the fields as a shopper reads them, each cut as the encoder's text is cut."""
    budgets = dict(FIELD_BUDGETS)
    parts = []
    for name, text in listing.texts():
        group = field_group(name)
        kept = text[: budgets[group]]
        budgets[group] -= len(kept)
        if kept:
            parts.append(kept)
    return ". ".join(parts)[:_LONGEST]

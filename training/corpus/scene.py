"""The words that one listing has to play with: its name, brand, colour, details and what its cues say."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from models.knowledge.kinds import ProductKind
from training.corpus.inventions import invented_brand, invented_model, measured
from training.corpus.ordering import strolled
from training.corpus.phrase_book import LanguagePhrases, SharedWords
from training.corpus.spans import Span, Spans, plain

_T = TypeVar("_T")


class Scene:
    """Fills slots; what is drawn once (brand, colour, material ...) stays the same within the listing.

    Parameters
    ----------
    details : sequence of str
        Specifications of the kind in English that hold no cue; used in English and mixed-language listings.
    materials : sequence of int
        Positions of the kind's materials in the phrases; any material where there are none.
    mixed : bool
        Whether English words stand in another language.
    title_case : bool
        Whether the title Looks Like This.
    """

    def __init__(
        self,
        kind: ProductKind,
        language: str,
        phrases: LanguagePhrases,
        shared: SharedWords,
        details: Sequence[str],
        rng: Random,
        *,
        materials: Sequence[int],
        mixed: bool,
        title_case: bool,
    ) -> None:
        self._kind = kind
        self._phrases = phrases
        self._rng = rng
        self._mixed = mixed
        names = kind.names.get(language) or kind.names["en"]
        self.names = strolled(names, rng)
        self.names_used: list[str] = []
        self.brand = invented_brand(shared, rng)
        self.model = invented_model(rng)
        self.title_case = title_case
        self._materials = materials
        self._tells_details = language == "en" or mixed
        self._details = strolled(details, rng)
        self._told = 0
        self._other = 0
        self._fixed: dict[str, Spans] = {}
        self.feature: Spans = []
        self.in_title = True
        self.promoted = True

    def pick(self, words: Sequence[_T]) -> _T:
        """Return one of some things."""
        return words[int(self._rng.random() * len(words))]

    def __call__(self, slot: str) -> Spans:
        """Return the words of a slot; none leaves its chunk or sentence out."""
        if slot == "name":
            return [self.name(self.names[0])]
        if slot == "alias":
            return [self._alias()]
        if slot == "detail":
            return self._detail()
        if slot == "feature":
            return self.feature
        found = self._fixed.get(slot)
        if found is None:
            found = self._fixed[slot] = self._drawn(slot)
        if self.in_title and self.title_case and slot in ("colour", "material"):
            return [self._titled(found[0])]
        return found

    def name(self, name: str) -> Span:
        """Return a name of the kind, as the title or the running text writes it."""
        if name not in self.names_used:
            self.names_used.append(name)
        return Span(_titled(name) if self.in_title and self.title_case else name, "NAME", "name")

    def filler(self) -> str:
        """Return a harmless thing to say."""
        return self.pick(self._phrases.features)

    def _alias(self) -> Span:
        if self._mixed and self._rng.random() < 0.4:
            english = self._kind.names["en"]
            return self.name(english[int(self._rng.random() * len(english))])
        self._other += 1
        return self.name(self.names[self._other % len(self.names)])

    def _detail(self) -> Spans:
        """Return the next detail, in listings that have English words; details are known in English only."""
        if not self._tells_details:
            return []
        filler = self.filler()
        self._told += 1
        detail = self._details[self._told % len(self._details)] if self._details else filler
        return [Span(detail, "DETAIL", "detail")]

    def _material(self) -> Span:
        anything = self.pick(self._phrases.materials)
        known = self.pick(self._materials) if self._materials else None
        return Span(anything if known is None else self._phrases.materials[known], "MATERIAL", "detail")

    def _drawn(self, slot: str) -> Spans:
        phrases = self._phrases
        if slot == "brand":
            return [plain(self.brand)]
        if slot == "model":
            return [plain(self.model)]
        if slot == "colour":
            return [plain(self.pick(phrases.colours))]
        if slot == "material":
            return [self._material()]
        if slot == "measure":
            return [plain(measured(self.pick(phrases.measures), self._rng))]
        if slot == "count":
            return [plain(measured(self.pick(phrases.counts), self._rng))]
        return [plain(self.pick(phrases.promos))] if self.promoted else []

    def _titled(self, span: Span) -> Span:
        text = _titled(span.text)
        return span._replace(text=text, mask=text if span.role == "plain" else span.mask)


def _titled(text: str) -> str:
    return " ".join([word[:1].upper() + word[1:] for word in text.split(" ")])

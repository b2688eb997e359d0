"""Writes a corpus: kind and cues -> text and labels, one listing after the other, each from its own seed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from random import Random

from models.classifier.scenarios import CueFact
from models.domain.listing import Caption, Listing
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.knowledge.kinds import ProductKind
from models.knowledge.matching import KnowledgeMatcher, matcher_of
from training.corpus.cue_drawing import CueDraw
from training.corpus.cue_wording import CueWording
from training.corpus.features import drawn_features
from training.corpus.inventions import invented_price, shown_brand
from training.corpus.labelling import Labeller
from training.corpus.language_kit import LanguageKit
from training.corpus.marketplace_category import marketplace_category
from training.corpus.phrase_book import PhraseBook, load_phrase_book
from training.corpus.records import CorpusListing
from training.corpus.scene import Scene
from training.corpus.seller_noise import SellerNoise, load_letters, shouted
from training.corpus.settings import CorpusSettings, Style
from training.corpus.spans import Placement, Span, Spans, placements, plain, written
from training.corpus.styles import Desk, Draft, drafted

_PILOT = 3_000
"""Draws from which the tilt towards unsafe listings is reckoned; it does not depend on the corpus size."""


def write_corpus(
    knowledge: Knowledge,
    taxonomy: Taxonomy,
    settings: CorpusSettings | None = None,
    *,
    book: PhraseBook | None = None,
    masked: bool = False,
) -> Iterator[CorpusListing]:
    """Write a corpus as a stream.

    Parameters
    ----------
    book : PhraseBook, optional
        The writer's words; without it, those that ship with hazardlens.
    masked : bool
        Write the same listings without any word of kind or cue: names and details become placeholders, a cue
        becomes the harmless words that would stand there without it.

    Yields
    ------
    CorpusListing
        Listing i depends on the seed and on i, not on the size.
    """
    writer = CorpusWriter(knowledge, taxonomy, settings or CorpusSettings(), book=book, masked=masked)
    return (writer.listing(i) for i in range(writer.size))


class CorpusWriter:
    """Writes any listing of a corpus by its index; see `write_corpus`."""

    def __init__(
        self,
        knowledge: Knowledge,
        taxonomy: Taxonomy,
        settings: CorpusSettings,
        *,
        book: PhraseBook | None = None,
        masked: bool = False,
    ) -> None:
        self.knowledge = knowledge
        self.settings = settings
        self.size = max(settings.size, settings.min_per_kind * len(knowledge.kinds))
        self._masked = masked
        book = book or load_phrase_book()
        self._shared = book.shared
        known = sorted({code for kind in knowledge.kinds for code in kind.names}, key=lambda code: (code != "en", code))
        shares = settings.language_shares(known)
        self._languages = list(shares)
        self._language_edges = list(accumulate(shares.values()))
        self._styles: list[Style] = list(settings.styles)
        self._style_edges = list(accumulate(settings.styles.values()))
        matcher = matcher_of(knowledge)
        self._wording = CueWording(knowledge, book, matcher)
        self._cues = CueDraw(knowledge, book.shared, settings, self._wording)
        self._kits = {code: _kit(code, book, matcher) for code in self._languages}
        self._details = [_neutral_details(kind, matcher) for kind in knowledge.kinds]
        self._materials = [_materials(kind, book.shared.material_words) for kind in knowledge.kinds]
        self._noise = SellerNoise(book.shared.keyboards, load_letters())
        self._order = lru_cache(maxsize=4)(self._kind_order)
        self.labeller = Labeller(knowledge, taxonomy)
        self._settle_tilt()

    def listing(self, i: int) -> CorpusListing:
        """Write the listing at an index from 0."""
        rng = Random((self.settings.seed << 40) + i)
        n = len(self.knowledge.kinds)
        index = self._order(i // n)[i % n]
        kind = self.knowledge.kinds[index]
        language = self._languages[_drawn(self._language_edges, rng)]
        style = self._styles[_drawn(self._style_edges, rng)]
        facts = self._cues.draw(kind, language, rng)
        desk = self._desk(index, language, style, facts, rng)
        draft = drafted(style, desk)
        category, wrong = self._category(kind, desk.scene.names[0], language, rng)
        self._spoil(draft, language, rng)
        outlook = self.labeller.outlook(index, facts)
        verdict = self.labeller.draw(outlook, rng)
        return CorpusListing(
            listing=self._listing(i, draft, category, shown_brand(desk.scene.brand, rng), language, rng),
            kind=kind.id,
            cues=tuple(facts),
            language=language,
            style=style,
            unsafe=verdict.unsafe,
            labels=verdict.labels,
            expected=outlook.expected,
            risk_level=verdict.level,
            names_used=tuple(desk.scene.names_used),
            weight=verdict.weight,
            placements=() if self._masked else _all_placements(draft),
            wrong_category=wrong,
        )

    def _desk(self, index: int, language: str, style: Style, facts: list[CueFact], rng: Random) -> Desk:
        settings, kit, kind = self.settings, self._kits[language], self.knowledge.kinds[index]
        scene = Scene(
            kind,
            language,
            kit.phrases,
            self._shared,
            self._details[index],
            rng,
            materials=self._materials[index],
            mixed=language != "en" and rng.random() < settings.mixed_language,
            title_case=kit.phrases.title_case and rng.random() < 0.6,
        )
        worded = [(fact, self._wording.write(fact, language, rng)) for fact in facts]
        at_name = [Span(text, "", "cue", fact) for fact, text in worded if fact.cue in self._shared.name_cues]
        others = [(fact, text) for fact, text in worded if fact.cue not in self._shared.name_cues]
        return Desk(
            scene,
            kit,
            self._shared,
            drawn_features(style, others, kit.phrases.features, rng),
            rng,
            stuffed=style != "inspector" and rng.random() < settings.stuffed,
            name_cue=at_name[0] if at_name else None,
        )

    def _category(self, kind: ProductKind, name: str, language: str, rng: Random) -> tuple[str, bool]:
        wrong = rng.random() < self.settings.wrong_category
        shelf = self.knowledge.kinds[int(rng.random() * len(self.knowledge.kinds))] if wrong else kind
        name = (shelf.names.get(language) or shelf.names["en"])[0] if wrong else name
        return marketplace_category(shelf, name, language, self._noise, rng), wrong

    def _spoil(self, draft: Draft, language: str, rng: Random) -> None:
        settings, phrases = self.settings, self._kits[language].phrases
        if rng.random() < settings.transliterated:
            for part in (draft.title, draft.description, *draft.captions):
                part[:] = self._noise.latinised(part, language)
        if rng.random() < settings.misspelt:
            part = draft.description if draft.description and rng.random() < 0.5 else draft.title
            self._noise.mistyped(part, rng)
        if rng.random() < settings.shouted and phrases.capitals:
            draft.title = shouted(draft.title)
        if rng.random() < settings.emoji:
            emoji = self._shared.emoji
            draft.title.insert(0, plain(emoji[int(rng.random() * len(emoji))] + " "))

    def _listing(self, i: int, draft: Draft, category: str, brand: str, language: str, rng: Random) -> Listing:
        captions = [text for text in (self._written(spans) for spans in draft.captions) if text]
        sources = ("given", "caption", "ocr")
        return Listing(
            id=f"corpus-{self.settings.seed}-{i}",
            title=self._written(draft.title),
            brand=brand,
            category=("CATEGORY" if category else "") if self._masked else category,
            description=self._written(draft.description),
            attributes={name: value for name, spans in draft.attributes if (value := self._written(spans))},
            captions=[Caption(text=text, source=sources[int(rng.random() * 3)]) for text in captions],
            price=invented_price(rng),
            language=language if rng.random() < 0.7 else "",
        )

    def _written(self, spans: Spans) -> str:
        return written(spans, self._masked)

    def _kind_order(self, block: int) -> list[int]:
        """Return the order of the kinds in a block: each stands once in as many listings as there are kinds."""
        order = list(range(len(self.knowledge.kinds)))
        Random((self.settings.seed << 40) + (1 << 39) + block).shuffle(order)
        return order

    def _settle_tilt(self) -> None:
        rng = Random(0)
        probabilities = []
        for _ in range(_PILOT):
            index = int(rng.random() * len(self.knowledge.kinds))
            language = self._languages[_drawn(self._language_edges, rng)]
            facts = self._cues.draw(self.knowledge.kinds[index], language, rng)
            probabilities.append(self.labeller.outlook(index, facts).unsafe)
        self.labeller.tilt_to(probabilities, self.settings.unsafe_share)


def _drawn(edges: list[float], rng: Random) -> int:
    luck = rng.random() * edges[-1]
    for i, edge in enumerate(edges):
        if luck < edge:
            return i
    return len(edges) - 1


def _kit(code: str, book: PhraseBook, matcher: KnowledgeMatcher) -> LanguageKit:
    return LanguageKit.of(code, book.of(code).without(lambda text: bool(matcher.find(text, code).cues)))


def _neutral_details(kind: ProductKind, matcher: KnowledgeMatcher) -> list[str]:
    """Return the details that hold no cue: those that do would be labels nobody counted."""
    return [detail for detail in kind.details if not matcher.find(detail, "en").cues]


def _materials(kind: ProductKind, words: list[list[str]]) -> list[int]:
    """Return the positions of the materials that the kind's English names and details mention."""
    said = set(re.findall(r"[a-z]+", " ".join([*kind.details, *kind.names["en"]]).lower()))
    return [i for i, spellings in enumerate(words) if said.intersection(spellings)]


def _all_placements(draft: Draft) -> tuple[Placement, ...]:
    found = [*placements(draft.title, "title"), *placements(draft.description, "description")]
    for i, spans in enumerate(draft.captions):
        found += placements(spans, f"captions[{i}]")
    for name, spans in draft.attributes:
        found += placements(spans, f"attributes.{name}")
    return tuple(found)

"""Reading a listing: the language of each field, and the one text that the encoder sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.classifier.composing import Boilerplate, ComposedText, Composer
from models.classifier.language import Detected, LanguageDetector
from models.classifier.scenarios import CueFact
from models.domain.listing import Listing
from models.knowledge.base import Knowledge
from models.knowledge.matching import matcher_of


@dataclass(frozen=True)
class ReadListing:
    """A listing with its languages and the text that the encoder reads.

    Parameters
    ----------
    language : Detected
        Of the listing as a whole.
    languages : mapping
        Code of each field, by its name.
    """

    listing: Listing
    language: Detected
    text: ComposedText
    languages: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> set[CueFact]:
        """Return the cues of all fields."""
        return {CueFact(hit.cue, hit.negated) for findings in self.text.findings.values() for hit in findings.cues}


class ListingReader:
    """Reads listings.

    Parameters
    ----------
    gloss : bool
        Whether text in other languages reaches the encoder in English words.
    """

    def __init__(self, knowledge: Knowledge, boilerplate: Boilerplate, gloss: bool = True) -> None:
        matcher = matcher_of(knowledge)
        self.detector = LanguageDetector(matcher)
        self.composer = Composer(matcher, boilerplate, gloss)

    def read(self, listing: Listing) -> ReadListing:
        """Detect the language of each field, of the listing as a whole, and compose the encoder's text."""
        texts = dict(listing.texts())
        detected = {name: self.detector.detect(text, listing.language) for name, text in texts.items()}
        main = _main_language(listing, detected)
        codes = {name: _field_language(texts[name], found, main, self.detector) for name, found in detected.items()}
        return ReadListing(listing, main, self.composer.compose(listing, codes), codes)


def _field_language(text: str, found: Detected, main: Detected, detector: LanguageDetector) -> str:
    """The language of one field: a field without letters, or in doubt, follows the listing where that reads more of it.

    Shops in Cyrillic languages spell their categories in Latin letters (``igrushki-dlya-devochek``).
    """
    if found.code == "und":
        return main.code
    if found.code != main.code and detector.reads_better(text, main.code, found.code):
        return main.code
    return found.code


def _main_language(listing: Listing, detected: Mapping[str, Detected]) -> Detected:
    """The language that most of the listing's letters are in."""
    weights: dict[str, float] = {}
    sure: dict[str, float] = {}
    for name, text in listing.texts():
        found = detected[name]
        if found.code != "und":
            weights[found.code] = weights.get(found.code, 0.0) + len(text) * found.confidence
            sure[found.code] = max(sure.get(found.code, 0.0), found.confidence)
    if not weights:
        return Detected("und", 0.0)
    best = max(weights, key=lambda code: (weights[code], code))
    return Detected(best, sure[best])

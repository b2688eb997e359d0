"""The listings by which a loaded model tests itself: two of each language, a dangerous product and a harmless one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from models.classifier.golden import Golden
from models.domain.alert import Example
from models.domain.risk import RiskLevel
from models.plan.reading import load_plan

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier

_DANGEROUS = (RiskLevel.HIGH, RiskLevel.SERIOUS)


def golden_inputs(model: HazardClassifier, written: Iterable[Example]) -> Golden:
    """Choose among written listings, and take what the model answers as right.

    English ones come first: a server answers English before it has built what the other languages need. They are those
    that ask for the words of the fewest other languages: a brand may be a word in any of them.

    Parameters
    ----------
    written : iterable of Example
        Invented texts only: they stay in the artifact, whoever gets it.
    """
    chosen: dict[tuple[str, bool], Example] = {}
    asked: dict[tuple[str, bool], int] = {}
    for example in written:
        key = (example.lang, example.risk_level in _DANGEROUS)
        if key not in chosen:
            chosen[key] = example
        if example.lang == "en" and asked.get(key, 1):
            others = len(_languages_asked(model, example) - {"en"})
            if others < asked.get(key, others + 1):
                chosen[key], asked[key] = example, others
    order = sorted(chosen, key=lambda key: (key[0] != "en", key))
    plan = load_plan()
    return Golden.of([chosen[key].to_listing() for key in order], lambda listing: model.assess(listing, plan))


def _languages_asked(model: HazardClassifier, example: Example) -> set[str]:
    listing = example.to_listing()
    return set().union(*(model.reader.detector.asks(text, listing.language) for _, text in listing.texts()))

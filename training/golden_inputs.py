"""The listings by which a loaded model tests itself: two of each language, a dangerous product and a harmless one."""

from __future__ import annotations

from collections import defaultdict
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
    alike: dict[tuple[str, bool], list[Example]] = defaultdict(list)
    for example in written:
        alike[example.lang, example.risk_level in _DANGEROUS].append(example)
    for key, examples in alike.items():
        if key[0] == "en":
            examples.sort(key=lambda example: len(_languages_asked(model, example) - {"en"}))
    order = sorted(alike, key=lambda key: (key[0] != "en", key))
    plan = load_plan()
    return Golden.of([alike[key][0].to_listing() for key in order], lambda listing: model.assess(listing, plan))


def _languages_asked(model: HazardClassifier, example: Example) -> set[str]:
    listing = example.to_listing()
    return set().union(*(model.reader.detector.asks(text, listing.language) for _, text in listing.texts()))

"""A match in words: each feature that counts, supporting and contradicting, with what agrees or differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models.domain.match import MatchFeature
from models.matching.combiner import Combiner, Floats
from models.matching.features import FEATURES
from models.matching.signature import Group, Signature

Has = Callable[[Group, str], bool]
"""Whether the listing has a text of a group."""

_WORDS_SHOWN = 6
_LEAST_SHOWN = 0.02
"""Share of the logit below which a feature is not worth a line."""
_OF_ALERT: dict[str, tuple[Group, ...]] = {
    "gtin_other": (Group.GTIN,),
    "model_near": (Group.MODEL,),
    "model_of_family": (Group.MODEL,),
    "model_other": (Group.MODEL,),
    "brand_said": (Group.BRAND,),
    "brand_near": (Group.BRAND,),
    "brand_absent": (Group.BRAND,),
    "brand_other": (Group.BRAND,),
    "kind_other": (Group.KIND,),
}
_SHARED: dict[str, tuple[Group, ...]] = {
    "gtin": (Group.GTIN,),
    "model": (Group.NUMBER,),
    "batch": (Group.BATCH,),
    "brand": (Group.BRAND,),
    "name_words": (Group.WORD,),
    "text_words": (Group.WORD, Group.BODY),
    "kind": (Group.KINDS, Group.NAMED_KIND),
    "kind_named": (Group.KINDS, Group.NAMED_KIND),
    "hazards": (Group.HAZARD,),
}


_EITHER = ((Group.WORD, Group.BODY), (Group.KINDS, Group.NAMED_KIND))
"""Groups of the listing that may hold what one of them holds of the alert."""


def worded(features: Floats, combiner: Combiner, alert: Signature, listing_has: Has) -> list[MatchFeature]:
    """Return the features that count, largest contribution first.

    Parameters
    ----------
    features : array of shape (features,)
    alert : Signature
        Its texts are what the words name.
    """
    found = []
    for feature, value, weight in zip(FEATURES, features.tolist(), combiner.weights.tolist(), strict=True):
        contribution = value * weight
        if abs(contribution) < _LEAST_SHOWN:
            continue
        text = feature.said
        if "{}" in text:
            text = text.format(", ".join(_texts(feature.name, alert, listing_has)) or "–")
        found.append(MatchFeature(name=feature.name, value=min(1.0, value), contribution=contribution, text=text))
    return sorted(found, key=lambda each: (-abs(each.contribution), each.name))


def _texts(name: str, alert: Signature, listing_has: Has) -> Sequence[str]:
    if name in _OF_ALERT:
        return [text for group in _OF_ALERT[name] for text in alert.texts[group]][:_WORDS_SHOWN]
    shared = [
        text
        for group in _SHARED[name]
        for text in alert.texts[group]
        if any(listing_has(at, text) for at in _where(group))
    ]
    weights = {**alert.body, **alert.words}
    return sorted(dict.fromkeys(shared), key=lambda text: -weights.get(text, 0))[:_WORDS_SHOWN]


def _where(group: Group) -> tuple[Group, ...]:
    return next((groups for groups in _EITHER if group in groups), (group,))

"""The names that conditions may use: their types, ranges, meanings, and what holds where a fact is absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.domain.listing import CAPTION_SOURCES
from models.domain.risk import CONSUMER_GROUPS, RiskLevel
from models.plan.traceability import GAPS


class Kind(StrEnum):
    """Type of a value in a condition."""

    NUMBER = "number"
    TEXT = "text"
    FLAG = "true or false"
    LEVEL = "level"
    TEXTS = "set of texts"


@dataclass(frozen=True)
class Fact:
    """One fact of an assessment.

    Parameters
    ----------
    values : str
        Name of the vocabulary that its texts come from, empty for free text.
    least, most : float
        Range of a number.
    absent : str
        When the fact is absent, empty for one that never is. What compares an absent fact is neither true nor false:
        `not` keeps it so, `and` and `or` look at the rest, and a rule fires only where its condition is true.
    """

    kind: Kind
    meaning: str
    values: str = ""
    least: float = 0.0
    most: float = float("inf")
    absent: str = ""


@dataclass(frozen=True)
class Function:
    """A function of facts: types of its arguments and of its value.

    Parameters
    ----------
    values : str
        Vocabulary of its first argument where that is a text that must be written out.
    """

    arguments: tuple[Kind, ...]
    kind: Kind
    meaning: str
    values: str = ""
    most: float = float("inf")


_NUMBER, _TEXT, _FLAG, _LEVEL, _TEXTS = Kind.NUMBER, Kind.TEXT, Kind.FLAG, Kind.LEVEL, Kind.TEXTS
_NOT_TOLD = "where the request does not tell"

FACTS: dict[str, Fact] = {
    "level": Fact(_LEVEL, "level of risk after the section classify; within classify, the model's level", "level"),
    "model_level": Fact(_LEVEL, "level of risk as the model found it", "level"),
    "risk_score": Fact(_NUMBER, "probability that the level is high or serious", most=1),
    "p_unsafe": Fact(_NUMBER, "probability that the product is unsafe", most=1),
    "flagged": Fact(_TEXTS, "risk types whose probability reaches the model's threshold", "risk type"),
    "scenario_hazard": Fact(_TEXT, "risk type of the worst scenario", "risk type", absent="where the level is none"),
    "severity": Fact(
        _NUMBER, "severity of the worst scenario, 1 to 4", least=1, most=4, absent="where the level is none"
    ),
    "consumers": Fact(
        _TEXT, "consumer group of the worst scenario", "consumer group", absent="where the level is none"
    ),
    "kind": Fact(_TEXT, "the most probable product kind", "kind", absent="where the model names none"),
    "kind_probability": Fact(
        _NUMBER, "probability of the most probable product kind", most=1, absent="where the model names none"
    ),
    "kinds": Fact(_TEXTS, "the three most probable product kinds", "kind"),
    "category": Fact(
        _TEXT, "product category of the most probable kind", "category", absent="where the model names none"
    ),
    "seller_category": Fact(_TEXT, "category as the seller wrote it"),
    "brand": Fact(_TEXT, "brand as the seller wrote it"),
    "cues": Fact(_TEXTS, "cues of the knowledge base that the listing shows, negated ones apart", "cue"),
    "negated_cues": Fact(_TEXTS, "cues that the listing denies", "cue"),
    "picture_marks": Fact(_TEXTS, "marks and warnings that were read on the pictures", "mark"),
    "caption_sources": Fact(_TEXTS, "where the words about the pictures are from", "caption source"),
    "unread_pictures": Fact(_NUMBER, "pictures for which a source gave no words, since it failed"),
    "picture_confidence": Fact(
        _NUMBER, "mean confidence of what was read off the pictures", most=1, absent="where nothing was read off any"
    ),
    "language": Fact(_TEXT, "language of the listing, ISO 639-1; und where it cannot be told"),
    "language_confidence": Fact(_NUMBER, "how sure the language is", most=1),
    "language_covered": Fact(_FLAG, "the model reads enough of the text"),
    "abstains": Fact(_FLAG, "the model is not at home with this listing, for whatever reason"),
    "abstain_reasons": Fact(_TEXTS, "codes of these reasons, such as language-not-covered"),
    "countries": Fact(_TEXTS, "target countries, ISO 3166-1 alpha-2 in capitals; empty where none is given"),
    "targets_eea": Fact(
        _FLAG, "a target country belongs to the European Economic Area", absent="where no target country is given"
    ),
    "traceability_complete": Fact(_FLAG, "nothing is in `missing` (GPSR Article 22(9)(a) to (c))"),
    "missing": Fact(_TEXTS, "what GPSR Article 22(9)(a) to (c) asks for and the listing lacks", "gap"),
    "countries_without_warnings": Fact(
        _TEXTS, "target countries of the EEA in whose languages the listing has no warning (GPSR Article 22(9)(d))"
    ),
    "prohibited": Fact(_FLAG, "a product kind of `identify: prohibited_kinds` reaches its probability"),
    "seller_warnings": Fact(_NUMBER, "prior warnings of the seller", absent=_NOT_TOLD),
    "seller_removals": Fact(_NUMBER, "listings of the seller that were removed as unsafe", absent=_NOT_TOLD),
    "seller_suspended": Fact(_FLAG, "the seller is suspended", absent=_NOT_TOLD),
    "recall_match": Fact(
        _NUMBER, "score of the best match with an alert or recall", most=1, absent="where none was looked for"
    ),
    "removed_before": Fact(_FLAG, "equal content was removed before; false where nobody tells"),
}
"""Every fact, by name."""

FUNCTIONS: dict[str, Function] = {
    "hazard": Function((_TEXT,), _NUMBER, "probability that this risk type is a real concern", "risk type", 1),
    "hazard_if_unsafe": Function((_TEXT,), _NUMBER, "P(risk type | unsafe product, listing)", "risk type", 1),
    "level_probability": Function((_TEXT,), _NUMBER, "probability of this level", "level", 1),
    "threshold": Function((_TEXT,), _NUMBER, "a threshold of the section assess, by name", "threshold", 1),
    "count": Function((_TEXTS,), _NUMBER, "size of a set"),
    "any_of": Function((_TEXTS, _TEXTS), _FLAG, "the two sets have something in common"),
    "known": Function((_TEXT,), _FLAG, "the fact is not absent; the argument is its bare name"),
}
"""Every function, by name."""


@dataclass(frozen=True)
class Vocabulary:
    """The texts that exist, so that a misspelt one is found. A vocabulary that is not given is not checked.

    Parameters
    ----------
    words : mapping
        Name of a vocabulary (``risk type``, ``kind``, ``category``, ``cue``, ``mark``) to its texts.
    """

    words: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, name: str) -> frozenset[str] | None:
        """Return the texts of a vocabulary, None where any text goes."""
        return _CLOSED.get(name) or self.words.get(name)

    @classmethod
    def build(
        cls,
        risk_types: Iterable[str],
        categories: Iterable[str],
        kinds: Iterable[str] = (),
        cues: Iterable[str] = (),
        marks: Iterable[str] = (),
    ) -> Vocabulary:
        """Return a vocabulary; what is empty is not checked."""
        given = {"risk type": risk_types, "category": categories, "kind": kinds, "cue": cues, "mark": marks}
        return cls({name: frozenset(texts) for name, texts in given.items() if texts})


_CLOSED: dict[str, frozenset[str]] = {
    "level": frozenset(level.value for level in RiskLevel),
    "consumer group": frozenset(CONSUMER_GROUPS),
    "gap": frozenset(GAPS),
    "caption source": frozenset(CAPTION_SOURCES),
}

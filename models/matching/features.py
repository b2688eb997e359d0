"""The features of a pair of listing and alert: what each means, and which way it may count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["for", "against"]


@dataclass(frozen=True)
class Feature:
    """One feature; its value lies between 0 and 1.

    Parameters
    ----------
    side : str
        The only way it may count: the weight of one that speaks for a match is never below 0, and of one that speaks
        against it never above.
    meaning : str
        What 1 means, and what lies between.
    said : str
        What people read where it counts; ``{}`` is filled with the texts that agree, or with those of the alert.
    learnt : bool
        Whether its weight comes from labelled pairs; others are set by hand, as no pair that may be used has them.
    """

    name: str
    side: Side
    meaning: str
    said: str
    learnt: bool = True


FEATURES: tuple[Feature, ...] = (
    Feature("gtin", "for", "a GTIN with a valid check digit is in both", "the same GTIN: {}", learnt=False),
    Feature("gtin_other", "against", "both have GTINs and share none", "GTINs differ; the alert has {}", learnt=False),
    Feature(
        "model", "for", "a model number is in both, in whatever spelling; longer ones count more", "the same number: {}"
    ),
    Feature(
        "model_near",
        "for",
        "model numbers are one slip apart: a sign left out or added, neighbours that changed places, signs that look"
        " alike; longer ones count more",
        "nearly the same model number: {}",
    ),
    Feature(
        "model_of_family",
        "against",
        "both name model numbers, of one range but not the same",
        "another model number of the same range; the alert has {}",
        learnt=False,
    ),
    Feature(
        "model_other",
        "against",
        "both name model numbers, without relation",
        "other model numbers than {}",
        learnt=False,
    ),
    Feature("batch", "for", "a batch number is in both", "the same batch: {}", learnt=False),
    Feature(
        "brand",
        "for",
        "the brand fields are the same, in whatever spelling or script; common words and short names count less",
        "the same brand: {}",
    ),
    Feature("brand_said", "for", "one title says the brand of the other, likewise", "the brand is in the title: {}"),
    Feature(
        "brand_near",
        "for",
        "brands are one letter apart, or digits stand for letters; what is nearly a common word counts less",
        "nearly the same brand: {}",
    ),
    Feature(
        "brand_long",
        "for",
        "the brand that agrees in one of these ways has twelve letters or more, four and fewer as 0; common words count"
        " less",
        "the brand is long, and no chance",
    ),
    Feature("brand_absent", "against", "one has a brand and the other says none", "only one has a brand: {}"),
    Feature("brand_other", "against", "both have brands, and different ones", "another brand than {}"),
    Feature(
        "brand_and_kind",
        "for",
        "the brand, as far as it agrees, times the kind",
        "brand and kind of product both agree",
    ),
    Feature(
        "brand_and_words",
        "for",
        "the brand, as far as it agrees, times the shared words of the texts",
        "brand and words both agree",
    ),
    Feature(
        "brand_and_meaning",
        "for",
        "the brand, as far as it agrees, times the likeness of meaning",
        "brand and meaning both agree",
    ),
    Feature(
        "brand_only", "against", "the brand agrees, and no likely product kind does", "another product of this brand"
    ),
    Feature(
        "brand_alone",
        "for",
        "the brand, as far as it agrees, times how little the listing says at all",
        "the brand agrees, and the listing says little else",
    ),
    Feature(
        "name_words",
        "for",
        "share of the alert's title that the listing has, rare words counting more",
        "shared words: {}",
    ),
    Feature(
        "title_words",
        "for",
        "share of the listing's title that the alert has, likewise",
        "the title's words are the alert's",
    ),
    Feature("text_words", "for", "shared words over the geometric mean of both texts", "the texts share {}"),
    Feature(
        "name_signs",
        "for",
        "the titles letter by letter: the better of edit similarity of their words in order of the alphabet, and shared"
        " runs of three letters",
        "the titles are written alike",
    ),
    Feature("meaning", "for", "cosine of the encoder's vectors, 0.2 and below as 0", "both texts mean much the same"),
    Feature(
        "kind",
        "for",
        "the likeliest product kind is the same, or a title names it; half where it is among the three",
        "same kind: {}",
    ),
    Feature("kind_named", "for", "a title names the kind of product in its own words", "the title names the kind: {}"),
    Feature("kind_other", "against", "no likely product kind is the same", "another kind of product than {}"),
    Feature("category", "for", "the likeliest kinds are of one category", "the same category of products"),
    Feature(
        "hazards", "for", "a risk type of the alert is a concern of the listing", "shared risk types: {}", learnt=False
    ),
    Feature(
        "country", "for", "it is offered where the alert comes from", "offered where the alert comes from", learnt=False
    ),
    Feature(
        "picture",
        "for",
        "share of bits in which the most alike pictures agree beyond chance; 0 where more than 31 of 256 differ",
        "a picture of it looks the same",
        learnt=False,
    ),
    Feature(
        "fits_other",
        "against",
        "another alert, about another product, fits the listing better: by ten in the logit as 1",
        "another alert fits it better",
        learnt=False,
    ),
    Feature(
        "fits_sister",
        "against",
        "another alert, which may be about the same product or its sister, fits the listing better: by three in the"
        " logit as 1",
        "an alert about a like product fits it better",
        learnt=False,
    ),
)
"""Every feature, in the order of the columns of a matrix."""

COLUMN = {feature.name: i for i, feature in enumerate(FEATURES)}
SECOND = ("name_signs", "picture")
"""Features that are looked at only where the others leave it open: each speaks for a match, so that its highest value
bounds what it can add."""

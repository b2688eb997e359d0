"""Reads listings and alerts into signatures, by a model that has read them or reads them now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.classifier.composing import field_group
from models.classifier.reading import ReadListing
from models.classifier.sparse import words_of
from models.domain.alert import Alert
from models.domain.countries import country_of_address
from models.domain.listing import LIMITS, Listing, repaired
from models.knowledge.base import Knowledge
from models.knowledge.stemming import WordForms
from models.matching.identifiers import (
    LONGEST_DECLARED,
    MOST_IN_TEXT,
    MOST_NAMED,
    batches_in,
    declared_models,
    gtin,
    gtins_in,
    model_key,
    models_in,
)
from models.matching.look_alikes import plain_letters
from models.matching.names import brand_readings, brand_runs, said_names
from models.matching.rarity import Rarity
from models.matching.signature import FORMAT, TITLE_KEPT, Signature, quantised

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier

_STEMS = WordForms("en")
"""Texts in other languages come as English words too."""
_MOST_WORDS, _MOST_BODY = 24, 28
_KINDS, _LEAST_KIND = 3, 0.08
_MOST_KINDS_NAMED = 4
_NUMBER_NAMES = ("model", "ref", "artikel", "article", "item", "sku", "mpn", "part", "артикул", "модель")
_BRAND_NAMES = ("brand", "marke", "marque", "marca", "merk", "marka", "бренд")
_CODE_NAMES = ("gtin", "ean", "upc", "barcode", "isbn")


class Signer:
    """Makes the signatures of one model.

    Parameters
    ----------
    model : HazardClassifier
        Reads and encodes; its knowledge base tells the kinds.
    rarity : Rarity
        Weights of words.
    """

    def __init__(self, model: HazardClassifier, rarity: Rarity) -> None:
        self.model = model
        self.rarity = rarity
        self.version = version_of(model, rarity)

    def sign(
        self, read: ReadListing, embedding: NDArray[np.float32], kinds: NDArray[np.float64], hazards: Sequence[str] = ()
    ) -> Signature:
        """Return the signature of a listing that was read and encoded.

        Parameters
        ----------
        embedding : array of shape (dimension,)
            Of length 1.
        kinds : array of shape (kinds,)
            Probability of each product kind.
        hazards : sequence of str
            Risk types that are a concern.
        """
        return _signed(read, embedding, kinds, hazards, self.model.knowledge, self.rarity)

    def listings(self, listings: Sequence[Listing], progress: Callable[[int], object] | None = None) -> list[Signature]:
        """Read and encode listings."""
        read = [self.model.read(listing) for listing in listings]
        embeddings = self.model.encoder.embed([each.text.text for each in read], progress)
        opinions = self.model.opinions(read, embeddings)
        return [
            self.sign(each, embedding, opinion.kinds, self.model.concerns(opinion))
            for each, embedding, opinion in zip(read, embeddings, opinions, strict=True)
        ]

    def alerts(self, alerts: Sequence[Alert], progress: Callable[[int], object] | None = None) -> list[Signature]:
        """Read and encode alerts: what they say of the product, and nothing of its defect."""
        signed = self.listings([listing_of(alert) for alert in alerts], progress)
        return [with_facts(signature, alert) for signature, alert in zip(signed, alerts, strict=True)]


def version_of(model: HazardClassifier, rarity: Rarity) -> str:
    """Return what signatures depend on: encoder, knowledge base, weights of words, format. Heads may be fitted anew."""
    files = model.manifest.files if model.manifest else {}
    parts = [files.get(name, "unsaved") for name in ("encoder.onnx", "tokenizer.json", "knowledge.json")]
    weights = repr(sorted(rarity.weights.items()))
    text = "\x1f".join((*parts, repr(model.boilerplate.patterns), weights, str(FORMAT)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def listing_of(alert: Alert) -> Listing:
    """Return the listing-shaped part of an alert, its model numbers with it."""
    listing = alert.to_example().to_listing()
    return listing.model_copy(update={"model": repaired(", ".join(alert.models), LIMITS["attribute name"])})


def with_facts(signature: Signature, alert: Alert) -> Signature:
    """Return an alert's signature with what its fields tell: barcodes, models, batches, hazards, country."""
    codes = tuple(code for text in alert.barcodes if (code := gtin(text)))
    models = tuple(key for text in alert.models for key in declared_models(text))
    batches = tuple(key for text in alert.batches if len(key := model_key(text)) > 2)
    country = country_of_address(alert.country_of_notification)
    return replace(
        signature,
        gtins=_once(*codes, *signature.gtins),
        numbers=_once(*models, *signature.numbers),
        models=_once(*models, *signature.models)[: 4 * MOST_NAMED],
        batches=_once(*batches, *signature.batches),
        hazards=alert.risk_types,
        countries=(country,) if country else (),
    )


def _signed(
    read: ReadListing,
    embedding: NDArray[np.float32],
    kinds: NDArray[np.float64],
    hazards: Sequence[str],
    knowledge: Knowledge,
    rarity: Rarity,
) -> Signature:
    listing = read.listing
    texts = [text for _, text in listing.texts()]
    named = [listing.title, *(value for name, value in listing.attributes.items() if _names(name, _NUMBER_NAMES))]
    models = [*declared_models(listing.model), *(key for text in named for key in models_in(text))]
    # Some registers put model and barcode into the brand.
    models += models_in(listing.brand) if len(listing.brand) > LONGEST_DECLARED else []
    code_fields = [value for name, value in listing.attributes.items() if _names(name, _CODE_NAMES)]
    whole, scale = quantised(embedding)
    words, body = _words(read, rarity)
    best = [int(i) for i in np.argsort(-kinds, kind="stable")[:_KINDS] if kinds[i] >= _LEAST_KIND]
    return Signature(
        title=plain_letters(listing.title)[:TITLE_KEPT],
        words=words,
        body=body,
        vector=whole,
        scale=scale,
        brands=tuple(sorted(brand_readings(listing.brand) or _brand_among(listing))),
        said=tuple(said_names(listing.title)),
        gtins=_once(*(code for text in (listing.gtin, *code_fields) if (code := gtin(text))), *gtins_in(texts)),
        numbers=_once(*models, *(key for text in texts for key in models_in(text)))[:MOST_IN_TEXT],
        models=_once(*models)[:MOST_NAMED],
        batches=_once(*(key for text in texts for key in batches_in(text)))[:MOST_NAMED],
        kinds=tuple(knowledge.kinds[i].id for i in best),
        category=knowledge.kinds[best[0]].category if best else "",
        hazards=tuple(hazards),
        countries=tuple(code.upper() for code in listing.target_countries),
        named=_named(read),
        brand_runs=tuple(brand_runs(listing.brand)),
    )


def _named(read: ReadListing) -> tuple[str, ...]:
    """Return the product kinds that the title names."""
    fields = [findings for field, findings in read.text.findings.items() if field_group(field) == "title"]
    return _once(*(hit.kind for findings in fields for hit in findings.names))[:_MOST_KINDS_NAMED]


def _words(read: ReadListing, rarity: Rarity) -> tuple[dict[str, int], dict[str, int]]:
    title: dict[str, int] = {}
    rest: dict[str, int] = {}
    for piece in read.text.pieces:
        into = title if field_group(piece.field) == "title" else rest
        for word in words_of(read.text.text[piece.start : piece.end]):
            stem = _STEMS.stem_word(word.form)
            weight = rarity.of(stem)
            if weight:
                into[stem] = weight
    words = _heaviest(title, _MOST_WORDS)
    return words, _heaviest({stem: weight for stem, weight in rest.items() if stem not in title}, _MOST_BODY)


def _heaviest(weights: dict[str, int], most: int) -> dict[str, int]:
    if len(weights) <= most:
        return weights
    kept = sorted(weights, key=lambda stem: -weights[stem])[:most]
    return {stem: weights[stem] for stem in kept}


def _brand_among(listing: Listing) -> set[str]:
    """Return the brand of the attributes, where the field has none."""
    found = [value for name, value in listing.attributes.items() if _names(name, _BRAND_NAMES)]
    return brand_readings(found[0]) if found else set()


def _names(name: str, words: Sequence[str]) -> bool:
    return any(word in name.casefold() for word in words)


def _once(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))

"""Alerts rewritten as the listings that would offer the same product, the ways sellers hide or spoil what names it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal

from models.domain.alert import Example
from models.domain.listing import LIMITS, Listing, repaired
from models.knowledge.base import Knowledge
from models.knowledge.kinds import ProductKind
from models.matching.identifiers import model_key, models_in
from models.matching.names import brand_key

BrandIs = Literal["in the field", "in the title", "misspelt", "in look-alike letters", "dropped", "denied"]
ModelIs = Literal["kept", "misspelt", "dropped"]

_BRANDS: tuple[BrandIs, ...] = ("in the field", "in the title", "misspelt", "in look-alike letters")
_MODELS: tuple[ModelIs, ...] = ("kept", "misspelt")
_DENIALS = ("No brand", "Unbranded", "Generic", "ohne Marke", "sans marque", "без бренда", "marka yok")
_ALIKE = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "x": "х", "O": "0", "l": "1", "B": "В", "H": "Н", "K": "К"}
_PAPERS = re.compile(
    r"packag|packed|cardboard|carton|sticker|instruction|warning|marked|label|recalled|this recall|sold exclusively"
    r"|printed on",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_WORD = re.compile(r"[^\W_][\w'’-]*")
_PROMISES = ("new", "2 pcs", "free shipping", "best quality", "gift", "high quality", "original", "sale", "set")
_TITLE_ONLY, _ENGLISH_NAME, _KEEPS_WORD = 0.35, 0.4, 0.7


@dataclass(frozen=True)
class Disguise:
    """What a rewriting does to the names of a product.

    Parameters
    ----------
    language : str
        ISO 639-1 code that the listing is written in.
    """

    brand: BrandIs
    model: ModelIs
    language: str = "en"

    @property
    def both_dropped(self) -> bool:
        """Neither brand nor model can be told from the listing."""
        return self.brand in ("dropped", "denied") and self.model == "dropped"


@dataclass(frozen=True)
class Named:
    """What names the product of an alert: brand and model number as written, empty where it has none."""

    brand: str
    model: str

    @classmethod
    def of(cls, alert: Example) -> Named:
        """Read both from the fields, the model from brand and title only."""
        brand = re.split(r"(?i)\s*type\s*/\s*number", alert.brand)[0].strip(" -;,")
        found = [*models_in(alert.brand), *models_in(alert.title)] or models_in(alert.description)[:1]
        written = _written(found[0], f"{alert.brand} {alert.title} {alert.description}") if found else ""
        return cls(brand if brand_key(brand) else "", written)


class Rewriter:
    """Rewrites alerts; the words of other languages come from the knowledge base and its vocabulary.

    Parameters
    ----------
    languages : sequence of str
        To rewrite into, besides English.
    """

    def __init__(self, knowledge: Knowledge, languages: Sequence[str]) -> None:
        self.knowledge = knowledge
        self.languages = tuple(languages)

    def disguise(self, named: Named, both_dropped: bool, rng: Random) -> Disguise | None:
        """Draw what to do to the names; None where the alert has none and one is to be kept."""
        language = rng.choice(self.languages) if self.languages and rng.random() < 0.5 else "en"
        if both_dropped:
            return Disguise(rng.choice(("dropped", "denied")), "dropped", language)
        if not named.brand and not named.model:
            return None
        brand: BrandIs = rng.choice(_BRANDS) if named.brand else "dropped"
        model: ModelIs = rng.choice(_MODELS) if named.model else "dropped"
        if named.brand and named.model and rng.random() < 0.6:  # one of the two goes
            if rng.random() < 0.5:
                brand = rng.choice(("dropped", "denied"))
            else:
                model = "dropped"
        return Disguise(brand, model, language)

    def rewrite(
        self, alert: Example, kind: ProductKind | None, disguise: Disguise, number: int, rng: Random
    ) -> Listing:
        """Return a listing that offers the product of an alert.

        Parameters
        ----------
        kind : ProductKind or None
            What the product is, where that is known.
        number : int
            Makes the listing's id.
        """
        named = Named.of(alert)
        product = self._product(alert, named, kind, disguise.language, rng)
        details = self._details(alert, named, disguise.language, rng)
        brand = _brand_words(named.brand, disguise.brand, rng)
        model = {"kept": named.model, "misspelt": slipped(named.model, rng), "dropped": ""}[disguise.model]
        parts = [part for part in (product, model) if part]
        if brand and (disguise.brand != "in the field" or rng.random() < 0.5):
            parts.insert(0 if rng.random() < 0.7 else len(parts), brand)
        if details and rng.random() < 0.6:
            words = details.split()
            begin = rng.randrange(len(words))
            parts.append(" ".join(words[begin : begin + rng.randint(1, 3)]))
        if rng.random() < 0.3:
            parts.append(rng.choice(_PROMISES))
        field = {"in the field": brand, "denied": rng.choice(_DENIALS)}.get(disguise.brand, "")
        return Listing(
            id=f"r{number:07d}",
            title=repaired(" ".join(parts), LIMITS["title"]),
            description="" if rng.random() < _TITLE_ONLY else repaired(details, LIMITS["description"]),
            brand=repaired(field, LIMITS["brand"]),
            category=kind.family if kind is not None and rng.random() < 0.4 else "",
            language="",
        )

    def _product(self, alert: Example, named: Named, kind: ProductKind | None, language: str, rng: Random) -> str:
        words = [word for word in _WORD.findall(_without(alert.title, named)) if word.lower() not in ("the", "a", "of")]
        if language == "en":
            if kind is not None and rng.random() < _ENGLISH_NAME:
                return rng.choice(kind.names["en"])
            kept = [word for word in words if rng.random() < 0.85] or words
            if rng.random() < 0.3:
                rng.shuffle(kept)
            return " ".join(kept)
        translated = self._translated(words, language, rng)
        if kind is not None and language in kind.names:
            name = rng.choice(kind.names[language])
            return f"{name} {translated}".strip() if rng.random() < 0.4 else name
        return translated or " ".join(words)

    def _details(self, alert: Example, named: Named, language: str, rng: Random) -> str:
        sentences = [s for s in _SENTENCE.split(_without(alert.description, named)) if s and not _PAPERS.search(s)]
        rng.shuffle(sentences)
        words = [w for s in sentences[: rng.randint(1, 3)] for w in _WORD.findall(s) if rng.random() < _KEEPS_WORD]
        return " ".join(words) if language == "en" else self._translated(words, language, rng)

    def _translated(self, words: Sequence[str], language: str, rng: Random) -> str:
        table = self._tables.get(language, {})
        found = [
            rng.choice(forms) for word in words if (forms := table.get(word.lower()) or table.get(_singular(word)))
        ]
        return " ".join(found)

    @cached_property
    def _tables(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Per language, English word -> its forms."""
        tables: dict[str, dict[str, list[str]]] = {}
        for language, words in self.knowledge.vocabulary.items():
            table = tables.setdefault(language, {})
            for word, english in words.items():
                if english:
                    table.setdefault(english, []).append(word)
        return tables


def slipped(model: str, rng: Random) -> str:
    """Return a model number with one slip: other signs between its parts, neighbours changed, one left out or doubled.

    Another digit would make it another number.
    """
    if len(model) < 4:
        return model
    place = rng.randrange(1, len(model) - 1)
    luck = rng.random()
    if luck < 0.3:
        return re.sub(r"[-/. ]", "", model) if re.search(r"[-/. ]", model) else f"{model[:place]}-{model[place:]}"
    if luck < 0.5:
        return model[:place] + model[place + 1] + model[place] + model[place + 2 :]
    if luck < 0.7:
        return model[:place] + model[place + 1 :]
    if luck < 0.85:
        return model[:place] + model[place] + model[place:]
    return model.replace("0", "O", 1) if "0" in model else model.lower()


def _brand_words(brand: str, how: BrandIs, rng: Random) -> str:
    if how in ("dropped", "denied") or not brand:
        return ""
    if how == "misspelt" and len(brand) > 4:
        place = rng.randrange(1, len(brand) - 1)
        return brand[:place] + rng.choice(("", brand[place] * 2)) + brand[place + 1 :]
    if how == "in look-alike letters":
        return "".join(_ALIKE.get(sign, sign) if rng.random() < 0.6 else sign for sign in brand)
    return brand if rng.random() < 0.6 else brand.upper()


def _without(text: str, named: Named) -> str:
    """Return a text without brand and model, and without every other number that looks like one."""
    if named.brand:
        text = re.sub(re.escape(named.brand), " ", text, flags=re.IGNORECASE)
        for word in _WORD.findall(named.brand):
            if len(word) > 3:
                text = re.sub(rf"\b{re.escape(word)}\b", " ", text, flags=re.IGNORECASE)
    keys = set(models_in(text))
    return " ".join(word for word in text.split() if model_key(word) not in keys)


def product_words(title: str, named: Named) -> set[str]:
    """Return the words of a title that say what the product is, plurals as singulars."""
    return {_singular(word) for word in _WORD.findall(_without(title, named).replace("’", "'"))}


def _written(key: str, text: str) -> str:
    pattern = r"[-_/.\s]?".join(map(re.escape, key))
    found = re.search(pattern, text, re.IGNORECASE)
    return found.group() if found else key.upper()


def _singular(word: str) -> str:
    return word.lower().removesuffix("s")

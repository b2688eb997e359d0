"""The features of one signature against others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.matching.asking import Postings
from models.matching.features import COLUMN, FEATURES
from models.matching.identifiers import telling
from models.matching.rarity import Rarity
from models.matching.shelf import Floats, Rows, Whole
from models.matching.signature import Group, Has

_LITTLE = 600
"""Weight of all words from which on a listing says enough that more than the brand should agree."""
_MEANING_FROM = np.float32(0.2)
"""Cosine below which two texts have nothing to do with each other."""


class Comparison:
    """The features of one signature against some rows of a block, `SECOND` ones left out.

    Every value follows from keys and whole-number products alone: it is the same whichever of the two is the query, and
    whatever else is on the shelf.

    Parameters
    ----------
    found : Postings
        Of the query.
    alert_asks : bool
        Whether the query is the alert, and the rows are listings; else the other way round.
    rarity : Rarity
        Tells how much a brand says.
    rows : array of uint32
        In order. Features are numbered as these are.
    """

    def __init__(self, found: Postings, alert_asks: bool, rarity: Rarity, rows: Rows) -> None:
        block, query = self.block, self.query = found.block, found.query
        self.rarity, self.rows, self._found = rarity, rows, found
        n = len(rows)
        self._none = np.zeros(n, dtype=bool)
        columns: dict[str, Floats] = {}
        both = block.has[rows] & np.uint8(query.has)
        either = block.has[rows] | np.uint8(query.has)

        gtin = self._any((Group.GTIN, query.gtins))
        columns["gtin"] = _flag(gtin)
        columns["gtin_other"] = _flag(((both & Has.GTIN) > 0) & ~gtin)

        model = self._most((Group.NUMBER, query.numbers), value=telling)
        columns["model"] = model
        near = np.where(model > 0, np.float32(0), self._near_model())
        open_ = ((both & Has.MODEL) > 0) & (model == 0) & (near == 0)
        of_family = open_ & self._any((Group.FAMILY, query.texts[Group.FAMILY]))
        columns["model_near"] = near
        columns["model_of_family"] = _flag(of_family)
        columns["model_other"] = _flag(open_ & ~of_family)
        columns["batch"] = _flag(self._any((Group.BATCH, query.batches)))

        said_in_row = self._most((Group.SAID, query.brands), value=rarity.of_name)
        said_here = self._most((Group.BRAND, query.said), value=rarity.of_name)
        same = self._most((Group.BRAND, query.brands), value=rarity.of_name)
        said = np.where(same > 0, np.float32(0), np.maximum(said_in_row, said_here))
        near = np.where((same > 0) | (said > 0), np.float32(0), self._near_brand())
        left = (same == 0) & (said == 0) & (near == 0)
        columns["brand"], columns["brand_said"], columns["brand_near"] = same, said, near
        columns["brand_other"] = _flag(left & ((both & Has.BRAND) > 0))
        columns["brand_absent"] = _flag(left & ((both & Has.BRAND) == 0) & ((either & Has.BRAND) > 0))
        self._agreed = np.maximum(np.maximum(same, said), near)
        columns["brand_long"] = self._long_brand()

        words_in_words = self._weights(Group.WORD, query.words)
        words_in_body = self._weights(Group.BODY, query.words)
        body_in_words = self._weights(Group.WORD, query.body)
        body_in_body = self._weights(Group.BODY, query.body)
        mine = _share(words_in_words + words_in_body, np.full(n, query.words_weight))
        theirs = _share(words_in_words + body_in_words, block.words[rows])
        columns["name_words"], columns["title_words"] = (mine, theirs) if alert_asks else (theirs, mine)
        shared = words_in_words + words_in_body + body_in_words + body_in_body
        columns["text_words"] = _share(shared, np.sqrt(block.text[rows].astype(np.float64) * query.text_weight))

        first = self._any((Group.KIND, query.kinds[:1]))
        among = self._any((Group.KINDS, query.kinds[:1]), (Group.KIND, query.kinds))
        named = self._any(
            (Group.NAMED_KIND, query.named), (Group.NAMED_KIND, query.kinds[:1]), (Group.KIND, query.named)
        )
        kind = np.where(first | named, np.float32(1), np.float32(0.5) * among)
        other = _flag(~first & ~among & ~named)
        columns["kind"], columns["kind_other"] = kind, other
        columns["kind_named"] = _flag(named)
        columns["category"] = _flag(self._any((Group.CATEGORY, query.texts[Group.CATEGORY])))
        columns["hazards"] = _flag(self._any((Group.HAZARD, query.hazards)))
        columns["country"] = _flag(self._any((Group.COUNTRY, query.countries)))
        columns["brand_and_kind"] = self._agreed * kind
        columns["brand_and_words"] = self._agreed * columns["text_words"]
        columns["brand_only"] = self._agreed * other
        listing_text = block.text[rows] if alert_asks else np.full(n, query.text_weight)
        columns["brand_alone"] = self._agreed * np.maximum(0, 1 - listing_text / _LITTLE).astype(np.float32)
        self.columns: Mapping[str, Floats] = columns

    def highest(self, weights: Floats, bias: float) -> Floats:
        """Return what the logit of every row comes to at most: with the same meaning, and without second features."""
        total = np.full(len(self.rows), np.float32(bias + weights[COLUMN["meaning"]]))
        for name, values in self.columns.items():
            weight = weights[COLUMN[name]]
            if weight:
                total += weight * values
        total += weights[COLUMN["brand_and_meaning"]] * self._agreed
        return total

    def matrix(self, places: NDArray[np.int64]) -> Floats:
        """Return the features of the rows at some places, shape (places, features); the second ones are 0."""
        result = np.zeros((len(places), len(FEATURES)), dtype=np.float32)
        for name, values in self.columns.items():
            result[:, COLUMN[name]] = values[places]
        meaning = self.meaning(places)
        result[:, COLUMN["meaning"]] = meaning
        result[:, COLUMN["brand_and_meaning"]] = self._agreed[places] * meaning
        return result

    def meaning(self, places: NDArray[np.int64]) -> Floats:
        """Return how alike the meaning of the rows at some places is."""
        return meaning_of(self.block.meanings(self.query, self.rows[places]))

    def _having(self, group: Group, texts: Sequence[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Yield the places of the rows that have each of some texts of a group."""
        if not len(self.rows):
            return
        for text, rows in self._found.having(group, texts):
            few, many = (self.rows, rows) if len(self.rows) < len(rows) else (rows, self.rows)
            places = np.searchsorted(many, few)
            same = many[np.minimum(places, len(many) - 1)] == few
            yield text, np.flatnonzero(same) if few is self.rows else places[same]

    def _any(self, *asked: tuple[Group, Sequence[str]]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] | None = None
        for group, texts in asked:
            for _, rows in self._having(group, texts):
                if found is None:
                    found = np.zeros(len(self.rows), dtype=bool)
                found[rows] = True
        return self._none if found is None else found

    def _valued(
        self, asked: Sequence[tuple[Group, Sequence[str]]], value: Callable[[str], float]
    ) -> Iterator[tuple[NDArray[np.int64], np.float32]]:
        """Yield the places of the rows that have each of some texts, and the text's value."""
        for group, texts in asked:
            for text, rows in self._having(group, texts):
                yield rows, np.float32(value(text))

    def _most(self, *asked: tuple[Group, Sequence[str]], value: Callable[[str], float]) -> Floats:
        """Return the highest value of those texts that each row has, 0 for none."""
        values = np.zeros(len(self.rows), dtype=np.float32)
        for rows, worth in self._valued(asked, value):
            values[rows] = np.maximum(values[rows], worth)
        return values

    def _least(self, *asked: tuple[Group, Sequence[str]], value: Callable[[str], float]) -> Floats:
        """Return the lowest value of those texts that each row has, 0 for none."""
        values = np.full(len(self.rows), np.inf, dtype=np.float32)
        for rows, worth in self._valued(asked, value):
            values[rows] = np.minimum(values[rows], worth)
        return np.where(np.isinf(values), np.float32(0), values)

    def _weights(self, group: Group, weights: Mapping[str, int]) -> Whole:
        """Return the sum of the weights of those words that each row has: whole numbers, so that the order is all
        one."""
        total = np.zeros(len(self.rows), dtype=np.int32)
        for text, rows in self._having(group, tuple(weights)):
            total[rows] += weights[text]
        return total

    def _near_model(self) -> Floats:
        texts = self.query.texts
        return self._most(
            (Group.SHORTENED_MODEL, texts[Group.MODEL]),
            (Group.MODEL, texts[Group.SHORTENED_MODEL]),
            (Group.MIXED_MODEL, texts[Group.MIXED_MODEL]),
            value=lambda form: telling(form.lstrip("=~")),
        )

    def _long_brand(self) -> Floats:
        texts = self.query.texts
        return self._most(
            (Group.BRAND, (*self.query.brands, *self.query.said)),
            (Group.SAID, (*self.query.brands, *texts[Group.NEAR_BRAND])),
            (Group.NEAR_BRAND, (*texts[Group.NEAR_BRAND], *texts[Group.SAID])),
            value=self.rarity.of_long_name,
        )

    def _near_brand(self) -> Floats:
        # A misspelt form is rare itself: the commonest of those that both have says how common the name is.
        texts = self.query.texts
        return self._least(
            (Group.NEAR_BRAND, texts[Group.NEAR_BRAND]),
            (Group.SAID, texts[Group.NEAR_BRAND]),
            (Group.NEAR_BRAND, texts[Group.SAID]),
            value=lambda form: self.rarity.of_name(form.lstrip("=")),
        )


def meaning_of(cosines: Floats) -> Floats:
    """Return how alike meanings are, 0 to 1, from the cosines of their vectors."""
    scaled: Floats = np.clip((cosines - _MEANING_FROM) / (1 - _MEANING_FROM), 0, 1)
    return scaled


def _flag(values: NDArray[np.bool_]) -> Floats:
    return values.astype(np.float32)


def _share(part: Whole, whole: NDArray[Any]) -> Floats:
    """Return part over whole, at most 1, and 0 where there is no whole."""
    share = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    limited: Floats = np.minimum(1, share).astype(np.float32)
    return limited

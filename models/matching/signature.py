"""What is compared of a product text: words, numbers, brand, kind and vector, as an object and as bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from models.matching.identifiers import family, mixed_forms, shortened
from models.matching.names import near_brands

if TYPE_CHECKING:
    from models.matching.sought import Sought

FORMAT = 4
"""Of the bytes and of how texts become keys; a change makes stored signatures be written anew."""
TITLE_KEPT = 160
"""Code points of the title that are compared sign by sign."""
HASH_BITS = 40
_LONG, _LONG_MIXED, _MOST_LONG = 6, 4, 3
HEADER = np.dtype(
    [
        ("format", "u1"),
        ("has", "u1"),
        ("dimension", "<u2"),
        ("keys", "<u2"),
        ("title", "<u2"),
        ("scale", "<f4"),
        ("words", "<i4"),
        ("text", "<i4"),
    ]
)
"""Numbers at the head of the bytes: what the text has, lengths of the parts, scale of the vector, sums of weights."""


class Group(IntEnum):
    """What a key is of."""

    GTIN = 0
    NUMBER = 1
    MODEL = 2
    SHORTENED_MODEL = 3
    MIXED_MODEL = 4
    FAMILY = 5
    BATCH = 6
    BRAND = 7
    NEAR_BRAND = 8
    SAID = 9
    WORD = 10
    BODY = 11
    KIND = 12
    KINDS = 13
    CATEGORY = 14
    HAZARD = 15
    COUNTRY = 16
    NAMED_KIND = 17


class Has(IntEnum):
    """Bits of what a text has at all: without it nothing can speak against a match."""

    GTIN = 1
    MODEL = 2
    BRAND = 4


@lru_cache(maxsize=10_000)  # some 3 MB
def key_of(group: Group, text: str) -> int:
    """Return the key of a text within a group: 40 bits of a hash.

    Among a million listings of 80 keys each, a search for 100 keys meets a wrong one once in hundred searches or so.
    """
    digest = hashlib.blake2b(f"{group:d}:{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> (64 - HASH_BITS)


@dataclass(frozen=True)
class Signature:
    """What is compared of a listing or an alert.

    Parameters
    ----------
    title : str
        In small ASCII letters.
    words, body : mapping
        English stems of the title, and of the rest, with their weights; none is in both.
    brands : tuple of str
        Keys of the brand; none where there is no brand.
    said : tuple of str
        Words and runs of words of the title that may be a brand.
    gtins, numbers, models, batches : tuple of str
        Codes; all that looks like a model number, and those of title, brand and attributes.
    kinds : tuple of str
        Likeliest product kinds, best first.
    named : tuple of str
        Product kinds whose names stand in the title.
    brand_runs : tuple of str
        Parts of a brand of many words, any of which a title may say.
    vector : array of int8, shape (dimension,)
        The encoder's vector; times `scale` it has length 1.
    """

    title: str
    words: Mapping[str, int]
    body: Mapping[str, int]
    vector: NDArray[np.int8]
    scale: float
    brands: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    category: str = ""
    hazards: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    brand_runs: tuple[str, ...] = ()

    @cached_property
    def texts(self) -> dict[Group, tuple[str, ...]]:
        """Texts of each group."""
        return {
            Group.GTIN: self.gtins,
            Group.NUMBER: self.numbers,
            Group.MODEL: self.likely_models,
            Group.SHORTENED_MODEL: _each(shortened(model) for model in self.likely_models),
            Group.MIXED_MODEL: _each(mixed_forms(model) for model in self.likely_models),
            Group.FAMILY: tuple(dict.fromkeys(name for model in self.models if (name := family(model)))),
            Group.BATCH: self.batches,
            Group.BRAND: self.brands,
            Group.NEAR_BRAND: _each((*map(near_brands, self.brands), set(self.brand_runs))),
            Group.SAID: self.said,
            Group.WORD: tuple(self.words),
            Group.BODY: tuple(self.body),
            Group.KIND: self.kinds[:1],
            Group.KINDS: self.kinds,
            Group.CATEGORY: (self.category,) if self.category else (),
            Group.HAZARD: self.hazards,
            Group.COUNTRY: self.countries,
            Group.NAMED_KIND: self.named,
        }

    @cached_property
    def sought(self) -> Sought:
        """What a first look looks for; kept, as known alerts are compared again and again."""
        from models.matching.sought import Sought  # it is made of signatures

        return Sought.of(self)

    @property
    def likely_models(self) -> tuple[str, ...]:
        """Model numbers, and long numbers of the description where there is no other: what a slip may be of."""
        return (
            self.models
            or tuple(number for number in self.numbers if len(number) >= (_LONG if number.isdigit() else _LONG_MIXED))[
                :_MOST_LONG
            ]
        )

    @property
    def has(self) -> int:
        """Bits of `Has`."""
        return Has.GTIN * bool(self.gtins) | Has.MODEL * bool(self.models) | Has.BRAND * bool(self.brands)

    @cached_property
    def words_weight(self) -> int:
        """Sum of the weights of the title's words."""
        return sum(self.words.values())

    @cached_property
    def text_weight(self) -> int:
        """Sum of the weights of all words."""
        return sum(self.words.values()) + sum(self.body.values())

    def keys(self) -> Iterator[int]:
        """Yield the keys of all groups."""
        for group, texts in self.texts.items():
            for text in texts:
                yield key_of(group, text)

    def to_bytes(self) -> bytes:
        """Return header, vector, keys and title; `models.matching.shelf` reads many of them at once."""
        keys = np.fromiter(self.keys(), dtype="<u8")
        title = self.title[:TITLE_KEPT].encode("ascii", "replace")
        header = np.array(
            (
                FORMAT, self.has, len(self.vector), len(keys), len(title),
                self.scale, self.words_weight, self.text_weight,
            ),
            dtype=HEADER,
        )  # fmt: skip
        return header.tobytes() + self.vector.tobytes() + keys.tobytes() + title

    def to_json(self) -> dict[str, Any]:
        """Return the whole as JSON values; `from_json` reads it back."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**values, "vector": base64.b64encode(self.vector.tobytes()).decode()}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()
        }
        return cls(**{**values, "vector": np.frombuffer(base64.b64decode(raw["vector"]), dtype=np.int8)})


def quantised(vector: NDArray[np.floating]) -> tuple[NDArray[np.int8], float]:
    """Return a vector in eight bits a number, and what to multiply it with.

    Products of two such vectors are sums of whole numbers below 2^24 for up to 1,040 numbers: 32-bit floats hold them
    exactly, in whatever order they are added, so that every way to search finds the same similarity.
    """
    largest = float(np.abs(vector).max(initial=0.0))
    if largest == 0.0:
        return np.zeros(len(vector), dtype=np.int8), 0.0
    whole = np.rint(vector * (127.0 / largest)).astype(np.int8)
    return whole, float(np.float32(1.0 / np.linalg.norm(whole.astype(np.float64))))


def _each(forms: Iterable[set[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(form for some in forms for form in sorted(some)))

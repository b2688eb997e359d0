"""Word and character n-grams of the composed text, weighted by TF-IDF, with every feature's place in the text.

scikit-learn's `TfidfVectorizer` gives no offsets; these features are the same in kind (sublinear term frequency,
smoothed inverse document frequency, unit length per block) and know which words they come from.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.classifier.heads import SparseRow

_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)?")
_CHARACTER_ORDERS = (3, 4, 5)
_CACHED_FORMS = 10_000
"""Words whose character n-grams are kept: some 4 MB."""
_CACHED_TEXTS = 32
"""Texts whose features are kept: an explanation asks again for what the assessment has just used."""

Index = NDArray[np.int64]


class Word(NamedTuple):
    """A word of the text: its folded form and its span in code points, end exclusive."""

    form: str
    start: int
    end: int


@dataclass(frozen=True)
class Incidence:
    """Which word brings how much of which feature; a feature's value is the sum of its words' parts.

    Parameters
    ----------
    columns, words : array of int, shape (uses,)
        Feature, and index of the word.
    values : array of shape (uses,)
    """

    columns: Index
    words: Index
    values: NDArray[np.float64]


@dataclass(frozen=True)
class _Parsed:
    """A text's words and its two blocks of features."""

    words: tuple[Word, ...]
    blocks: tuple[_Block, _Block]


@dataclass(frozen=True)
class _Block:
    """One block of features of one text: its columns with their values, and the words that bring them."""

    unique: Index
    values: NDArray[np.float64]
    columns: Index
    words: Index


def words_of(text: str) -> list[Word]:
    """Split a text into words: folded case, without accents.

    Examples
    --------
    >>> [w.form for w in words_of("Café-Set, 2.5 kg")]
    ['cafe', 'set', '2.5', 'kg']
    """
    return [Word(_plain(match.group()), match.start(), match.end()) for match in _WORD.finditer(text)]


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def _word_grams(words: Sequence[Word]) -> list[str]:
    return [*(word.form for word in words), *(_pair(a, b) for a, b in pairwise(words))]


def _character_grams(form: str) -> list[str]:
    padded = f"⟨{form}⟩"
    return [padded[i : i + n] for n in _CHARACTER_ORDERS for i in range(len(padded) - n + 1)]


class SparseFeatures:
    """Two blocks of TF-IDF features, words (one and two) and characters (three to five), each of unit length.

    Parameters
    ----------
    columns : dict
        Feature -> column; words as they are, character n-grams with a leading tab.
    idf : array of shape (n_features,)
    """

    def __init__(self, columns: dict[str, int], idf: NDArray[np.float32]) -> None:
        self.columns = columns
        self.idf = idf
        self._characters_of: dict[str, list[int]] = {}
        self._parsed = lru_cache(maxsize=_CACHED_TEXTS)(self._parse)

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.columns)

    @classmethod
    def fit(
        cls, texts: Iterable[str], max_words: int = 30_000, max_characters: int = 30_000, min_texts: int = 2
    ) -> SparseFeatures:
        """Learn the features of some texts.

        Parameters
        ----------
        max_words, max_characters : int
            Features kept per block, those of most texts first; ties by spelling, so that the result is the same
            on every machine.
        min_texts : int
            A feature must stand in at least so many texts.
        """
        in_words: Counter[str] = Counter()
        in_characters: Counter[str] = Counter()
        n_texts = 0
        for text in texts:
            n_texts += 1
            words = words_of(text)
            in_words.update(set(_word_grams(words)))
            in_characters.update({f"\t{gram}" for form in {w.form for w in words} for gram in _character_grams(form)})
        kept = [
            (gram, n)
            for counts, limit in ((in_words, max_words), (in_characters, max_characters))
            for gram, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
            if n >= min_texts
        ]
        idf = np.array([np.log((1 + n_texts) / (1 + n)) + 1 for _, n in kept], dtype=np.float32)
        return cls({gram: i for i, (gram, _) in enumerate(kept)}, idf)

    def words(self, text: str) -> tuple[Word, ...]:
        """Return `words_of` a text, without splitting it again where its features have just been asked for."""
        return self._parsed(text).words

    def incidence(self, text: str) -> Incidence:
        """Return which of a text's words bring which features: the parts of the values of `transform`."""
        blocks, parts = self._parsed(text).blocks, []
        for block in blocks:
            which = np.searchsorted(block.unique, block.columns)
            parts.append((block.values / np.bincount(which, minlength=len(block.unique)))[which])
        columns, words = zip(*((block.columns, block.words) for block in blocks), strict=True)
        return Incidence(np.concatenate(columns), np.concatenate(words), np.concatenate(parts))

    def row(self, text: str) -> SparseRow:
        """Return the features of one text: a row of `transform`."""
        words, characters = self._parsed(text).blocks
        return SparseRow(
            np.concatenate([words.unique, characters.unique]),
            np.concatenate([words.values, characters.values]).astype(np.float32),
        )

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Return the features of texts as a sparse matrix of shape (n, size), float32."""
        rows = [self.row(text) for text in texts]
        return csr_matrix(
            (
                np.concatenate([*(row.values for row in rows), np.empty(0, np.float32)]),
                np.concatenate([*(row.columns for row in rows), np.empty(0, np.int64)]),
                np.cumsum([0, *(len(row.columns) for row in rows)]),
            ),
            shape=(len(texts), self.size),
        )

    def _parse(self, text: str) -> _Parsed:
        words = words_of(text)
        singles = [(c, i) for i, word in enumerate(words) if (c := self.columns.get(word.form)) is not None]
        pairs = [(c, i) for i, (a, b) in enumerate(pairwise(words)) if (c := self.columns.get(_pair(a, b))) is not None]
        alone, paired = _as_array(singles), _as_array(pairs)
        either = np.concatenate([alone, paired])
        characters = [self._character_columns(word.form) for word in words]
        flat = np.fromiter(chain.from_iterable(characters), dtype=np.int64)
        # Both words of a pair bring it.
        in_words = self._block(
            either[:, 0],
            np.concatenate([either[:, 0], paired[:, 0]]),
            np.concatenate([either[:, 1], paired[:, 1] + 1]),
        )
        in_characters = self._block(flat, flat, np.repeat(np.arange(len(words)), list(map(len, characters))))
        return _Parsed(tuple(words), (in_words, in_characters))

    def _block(self, occurrences: Index, columns: Index, words: Index) -> _Block:
        unique, counts = np.unique(occurrences, return_counts=True)
        values = (1.0 + np.log(counts)) * self.idf[unique].astype(np.float64)
        length = float(np.sqrt((values * values).sum())) or 1.0
        return _Block(unique, values / length, columns, words)

    def _character_columns(self, form: str) -> list[int]:
        columns = self._characters_of.get(form)
        if columns is None:
            columns = [c for gram in _character_grams(form) if (c := self.columns.get(f"\t{gram}")) is not None]
            if len(self._characters_of) > _CACHED_FORMS:
                self._characters_of.clear()
            self._characters_of[form] = columns
        return columns


def _pair(a: Word, b: Word) -> str:
    return f"{a.form} {b.form}"


def _as_array(uses: list[tuple[int, int]]) -> Index:
    return np.array(uses, dtype=np.int64).reshape(-1, 2)

"""Word and character n-grams of the composed text, weighted by TF-IDF, with every feature's place in the text.

scikit-learn's `TfidfVectorizer` gives no offsets; these features are the same in kind (sublinear term frequency,
smoothed inverse document frequency, unit length per block) and know which words they come from.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)?")
_CHARACTER_ORDERS = (3, 4, 5)


@dataclass(frozen=True)
class Word:
    """A word of the text: its folded form and its span in code points, end exclusive."""

    form: str
    start: int
    end: int


@dataclass(frozen=True)
class FeatureUse:
    """One feature of one text: column, value, and the words (indices) it comes from."""

    column: int
    value: float
    words: tuple[int, ...]


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


def _word_grams(words: Sequence[Word]) -> list[tuple[str, tuple[int, ...]]]:
    singles: list[tuple[str, tuple[int, ...]]] = [(word.form, (i,)) for i, word in enumerate(words)]
    pairs: list[tuple[str, tuple[int, ...]]] = [
        (f"{a.form} {b.form}", (i, i + 1)) for i, (a, b) in enumerate(pairwise(words))
    ]
    return singles + pairs


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
            in_words.update({gram for gram, _ in _word_grams(words)})
            in_characters.update({f"\t{gram}" for form in {w.form for w in words} for gram in _character_grams(form)})
        kept = [
            (gram, n)
            for counts, limit in ((in_words, max_words), (in_characters, max_characters))
            for gram, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
            if n >= min_texts
        ]
        idf = np.array([np.log((1 + n_texts) / (1 + n)) + 1 for _, n in kept], dtype=np.float32)
        return cls({gram: i for i, (gram, _) in enumerate(kept)}, idf)

    def uses(self, text: str) -> tuple[list[Word], list[FeatureUse]]:
        """Return the words of a text and the features it uses."""
        words = words_of(text)
        word_uses: dict[int, list[int]] = {}
        word_counts: Counter[int] = Counter()
        for gram, places in _word_grams(words):
            column = self.columns.get(gram)
            if column is not None:
                word_uses.setdefault(column, []).extend(places)
                word_counts[column] += 1
        character_uses: dict[int, list[int]] = {}
        character_counts: Counter[int] = Counter()
        for i, word in enumerate(words):
            for column in self._character_columns(word.form):
                character_uses.setdefault(column, []).append(i)
                character_counts[column] += 1
        return words, [
            *self._weighted(word_uses, word_counts),
            *self._weighted(character_uses, character_counts),
        ]

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Return the features of texts as a sparse matrix of shape (n, size), float32: the values of `uses`."""
        indptr = [0]
        indices: list[NDArray[np.int64]] = []
        data: list[NDArray[np.float32]] = []
        for text in texts:
            words = words_of(text)
            word_columns = [c for gram, _ in _word_grams(words) if (c := self.columns.get(gram)) is not None]
            character_columns = [c for word in words for c in self._character_columns(word.form)]
            for used in (word_columns, character_columns):
                columns, counts = np.unique(np.array(used, dtype=np.int64), return_counts=True)
                values = (1.0 + np.log(counts)) * self.idf[columns]
                length = float(np.sqrt((values * values).sum())) or 1.0
                indices.append(columns)
                data.append((values / length).astype(np.float32))
            indptr.append(indptr[-1] + len(indices[-1]) + len(indices[-2]))
        return csr_matrix(
            (
                np.concatenate([*data, np.empty(0, np.float32)]),
                np.concatenate([*indices, np.empty(0, np.int64)]),
                np.array(indptr),
            ),
            shape=(len(texts), self.size),
        )

    def _character_columns(self, form: str) -> list[int]:
        columns = self._characters_of.get(form)
        if columns is None:
            columns = [c for gram in _character_grams(form) if (c := self.columns.get(f"\t{gram}")) is not None]
            if len(self._characters_of) > 100_000:
                self._characters_of.clear()
            self._characters_of[form] = columns
        return columns

    def _weighted(self, uses: dict[int, list[int]], counts: Counter[int]) -> list[FeatureUse]:
        raw = {column: (1.0 + math.log(n)) * float(self.idf[column]) for column, n in counts.items()}
        length = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        return [FeatureUse(column, value / length, tuple(uses[column])) for column, value in raw.items()]

"""Near-duplicate texts: MinHash and locality-sensitive hashing over word shingles, in linear time.

References
----------
Broder, "On the resemblance and containment of documents", 1997 (MinHash); Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3 (banding).
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from models.domain.alert import Example

Index = NDArray[np.int64]

_PERMUTATIONS = 128
_SHINGLE = 2
"""Words in a shingle. Pairs keep some word order and still let one changed word in twenty pass a threshold of 0.8."""
_NEIGHBOURS = 16
"""Members of a bucket that a new one is compared with: bounds the work in the buckets of very common texts."""
_RECALL = 0.999
# Chinese, Japanese and Thai do not part words by spaces: there each sign counts as a word.
_WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")


def near_duplicate_groups(texts: Sequence[str], threshold: float = 0.85) -> Index:
    """Return a group id for each text; nearly equal texts share one.

    Texts are equal after folding (case, width, punctuation, white space), or the Jaccard similarity of their word
    pairs is at least `threshold`; similar texts chain into one group. Candidates come from MinHash bands and every
    link is verified on the shingles themselves, so two texts are never linked by chance; a pair at the threshold
    is missed with a probability of at most 0.1 % (more among texts so common that over 17 of them share a band: each
    is compared with 16 neighbours there, which keeps the time linear).

    Parameters
    ----------
    texts : sequence of str
    threshold : float
        Above 0, at most 1; 1 links equal texts only.

    Returns
    -------
    array of int, shape (n,)
        Numbered from 0 in order of first appearance. An empty text is a group of its own.

    Raises
    ------
    ValueError
        If the threshold is out of range.

    Examples
    --------
    >>> near_duplicate_groups(["Red laser pointer!", "RED LASER  POINTER", "Wooden toy train"]).tolist()
    [0, 0, 1]
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold is {threshold!r}, it must be above 0 and at most 1")
    words = [tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold())) for text in texts]
    first: dict[tuple[str, ...], int] = {}
    unique = [first.setdefault(w, i) if w else i for i, w in enumerate(words)]
    if threshold < 1.0:
        members = [i for i in sorted(set(unique)) if words[i]]
        roots = _linked([_shingles(words[i]) for i in members], threshold)
        lead = {i: members[root] for i, root in zip(members, roots, strict=True)}
        unique = [lead.get(i, i) for i in unique]
    number: dict[int, int] = {}
    return np.array([number.setdefault(i, len(number)) for i in unique], dtype=np.int64)


def product_text(example: Example) -> str:
    """Return the text by which examples are compared: what says which product it is, without captions and category."""
    return " ".join((example.title, example.brand, example.description))


def without_duplicates(index: Index, groups: Index) -> tuple[Index, int]:
    """Keep the first example of each group.

    Parameters
    ----------
    index : array of int
        Examples, e.g. the training part of a split.
    groups : array of int
        Group of every example, from `near_duplicate_groups`.

    Returns
    -------
    kept : array of int
        In the order of `index`.
    removed : int
    """
    _, first = np.unique(groups[index], return_index=True)
    kept = index[np.sort(first)]
    return kept, len(index) - len(kept)


def bands_and_rows(threshold: float, permutations: int = _PERMUTATIONS) -> tuple[int, int]:
    """Return the fewest bands, with their rows, that find a pair at the threshold with a probability of 0.999.

    A pair of similarity s shares a band of r rows with probability s^r, and one of b bands with 1 - (1 - s^r)^b.
    """
    fitting = (r for r in range(permutations, 0, -1) if 1 - (1 - threshold**r) ** (permutations // r) >= _RECALL)
    rows = next(fitting, 1)
    return permutations // rows, rows


def _shingles(words: tuple[str, ...]) -> frozenset[int]:
    """Return the CRC-32 of each run of two words; a text of one word has that word."""
    size = min(_SHINGLE, len(words))
    return frozenset(
        zlib.crc32("\x1f".join(words[i : i + size]).encode("utf-8", "replace")) for i in range(len(words) - size + 1)
    )


def _linked(sets: list[frozenset[int]], threshold: float) -> list[int]:
    """Return for each set the smallest member of its group."""
    if not sets:
        return []
    # The shingles are hashed already; MinHash mixes them again, so the identity serves.
    sketches = MinHash.generator(sets, num_perm=_PERMUTATIONS, seed=1, hashfunc=_identity)
    signatures = np.stack([sketch.hashvalues for sketch in sketches])
    parents = list(range(len(sets)))
    bands, rows = bands_and_rows(threshold)
    for band in range(bands):
        for bucket in _buckets(signatures[:, band * rows : (band + 1) * rows]):
            for place, i in enumerate(bucket):
                for j in bucket[max(0, place - _NEIGHBOURS) : place]:
                    a, b = _root(parents, i), _root(parents, j)
                    if a != b and _jaccard(sets[i], sets[j]) >= threshold:
                        parents[max(a, b)] = min(a, b)
    return [_root(parents, i) for i in range(len(sets))]


def _buckets(band: NDArray[np.uint32]) -> Iterator[list[int]]:
    """Yield the rows that are equal, where there are at least two."""
    order = np.lexsort(band.T)
    ordered = band[order]
    changes = np.flatnonzero((ordered[1:] != ordered[:-1]).any(axis=1)) + 1
    for bucket in np.split(order, changes):
        if len(bucket) > 1:
            yield bucket.tolist()


def _root(parents: list[int], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


def _jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def _identity(value: int) -> int:
    return value

"""What a corpus is like, in numbers."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.domain.risk import RiskLevel
from training.corpus.near_duplicates import NearDuplicates
from training.corpus.records import CorpusListing

_WORD = re.compile(r"[^\W\d_]{2,}")
_COMPARED = 6_000
"""Listings among which near-duplicates are looked for."""
_REAL_LISTINGS = "ordinary_listings_sample.csv*"

csv.field_size_limit(10_000_000)


@dataclass
class Lengths:
    """Lengths of titles and descriptions, in code points."""

    titles: list[int] = field(default_factory=list)
    descriptions: list[int] = field(default_factory=list)

    def add(self, title: str, description: str) -> None:
        """Count one listing."""
        self.titles.append(len(title))
        self.descriptions.append(len(description))

    def rows(self) -> dict[str, float]:
        """Return quantiles of the title, the share of empty descriptions, and quantiles of the others."""
        if not self.titles:
            return {}
        filled = [n for n in self.descriptions if n] or [0]
        title, text = np.quantile(self.titles, [0.1, 0.5, 0.9]), np.quantile(filled, [0.1, 0.5, 0.9])
        return {
            "title 10 %": float(title[0]),
            "title median": float(title[1]),
            "title 90 %": float(title[2]),
            "without description, %": 100 * self.descriptions.count(0) / len(self.descriptions),
            "description 10 %": float(text[0]),
            "description median": float(text[1]),
            "description 90 %": float(text[2]),
        }


@dataclass
class CorpusMeasures:
    """Counts over a corpus.

    Parameters
    ----------
    unsafe_weight, weight : float
        Sums of importance weights of unsafe and of all listings: their ratio is the base rate of the knowledge base.
    real : Lengths
        Of real listings, where a directory of them was given.
    """

    size: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    levels: Counter[RiskLevel] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    cues: Counter[str] = field(default_factory=Counter)
    cue_counts: Counter[int] = field(default_factory=Counter)
    unsafe: int = 0
    risky: int = 0
    unsafe_weight: float = 0.0
    weight: float = 0.0
    wrong_categories: int = 0
    words: set[str] = field(default_factory=set)
    duplicates: NearDuplicates = field(default_factory=NearDuplicates)
    lengths: Lengths = field(default_factory=Lengths)
    real: Lengths = field(default_factory=Lengths)

    def add(self, entry: CorpusListing) -> None:
        """Count one listing."""
        listing = entry.listing
        text = f"{listing.title}\n{listing.description}"
        self.size += 1
        self.languages[entry.language] += 1
        self.styles[entry.style] += 1
        self.kinds[entry.kind] += 1
        self.levels[entry.risk_level] += 1
        self.labels.update(entry.labels)
        self.cues.update(fact.cue for fact in entry.cues)
        self.cue_counts[len(entry.cues)] += 1
        self.unsafe += entry.unsafe
        self.risky += entry.risk_level is not RiskLevel.NONE
        self.unsafe_weight += entry.weight * entry.unsafe
        self.weight += entry.weight
        self.wrong_categories += entry.wrong_category
        self.words.update(word.casefold() for word in _WORD.findall(text))
        self.lengths.add(listing.title, listing.description)
        if self.duplicates.seen < _COMPARED:
            self.duplicates.add(text)


def measure_corpus(listings: Iterable[CorpusListing], real_data: Path | None = None) -> CorpusMeasures:
    """Measure a corpus as it streams by.

    Parameters
    ----------
    real_data : path, optional
        A directory with real listings (`ordinary_listings_sample.csv`, also gzipped) to compare lengths with; only
        lengths are taken from it.
    """
    measures = CorpusMeasures()
    for entry in listings:
        measures.add(entry)
    for title, description in _real_listings(real_data) if real_data is not None else ():
        measures.real.add(title, description)
    return measures


def _real_listings(directory: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(directory.glob(_REAL_LISTINGS)):
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for row in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")):
            yield row.get("title") or "", row.get("description") or ""

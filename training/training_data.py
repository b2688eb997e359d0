"""What a model is trained from: labelled examples, ordinary listings, and listings written from the knowledge base."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.classifier.fitting import HazardSample, KindSample
from models.classifier.reading import ListingReader, ReadListing
from models.domain.alert import Example
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.sources.examples import read_examples, read_ordinary
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus
from training.data_fingerprint import DataFingerprint, fingerprint
from training.deduplication import near_duplicate_groups, product_text, without_duplicates
from training.evaluation import VEHICLES
from training.splits import Split, product_groups, time_group_split

Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""

_MOST_ORDINARY_LEARNT, _MOST_ORDINARY_HELD_OUT = 6_000, 3_000


@dataclass(frozen=True)
class Labelled:
    """Alerts with known hazards, split by time and product.

    Parameters
    ----------
    groups : array of int, shape (n,)
        Product group of each example.
    dropped_duplicates : int
        Near-duplicates left out of the training part.
    """

    examples: list[Example]
    groups: NDArray[np.int64]
    split: Split
    dropped_duplicates: int
    data: list[DataFingerprint]

    @classmethod
    def read(cls, paths: Sequence[Path], taxonomy: Taxonomy, test_share: float) -> Labelled:
        """Read tables and split them.

        Raises
        ------
        InputError
            As `models.sources.examples.read_examples` says.
        """
        examples: list[Example] = []
        data: list[DataFingerprint] = []
        for path in paths:
            read, about = read_examples(path, taxonomy)
            data.append(fingerprint(about, read))
            examples += [example for example in read if example.labels]
        duplicates = near_duplicate_groups([product_text(example) for example in examples])
        groups = product_groups(examples, duplicates)
        split = time_group_split(examples, test_share=test_share, duplicates=groups)
        train_part, dropped = without_duplicates(split.train, groups)
        split = Split(train_part, split.calibration, split.test, split.dropped, split.undated, split.span)
        return cls(examples, groups, split, dropped, data)

    @property
    def test(self) -> list[Example]:
        """The latest part."""
        return [self.examples[int(i)] for i in self.split.test]

    def learning_parts(self) -> dict[str, list[Example]]:
        """Return the examples that the model learns from, by the part of the split."""
        parts = {"train": self.split.train, "calibration": self.split.calibration}
        return {name: [self.examples[int(i)] for i in index] for name, index in parts.items()}

    def samples(self, reader: ListingReader) -> list[HazardSample]:
        """Return what the heads learn from. Motor vehicles stay out: marketplaces sell car parts at most."""
        samples = []
        for later, part in ((False, self.split.train), (True, self.split.calibration)):
            for i in part:
                example = self.examples[int(i)]
                if example.category != VEHICLES:
                    read = reader.read(example.to_listing())
                    group = int(self.groups[i])
                    samples.append(HazardSample(read, example.labels or (), group, example.weight, later))
        return samples


@dataclass(frozen=True)
class Ordinary:
    """Ordinary listings, mostly safe by assumption: what the model learns the market from, and what it is judged by.

    Which part a listing falls into depends on its content alone, so that equal ones stay together.
    """

    learnt: list[Example] = field(default_factory=list)
    held_out: list[Example] = field(default_factory=list)
    data: list[DataFingerprint] = field(default_factory=list)

    @classmethod
    def read(cls, paths: Sequence[Path], seed: int) -> Ordinary:
        """Read tables; of many listings a sample is taken."""
        learnt: list[Example] = []
        held_out: list[Example] = []
        data = []
        for path in paths:
            listings, about = read_ordinary(path)
            data.append(fingerprint(about, listings, "ordinary"))
            for listing in listings:
                (held_out if _is_held_out(listing) else learnt).append(listing)
        return cls(_sample(learnt, _MOST_ORDINARY_LEARNT, seed), _sample(held_out, _MOST_ORDINARY_HELD_OUT, seed), data)

    def read_listings(self, reader: ListingReader) -> list[ReadListing]:
        """Return the learnt part, read."""
        return [reader.read(example.to_listing()) for example in self.learnt]


def _is_held_out(example: Example) -> bool:
    text = f"{example.title}\x1f{example.description}".encode("utf-8", "replace")
    return hashlib.sha256(text).digest()[0] < 256 * 0.2


def _sample(listings: list[Example], most: int, seed: int) -> list[Example]:
    chosen = np.sort(np.random.default_rng(seed).permutation(len(listings))[:most])
    return [listings[int(i)] for i in chosen]


@dataclass(frozen=True)
class Written:
    """Listings written from the knowledge base, read: all of them teach kinds, those of unsafe products hazards."""

    kinds: list[KindSample]
    hazards: list[HazardSample]

    @classmethod
    def read(
        cls, knowledge: Knowledge, taxonomy: Taxonomy, reader: ListingReader, size: int, seed: int, report: Progress
    ) -> Written:
        """Write and read a corpus."""
        kinds: list[KindSample] = []
        hazards: list[HazardSample] = []
        for i, written in enumerate(write_corpus(knowledge, taxonomy, CorpusSettings(size=size, seed=seed))):
            if i % 500 == 0:
                report("writing and reading the corpus", i, max(i, size))
            read = reader.read(written.listing)
            kinds.append(KindSample(read, written.kind))
            if written.labels:
                # Groups of examples count from 0 upwards, so those of the corpus go below.
                hazards.append(HazardSample(read, written.labels, -1 - i, kind=written.kind, expected=written.expected))
        return cls(kinds, hazards)


def held_out_corpus(knowledge: Knowledge, taxonomy: Taxonomy, seed: int, size: int) -> list[Example]:
    """Return written listings that no model of this seed learns from, with their levels."""
    settings = CorpusSettings(size=size, seed=seed + 1, min_per_kind=0)
    return [replace(w.to_example(), labels=w.labels or None) for w in write_corpus(knowledge, taxonomy, settings)]

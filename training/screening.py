"""Makes a model's screen: distils its vectors, fits its score, and chooses the threshold by risk control.

The truth of the calibration is what the whole model says, so that it needs listings of the market and no labels. What
is lost is a listing that the whole model calls high or serious and that the screen answers for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import binom

from models.classifier.classifier import HazardClassifier
from models.classifier.encoder import Vector
from models.classifier.first_tier import screener_for
from models.classifier.kind_model import name_strengths
from models.domain.guarantee import Guarantee
from models.domain.listing import Listing
from models.screening.score import FEATURES, ScreenScore
from models.screening.screen import Screen, Screener, SourceLoss
from models.screening.skimming import Skimmer
from models.screening.static_encoder import StaticEncoder, unit
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus
from training.screen_score import fit_score

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""

LOSS_OF_DANGEROUS = "loss-of-high-or-serious"
MOST_LOST, CONFIDENCE = 0.01, 0.95
_THRESHOLDS = np.geomspace(1e-5, 1.0, 1_001)
"""Fixed before any score is seen, as fixed sequence testing wants it."""
_TAUGHT_SHARE = 1 / 3
"""Of the listings that teach; the others choose the threshold."""
_WRITTEN = 4_000
_TRUST_IN_WRITTEN = 0.2
"""What a written listing weighs in the score beside one of the tables. Chosen, with what the score is made of and how
strongly it is kept small, by cross-validation within the third that teaches."""
_RARE = 1e-2
"""Tokens weigh a / (a + share of texts that hold them); Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline
for sentence embeddings"."""
_RIDGE_OF_MAP, _RIDGE_OF_TOKENS, _STEPS = 10.0, 0.03, 20
_CHUNK = 500


@dataclass(frozen=True)
class Table:
    """Listings of one table."""

    name: str
    listings: Sequence[Listing]


@dataclass(frozen=True)
class Teaching:
    """What the whole model makes of n listings.

    Parameters
    ----------
    embeddings : array of shape (n, dimension)
    probability : array of shape (n,)
        P(high or serious).
    """

    embeddings: Vector
    probability: Array

    @property
    def dangerous(self) -> NDArray[np.bool_]:
        """Whether the level is high or serious: it is the median, so where half of the probability lies there."""
        dangerous: NDArray[np.bool_] = self.probability >= 0.5 - 1e-9
        return dangerous


def make_screen(
    model: HazardClassifier,
    tables: Sequence[Table],
    *,
    written: int = _WRITTEN,
    seed: int = 0,
    progress: Progress | None = None,
) -> Screen:
    """Distil a screen from a model and calibrate it on listings of the market.

    A third of each table, which its content alone chooses, and some listings written from the knowledge base teach the
    vectors and the score; the rest chooses the threshold.

    Parameters
    ----------
    tables : sequence of Table
        Listings like those that will be screened.
    written : int
        Listings to write.

    Returns
    -------
    Screen
        Without a threshold, and with the reason, where none can be shown to keep the promise.
    """
    report = progress or (lambda _stage, _done, _total: None)
    corpus = [
        w.listing
        for w in write_corpus(model.knowledge, model.taxonomy, CorpusSettings(written, seed=seed, min_per_kind=0))
    ]
    teachers = [listing for table in tables for listing in table.listings if _teaches(listing)] + corpus
    taught = teach(model, teachers, "what the whole model says of teaching listings", report)
    report("distilling", 0, 1)
    skimmer = Skimmer(model.knowledge)
    static = distil(model, skimmer.skim(teachers).texts, taught.embeddings)
    unfitted = screener_for(model, static, ScreenScore.unfitted(), skimmer)
    weight = np.ones(len(teachers))
    weight[len(teachers) - len(corpus) :] = _TRUST_IN_WRITTEN
    score = fit_score(screened(unfitted, teachers)[0], taught.probability, weight)
    screener = screener_for(model, static, score, skimmer)
    scores, dangerous, of_table = [], [], []
    for number, table in enumerate(tables):
        rest = [listing for listing in table.listings if not _teaches(listing)]
        dangerous.append(teach(model, rest, f"what the whole model says of {table.name}", report).dangerous)
        scores.append(effective_scores(screener, rest))
        of_table.append(np.full(len(rest), number))
    found = [np.concatenate(parts) if parts else np.zeros(0) for parts in (scores, dangerous, of_table)]
    return calibrated(static, score, found[0], found[1].astype(bool), found[2].astype(int), [t.name for t in tables])


def calibrated(
    static: StaticEncoder,
    score: ScreenScore,
    scores: Array,
    dangerous: NDArray[np.bool_],
    of_table: NDArray[np.int64],
    names: Sequence[str],
) -> Screen:
    """Return the screen with the threshold that a calibration set allows.

    Parameters
    ----------
    scores : array of shape (n,)
        `effective_scores`.
    of_table : array of int, shape (n,)
        Which of the tables, named by `names`, a listing is from.
    """
    threshold = loss_threshold(scores, dangerous, of_table)
    positives = int(dangerous.sum())
    guarantee = Guarantee(
        id=LOSS_OF_DANGEROUS,
        statement=f"Of the listings that the whole model calls high or serious at most {MOST_LOST:.0%} are answered by "
        f"the screen, with {CONFIDENCE:.0%} confidence, among listings like those of the calibration set.",
        score="screen",
        threshold=threshold,
        target=1 - MOST_LOST,
        confidence=CONFIDENCE,
        n=len(scores),
        positives=positives,
        calibrated_on=dt.datetime.now(dt.UTC).date().isoformat(),
        source=", ".join(names),
    )
    below = scores < (threshold or 0.0)
    sources = [
        SourceLoss(name, *(int(x.sum()) for x in (mine, mine & dangerous, mine & dangerous & below, mine & below)))
        for name, mine in ((name, of_table == i) for i, name in enumerate(names))
    ]
    return Screen(static, score, guarantee, tuple(sources), "" if threshold else _why_not(positives))


def _why_not(positives: int) -> str:
    least = fewest_positives()
    if positives < least:
        return f"{positives} listings of the calibration set are high or serious; {least} are the fewest that can do"
    return "no threshold loses few enough of the listings that are high or serious"


def fewest_positives() -> int:
    """Return how many dangerous listings there must be at least, none of them lost.

    Examples
    --------
    >>> fewest_positives()
    299
    """
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log(1 - MOST_LOST)))


def loss_threshold(
    scores: Array, dangerous: NDArray[np.bool_], groups: NDArray[np.int64] | None = None
) -> float | None:
    """Return the highest threshold below which at most 1 % of the dangerous listings lie, with 95 % confidence.

    Learn then test (Angelopoulos, Bates, Candes, Jordan and Lei 2021): thresholds are tested one after the other from
    the lowest, where the loss only grows, by the exact binomial test, until one cannot be shown to keep the promise. A
    group of which more than 1 % is lost also ends the sequence, which makes the promise no weaker.

    Parameters
    ----------
    scores : array of shape (n,)
    groups : array of int, shape (n,), optional

    Returns
    -------
    float or None
        None where not even the lowest threshold passes.
    """
    found = scores[dangerous]
    passes = binom.cdf(_lost(found), len(found), MOST_LOST) <= 1 - CONFIDENCE
    for group in () if groups is None else np.unique(groups):
        part = scores[dangerous & (groups == group)]
        passes &= _lost(part) <= MOST_LOST * len(part)
    first_failure = len(passes) if passes.all() else int(passes.argmin())
    return float(_THRESHOLDS[first_failure - 1]) if first_failure else None


def _lost(scores: Array) -> NDArray[np.intp]:
    """Return how many scores lie below each threshold, shape (thresholds,)."""
    return np.searchsorted(np.sort(scores), _THRESHOLDS)


def teach(model: HazardClassifier, listings: Sequence[Listing], stage: str, report: Progress) -> Teaching:
    """Return what the whole model makes of listings."""
    embeddings = np.zeros((len(listings), model.encoder.dimension), dtype=np.float32)
    score = np.zeros(len(listings))
    for start in range(0, len(listings), _CHUNK):
        report(stage, start, len(listings))
        part = slice(start, start + _CHUNK)
        read = [model.read(listing) for listing in listings[part]]
        embeddings[part] = model.encoder.embed([r.text.text for r in read])
        names = name_strengths([r.text for r in read], model.knowledge)
        kinds = model.kind_model.judge(embeddings[part], names).posterior
        levels = [
            model.scenario_model.level_probabilities(row, model.scenario_model.risks(r.facts()))
            for row, r in zip(kinds, read, strict=True)
        ]
        score[part] = np.array(levels)[:, 3:].sum(axis=1)
    return Teaching(embeddings, np.clip(score, 0.0, 1.0))


def screened(screener: Screener, listings: Sequence[Listing]) -> tuple[Array, Array]:
    """Return the features of listings, shape (n, features), and their scores: above every threshold where barred."""
    rows, scores = [np.zeros((0, len(FEATURES)))], [np.zeros(0)]
    for start in range(0, len(listings), _CHUNK):
        part = screener.screen(listings[start : start + _CHUNK])
        rows.append(part.features)
        scores.append(np.where(part.barred, np.inf, part.scores))
    return np.concatenate(rows), np.concatenate(scores)


def effective_scores(screener: Screener, listings: Sequence[Listing]) -> Array:
    """Return the scores of listings; those that are barred from the screen lie above every threshold."""
    return screened(screener, listings)[1]


def distil(model: HazardClassifier, texts: Sequence[str], embeddings: Vector) -> StaticEncoder:
    """Return static vectors whose means come near the encoder's embeddings of some texts.

    The start is what the encoder makes of each token alone, weighed by rarity and mapped by ridge regression. Then
    each token's vector is moved towards what the texts want of it, by ridge regression with conjugate gradients, so
    that tokens which no text holds stay where they are.

    Parameters
    ----------
    texts : sequence of str
        As the screen skims them.
    embeddings : array of shape (n, dimension)
        What the encoder makes of the same listings as the model reads them.
    """
    alone = unit(model.encoder.tokens_alone())
    shares = _token_shares(model.encoder.tokens(texts), len(alone))
    held = np.asarray((shares > 0).sum(axis=0)).ravel() / max(1, len(texts))
    vectors = alone * (_RARE / (_RARE + held)).astype(np.float32)[:, None]
    means = unit(shares @ vectors)
    ridge = _RIDGE_OF_MAP * np.eye(means.shape[1], dtype=np.float32)
    vectors = vectors @ np.linalg.solve(means.T @ means + ridge, means.T @ embeddings)
    means = shares @ vectors
    vectors = vectors * np.float32((means * embeddings).sum() / max(float((means * means).sum()), 1e-12))
    return StaticEncoder.of(vectors + _corrections(shares, embeddings - shares @ vectors))


def _token_shares(ids: Sequence[Sequence[int]], size: int) -> csr_matrix:
    """Return what share of a text each token is, shape (texts, tokens)."""
    lengths = [len(tokens) for tokens in ids]
    values = np.repeat([np.float32(1 / max(1, length)) for length in lengths], lengths)
    shares = csr_matrix(
        (values, np.concatenate([np.asarray(t, np.int64) for t in ids]), np.cumsum([0, *lengths])), (len(ids), size)
    )
    shares.sum_duplicates()
    return shares


def _corrections(shares: csr_matrix, missing: Vector) -> Vector:
    """Return what to add to each token's vector: ridge regression of what the means miss."""
    turned = shares.T.tocsr()
    left = turned @ missing
    result: Vector = np.zeros_like(left)
    way = left.copy()
    size = float((left * left).sum())
    for _ in range(_STEPS):
        if size <= 1e-12:
            break
        through = turned @ (shares @ way) + np.float32(_RIDGE_OF_TOKENS) * way
        step = np.float32(size / float((way * through).sum()))
        result, left = result + step * way, left - step * through
        new = float((left * left).sum())
        way, size = left + np.float32(new / size) * way, new
    return result


def _teaches(listing: Listing) -> bool:
    """Tell whether a listing teaches; equal ones are always on one side, so that no one is calibrated on itself."""
    text = f"{listing.title}\x1f{listing.description}".encode("utf-8", "replace")
    return hashlib.sha256(text).digest()[0] < 256 * _TAUGHT_SHARE

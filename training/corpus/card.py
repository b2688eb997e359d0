"""The dataset card of a corpus: what it holds, how it was measured, and what it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from models.domain.risk import RiskLevel
from training.corpus.measures import CorpusMeasures, measure_corpus
from training.corpus.near_duplicates import SHINGLE
from training.corpus.records import CorpusListing
from training.corpus.settings import CorpusSettings

_SHOWN_CUES = 15


def write_card(
    path: Path, listings: Iterable[CorpusListing], settings: CorpusSettings, real_data: Path | None = None
) -> CorpusMeasures:
    """Measure a corpus and write its card as Markdown.

    Parameters
    ----------
    path : path
        The card; its directory must exist.
    listings : iterable of CorpusListing
        Read once, as a stream.
    real_data : path, optional
        A directory with real listings, whose lengths stand beside those of the corpus.

    Returns
    -------
    CorpusMeasures
    """
    measures = measure_corpus(listings, real_data)
    path.write_text(card(measures, settings), encoding="utf-8")
    return measures


def card(measures: CorpusMeasures, settings: CorpusSettings) -> str:
    """Return the card of a measured corpus."""
    blocks = [
        "# Dataset card: listings written from the knowledge base",
        _about(measures, settings),
        "## Labels",
        _labels(measures),
        _table(("risk level", "listings", "%"), _shares({level.value: measures.levels[level] for level in RiskLevel})),
        _table(("risk type of unsafe listings", "listings", "% of unsafe"), _shares(measures.labels, measures.unsafe)),
        "## Languages and styles",
        _table(("language", "listings", "%"), _shares(measures.languages, measures.size)),
        _table(("style", "listings", "%"), _shares(measures.styles, measures.size)),
        "## Cues",
        _table(("cues in a listing", "listings", "%"), _shares(dict(sorted(measures.cue_counts.items())))),
        _table(("most frequent cues", "listings", "%"), _shares(measures.cues, measures.size)[:_SHOWN_CUES]),
        "## Text",
        _text(measures),
        _lengths(measures),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _about(measures: CorpusMeasures, settings: CorpusSettings) -> str:
    least = min(measures.kinds.values(), default=0)
    return (
        f"{measures.size:,} listings of {len(measures.kinds)} product kinds (at least {least} of each) in "
        f"{len(measures.languages)} languages, seed {settings.seed}. Every listing is invented: its product kind, cues "
        "and names come from the knowledge base, the other words from `datasets/corpus`. No real listing is in it.\n\n"
        "Labels follow from product kind and cues alone: P(unsafe), hazard shares and the level of the EU matrix. "
        "Style, language, brand, template and noise are drawn without looking at them. The corpus therefore teaches "
        "what the knowledge base says, and nothing about how often real sellers write what."
    )


def _labels(measures: CorpusMeasures) -> str:
    raw = _percent(measures.unsafe, measures.risky)
    weighted = _percent(measures.unsafe_weight, measures.weight)
    return (
        f"Unsafe: {measures.unsafe:,} listings, {raw} of those whose kind has a hazard. The draw is tilted towards "
        f"unsafe listings; weighted by `weight`, {weighted} of all are unsafe, as the knowledge base has it. "
        f"Wrong category: {_percent(measures.wrong_categories, measures.size)}."
    )


def _text(measures: CorpusMeasures) -> str:
    return (
        f"Vocabulary: {len(measures.words):,} different words (runs of letters in title and description, case folded; "
        "scripts without spaces count whole runs).\n\n"
        f"Near-duplicates: {100 * measures.duplicates.rate:.1f} % of {measures.duplicates.seen:,} listings repeat an "
        f"earlier one (Jaccard index of {SHINGLE}-character shingles of title and description at least "
        f"{measures.duplicates.threshold})."
    )


def _lengths(measures: CorpusMeasures) -> str:
    corpus, real = measures.lengths.rows(), measures.real.rows()
    head = ("characters", "corpus", "real listings") if real else ("characters", "corpus")
    rows = [(name, f"{value:.0f}", *([f"{real[name]:.0f}"] if real else [])) for name, value in corpus.items()]
    return _table(head, rows)


def _shares(counts: Mapping[str, int] | Mapping[int, int], total: int | None = None) -> list[tuple[str, ...]]:
    """Return rows of counts with their share; by size where a total is given, else in their own order."""
    whole = total if total is not None else sum(counts.values())
    pairs = [(str(name), count) for name, count in counts.items()]
    if total is not None:
        pairs.sort(key=lambda pair: -pair[1])
    return [(name, f"{count:,}", _percent(count, whole)) for name, count in pairs]


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

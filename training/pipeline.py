"""The training pipeline: data and knowledge in, a tested, tracked and registered model out.

examples -> near-duplicates out -> split by time and product group -> fit -> evaluate on the latest part -> artifact
-> MLflow
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from models.classifier.artifact import Manifest, require_free
from models.classifier.classifier import HazardClassifier, Settings, usable_cores
from models.classifier.composing import load_boilerplate
from models.classifier.encoder import OnnxEncoder
from models.classifier.fitting import FitSettings, HazardSample, KindSample, fit_classifier
from models.classifier.reading import ListingReader
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.knowledge.base import Knowledge, load_knowledge
from models.sources.examples import read_examples, read_ordinary
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus
from training.data_fingerprint import DataFingerprint, fingerprint
from training.deduplication import near_duplicate_groups, product_text, without_duplicates
from training.encoder_export import EMBEDDED, ExportedEncoder, Precision, export_encoder
from training.evaluation import VEHICLES, Evaluation, evaluate, write_report
from training.evidence_items import evidence_index
from training.finetuning import FinetuneSettings, HazardTexts, finetune, has_gpu
from training.splits import Split, product_groups, time_group_split

Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""

log = logging.getLogger(__name__)

_HELD_OUT_CORPUS = 1_500
_ORDINARY_SAMPLE = 3_000


@dataclass(frozen=True)
class TrainSettings:
    """What to train from and where to put the result.

    Parameters
    ----------
    examples : sequence of path
        Tables of alerts with known hazards; without any the model learns from the knowledge base alone.
    ordinary : sequence of path
        Tables of ordinary listings: how many of them land at each level is reported.
    corpus_size : int
        Listings written from the knowledge base.
    gloss : bool, optional
        Whether text in other languages reaches the encoder in English words; by default with the embedded encoder,
        which reads English, and not with another, which may read them all.
    finetune : str
        Fine-tune the encoder on the examples: ``auto`` where there is a GPU; on two CPU cores it takes minutes an
        epoch.
    corpus_weight : float
        Weight of an unsafe corpus listing among the examples, which weigh 1.
    """

    out: Path
    examples: Sequence[Path] = ()
    ordinary: Sequence[Path] = ()
    taxonomy: Path | None = None
    knowledge: Path | None = None
    encoder: str = EMBEDDED
    precision: Precision = "int8"
    max_tokens: int = 128
    gloss: bool | None = None
    corpus_size: int = 10_000
    corpus_weight: float = 0.03
    test_share: float = 0.2
    seed: int = 0
    finetune: Literal["auto", "on", "off"] = "auto"
    track: bool = True
    promote: bool = False
    finetuning: FinetuneSettings = field(default_factory=FinetuneSettings)
    fit: FitSettings = field(default_factory=FitSettings)

    def __post_init__(self) -> None:
        if self.finetune not in ("auto", "on", "off"):
            raise InputError(f"finetune {self.finetune!r}", place="--finetune", hint="one of auto, on, off")


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

    Parameters
    ----------
    evaluated_on : str
        ``examples`` (the latest part of the given data) or ``corpus`` (written listings that the model has not seen: a
        check of the works, no measure of its worth on real listings).
    registered : str
        Registered version and alias; empty where nothing was tracked.
    """

    directory: Path
    version: str
    evaluated_on: str
    evaluation: Evaluation
    facts: dict[str, Any]
    registered: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class _Labelled:
    examples: list[Example]
    groups: NDArray[np.int64]
    split: Split
    dropped_duplicates: int
    data: list[DataFingerprint]


def train(settings: TrainSettings, progress: Progress | None = None) -> TrainResult:
    """Train, evaluate, write and register a model.

    Deterministic: equal data, settings and seed give an equal artifact version and equal metrics on one machine.

    Raises
    ------
    InputError
        If a table, the taxonomy or the knowledge base has a fault; nothing is written then.
    """
    report = progress or (lambda _stage, _done, _total: None)
    require_free(settings.out)
    taxonomy_file = settings.taxonomy or datasets_dir() / "taxonomy.yaml"
    taxonomy = load_taxonomy(taxonomy_file)
    # A foreign label set keeps the product kinds; only their hazards outside the set say nothing.
    knowledge = load_knowledge(settings.knowledge, taxonomy if settings.taxonomy is None else None)
    labelled = _read_labelled(settings, taxonomy, report)
    ordinary, ordinary_data = _read_ordinary(settings.ordinary)
    boilerplate = load_boilerplate()
    gloss = settings.encoder == EMBEDDED if settings.gloss is None else settings.gloss
    reader = ListingReader(knowledge, boilerplate, gloss)
    kinds, corpus_hazards = _from_corpus(settings, knowledge, taxonomy, reader, report)
    hazards = corpus_hazards
    encoder_name = settings.encoder
    if labelled is not None:
        examples = _from_examples(labelled, reader)
        if _finetunes(settings):
            encoder_name = _finetuned(settings, taxonomy, examples, kinds, report)
        else:
            # An encoder that has seen no label leaves nothing to hold back: cross-fitting calibrates on every example.
            examples = [replace(sample, later=False) for sample in examples]
        # The corpus speaks of the shipped risk types; to a foreign label set it has nothing to say.
        hazards = [*examples, *corpus_hazards] if set(taxonomy.names) & _corpus_labels(knowledge) else examples
    exported = export_encoder(encoder_name, settings.precision)
    encoder = OnnxEncoder(exported.graph, exported.tokenizer, settings.max_tokens, usable_cores())
    model = fit_classifier(
        taxonomy,
        yaml.safe_load(taxonomy_file.read_text(encoding="utf-8")),
        knowledge,
        boilerplate,
        encoder,
        kinds,
        hazards,
        Settings(max_tokens=settings.max_tokens, gloss=gloss),
        settings.fit,
        report,
    )
    if labelled is not None:
        test, groups = [labelled.examples[i] for i in labelled.split.test], labelled.groups[labelled.split.test]
    else:
        test = _held_out_corpus(settings, knowledge, taxonomy)
        groups = np.arange(len(test))
    evaluation = evaluate(
        model, test, taxonomy, groups=groups, seed=settings.seed, progress=_counter(report, "evaluating", len(test))
    )
    model.evidence = evidence_index(model, labelled.examples if labelled is not None else [], settings.seed)
    data = [*(labelled.data if labelled is not None else []), *ordinary_data]
    facts = {
        "evaluated_on": "examples" if labelled is not None else "corpus",
        "metrics": evaluation.metrics,
        "training": _facts(settings, exported, knowledge, labelled, len(kinds), len(hazards)),
        "data": [item.as_dict() for item in data],
        "ordinary": _ordinary_levels(model, ordinary, settings.seed, report),
    }
    manifest = model.save(settings.out, facts, exported.directory)
    evaluation = evaluation.named(manifest.version)
    write_report(evaluation, Path(f"{settings.out}-report"))
    return _register(settings, manifest, evaluation, facts, data)


def _register(
    settings: TrainSettings,
    manifest: Manifest,
    evaluation: Evaluation,
    facts: dict[str, Any],
    data: list[DataFingerprint],
) -> TrainResult:
    registered, run_id = "", ""
    if settings.track:
        from training.tracking import log_run

        run = log_run(settings.out, evaluation, parameters=facts["training"], data=data, promote=settings.promote)
        registered, run_id = f"{run.model_uri} as {run.alias}: {run.reason}", run.run_id
    return TrainResult(settings.out, manifest.version, facts["evaluated_on"], evaluation, facts, registered, run_id)


def _read_labelled(settings: TrainSettings, taxonomy: Taxonomy, report: Progress) -> _Labelled | None:
    if not settings.examples:
        return None
    examples: list[Example] = []
    data: list[DataFingerprint] = []
    for path in settings.examples:
        read, about = read_examples(path, taxonomy)
        data.append(fingerprint(about, read))
        examples += [example for example in read if example.labels]
    report("grouping near-duplicates", 0, 1)
    duplicates = near_duplicate_groups([product_text(example) for example in examples])
    groups = product_groups(examples, duplicates)
    split = time_group_split(examples, test_share=settings.test_share, duplicates=groups)
    train_part, dropped = without_duplicates(split.train, groups)
    split = Split(train_part, split.calibration, split.test, split.dropped, split.undated, split.span)
    return _Labelled(examples, groups, split, dropped, data)


def _read_ordinary(paths: Sequence[Path]) -> tuple[list[Example], list[DataFingerprint]]:
    listings: list[Example] = []
    data = []
    for path in paths:
        read, about = read_ordinary(path)
        data.append(fingerprint(about, read, "ordinary"))
        listings += read
    return listings, data


def _from_examples(labelled: _Labelled, reader: ListingReader) -> list[HazardSample]:
    """Motor vehicles stay out of the training too: marketplaces sell car parts at most."""
    samples = []
    for later, part in ((False, labelled.split.train), (True, labelled.split.calibration)):
        for i in part:
            example = labelled.examples[int(i)]
            if example.category != VEHICLES:
                read = reader.read(example.to_listing())
                samples.append(HazardSample(read, example.labels or (), int(labelled.groups[i]), example.weight, later))
    return samples


def _from_corpus(
    settings: TrainSettings, knowledge: Knowledge, taxonomy: Taxonomy, reader: ListingReader, report: Progress
) -> tuple[list[KindSample], list[HazardSample]]:
    kinds: list[KindSample] = []
    hazards: list[HazardSample] = []
    weight = settings.corpus_weight if settings.examples else 1.0
    for i, written in enumerate(
        write_corpus(knowledge, taxonomy, CorpusSettings(size=settings.corpus_size, seed=settings.seed))
    ):
        if i % 500 == 0:
            report("writing and reading the corpus", i, max(i, settings.corpus_size))
        read = reader.read(written.listing)
        kinds.append(KindSample(read, written.kind))
        if written.labels:
            # Groups of examples count from 0 upwards, so those of the corpus go below.
            hazards.append(HazardSample(read, written.labels, -1 - i, weight))
    return kinds, hazards


def _corpus_labels(knowledge: Knowledge) -> set[str]:
    return {name for kind in knowledge.kinds for name in kind.hazards}


def _finetunes(settings: TrainSettings) -> bool:
    return settings.finetune == "on" or (settings.finetune == "auto" and has_gpu())


def _finetuned(
    settings: TrainSettings,
    taxonomy: Taxonomy,
    examples: Sequence[HazardSample],
    kinds: Sequence[KindSample],
    report: Progress,
) -> str:
    def texts(later: bool) -> HazardTexts:
        chosen = [sample for sample in examples if sample.later == later]
        labels = np.array([[name in sample.labels for name in taxonomy.names] for sample in chosen])
        return HazardTexts([sample.read.text.text for sample in chosen], labels)

    pairs = [(sample.kind, sample.read.text.text) for sample in kinds]
    return str(finetune(settings.encoder, texts(False), texts(True), pairs, settings.finetuning, report))


def _held_out_corpus(settings: TrainSettings, knowledge: Knowledge, taxonomy: Taxonomy) -> list[Example]:
    held_out = CorpusSettings(size=_HELD_OUT_CORPUS, seed=settings.seed + 1, min_per_kind=0)
    return [replace(w.to_example(), labels=w.labels or None) for w in write_corpus(knowledge, taxonomy, held_out)]


def _ordinary_levels(model: HazardClassifier, ordinary: list[Example], seed: int, report: Progress) -> dict[str, Any]:
    """Share of ordinary listings at each level, on a sample: mostly safe by assumption."""
    if not ordinary:
        return {}
    chosen = np.random.default_rng(seed).permutation(len(ordinary))[:_ORDINARY_SAMPLE]
    predictions = model.predict(
        (ordinary[int(i)].to_listing() for i in chosen), _counter(report, "ordinary listings", len(chosen))
    )
    counts = np.bincount(predictions.level_ranks, minlength=len(RiskLevel))
    return {
        "n": len(chosen),
        "share": {level.value: float(c) / len(chosen) for level, c in zip(RiskLevel, counts, strict=True)},
    }


def _facts(
    settings: TrainSettings,
    exported: ExportedEncoder,
    knowledge: Knowledge,
    labelled: _Labelled | None,
    kinds: int,
    hazards: int,
) -> dict[str, Any]:
    return {
        "encoder": exported.name,
        "encoder_sha256": exported.weights_sha256,
        "precision": exported.precision,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
        "corpus_size": settings.corpus_size,
        "corpus_weight": settings.corpus_weight,
        "finetune": settings.finetune,
        "finetuning": asdict(settings.finetuning),
        "knowledge_sha256": knowledge.digest,
        "fit": asdict(settings.fit),
        "kind_listings": kinds,
        "hazard_listings": hazards,
        "split": labelled.split.as_dict() if labelled is not None else {},
        "duplicates_dropped": labelled.dropped_duplicates if labelled is not None else 0,
    }


def _counter(report: Progress, stage: str, total: int) -> Callable[[int], object]:
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if done % 100 == 0 or done == total:
            report(stage, done, total)

    return advance

"""The training pipeline: data and knowledge in, a tested, tracked and registered model out.

examples -> near-duplicates out -> split by time and product group -> fit -> evaluate on the latest part -> artifact
-> MLflow
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from models.classifier.artifact import Manifest, require_free
from models.classifier.classifier import HazardClassifier
from models.classifier.composing import load_boilerplate
from models.classifier.cores import usable_cores
from models.classifier.encoder import OnnxEncoder
from models.classifier.fit_settings import FitSettings
from models.classifier.fitting import HazardSample, fit_classifier
from models.classifier.reading import ListingReader
from models.classifier.settings import Settings
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.guarantee import Guarantee
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.knowledge.base import Knowledge, load_knowledge
from models.sources.examples import read_examples
from training.data_fingerprint import DataFingerprint
from training.data_profile import profiles
from training.encoder_export import EMBEDDED, ExportedEncoder, Precision, Shortening, export_encoder
from training.encoder_layers import Layers, shortening
from training.evaluation import VEHICLES, Evaluation, evaluate
from training.evidence_items import evidence_index
from training.finetuning import FinetuneSettings, FinetuneTexts, HazardTexts, finetune, has_gpu
from training.golden_inputs import golden_inputs
from training.inside import look_inside
from training.paperwork import papers_beside, write_paperwork
from training.predicted import Predicted
from training.promotion import champion_metrics
from training.risk_control import recall_guarantee
from training.rivals import Rival, frozen_encoder, training_rivals
from training.run_record import RunRecord
from training.training_data import Labelled, Ordinary, Written, held_out_corpus

Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""

_FEWEST_HELD_OUT = 25

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainSettings:
    """What to train from and where to put the result.

    Parameters
    ----------
    examples : sequence of path
        Tables of alerts with known hazards; without any the model learns from the knowledge base alone.
    ordinary : sequence of path
        Tables of ordinary listings: beside the examples they tell how often each kind of product is unsafe; a fifth is
        held out to report how many land at each level.
    levelled : sequence of path
        Tables of listings whose level a person gave, none of them an example: thresholds with a guarantee rest on them.
    precision : str
        Of the encoder: ``int8`` or ``fp32``. Heads, calibration and thresholds are fitted to it, so it is the model's.
    corpus_size : int
        Listings written from the knowledge base.
    held_out : int
        Listings written besides, of which the model learns nothing: the golden inputs are chosen from them, and
        thresholds with a guarantee rest on them where there are no levels of people. A look inside explains one for
        every 25 of them and writes two pairs for every five.
    gloss : bool, optional
        Whether text in other languages reaches the encoder in English words; by default with the embedded encoder,
        which reads English, and not with another, which may read them all.
    layers : sequence of int, or str
        Layers of the encoder that are kept, counted from 0, the last one among them; maps fitted on the texts that are
        learnt from stand for the others. ``all`` keeps all of them; ``auto`` three of the embedded encoder where it is
        not fine-tuned and there are texts enough, which halves its time, and all in any other case.
    finetune : str
        Fine-tune the encoder on the examples: ``auto`` where there is a GPU. On a later part of the Safety Gate alerts
        that are trained on, mAP of all blocks was 0.688 with it and 0.684 without, the first hazard was right for 0.80
        and 0.83: a seed of each, at a quarter of an hour on two cores.
    compare : bool
        Also train baselines, judge the registry's champion and the listings without captions, and look for labels
        that may be wrong.
    """

    out: Path
    examples: Sequence[Path] = ()
    ordinary: Sequence[Path] = ()
    levelled: Sequence[Path] = ()
    taxonomy: Path | None = None
    knowledge: Path | None = None
    encoder: str = EMBEDDED
    precision: Precision = "int8"
    max_tokens: int = 128
    gloss: bool | None = None
    corpus_size: int = 24_000
    held_out: int = 1_500
    test_share: float = 0.2
    seed: int = 0
    layers: Layers = "auto"
    finetune: Literal["auto", "on", "off"] = "auto"
    track: bool = True
    compare: bool = True
    promote: bool = False
    finetuning: FinetuneSettings = field(default_factory=FinetuneSettings)
    fit: FitSettings = field(default_factory=FitSettings)

    def __post_init__(self) -> None:
        if self.finetune not in ("auto", "on", "off"):
            raise InputError(f"finetune {self.finetune!r}", place="--finetune", hint="one of auto, on, off")
        if self.held_out < _FEWEST_HELD_OUT:
            few = f"at least {_FEWEST_HELD_OUT}: a model is judged by them"
            raise InputError(f"held_out {self.held_out}", place="--held-out", hint=few)
        given: str = self.precision
        if given not in ("int8", "fp32"):
            why = ": ONNX Runtime multiplies no bf16 matrices on a CPU" if given == "bf16" else ""
            raise InputError(f"precision {given!r}{why}", place="--precision", hint="one of int8, fp32")


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

    @property
    def papers(self) -> Path:
        """Directory of the report and the cards."""
        return papers_beside(self.directory)


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
    report("reading and grouping the tables", 0, 1)
    labelled = Labelled.read(settings.examples, taxonomy, settings.test_share) if settings.examples else None
    ordinary = Ordinary.read(settings.ordinary, settings.seed)
    levelled = _read_levelled(settings.levelled, taxonomy)
    boilerplate = load_boilerplate()
    gloss = settings.encoder == EMBEDDED if settings.gloss is None else settings.gloss
    reader = ListingReader(knowledge, boilerplate, gloss)
    written = Written.read(knowledge, taxonomy, reader, settings.corpus_size, settings.seed, report)
    # The corpus speaks of the shipped risk types; to a foreign label set it has nothing to say.
    written_hazards = written.hazards if set(taxonomy.names) & _corpus_labels(knowledge) else []
    examples = labelled.samples(reader) if labelled is not None else []
    offered = ordinary.read_listings(reader)
    encoder_name, fit, original = settings.encoder, settings.fit, None
    if labelled is not None:
        fit = fit.for_examples()
    finetunes = labelled is not None and _finetunes(settings)
    shorter = shortening(
        settings.layers,
        settings.encoder,
        finetunes,
        [sample.read for sample in written.kinds],
        [*(sample.read for sample in examples), *offered],
        settings.max_tokens,
    )
    if finetunes:
        encoder_name = str(_finetuned(settings, taxonomy, examples, written, report))
        original, fit = _encoder(settings.encoder, settings, shorter)[0], fit.for_finetuned_encoder()
    report("exporting the encoder", 0, 1)
    encoder, exported = _encoder(encoder_name, settings, shorter)
    model = fit_classifier(
        taxonomy,
        yaml.safe_load(taxonomy_file.read_text(encoding="utf-8")),
        knowledge,
        boilerplate,
        encoder,
        written.kinds,
        [*examples, *written_hazards],
        Settings(max_tokens=settings.max_tokens, gloss=gloss),
        fit,
        report,
        offered,
        original,
    )
    held_out = held_out_corpus(knowledge, taxonomy, settings.seed, settings.held_out)
    test = labelled.test if labelled is not None else held_out
    judged = _predicted(model, levelled or held_out, "judged listings", report)
    tested = judged if test is judged.examples else _predicted(model, test, "evaluating", report)
    market = _predicted(model, ordinary.held_out, "ordinary listings", report)
    model.guarantees = (_recall_guarantee(judged, bool(levelled)),)
    evaluation = evaluate(
        model,
        test,
        taxonomy,
        predictions=tested.predictions,
        groups=labelled.groups[labelled.split.test] if labelled is not None else np.arange(len(test)),
        knowledge=knowledge,
        rivals=_rivals(settings, taxonomy, labelled, test, report) if settings.compare else (),
        closely=settings.compare,
        seed=settings.seed,
    )
    model.evidence = evidence_index(model, labelled.examples if labelled is not None else [], settings.seed)
    model.golden = golden_inputs(model, held_out)
    data = [*(labelled.data if labelled is not None else []), *ordinary.data]
    parts = labelled.learning_parts() if labelled is not None else {}
    facts = {
        "evaluated_on": "examples" if labelled is not None else "corpus",
        "metrics": evaluation.metrics,
        "training": _facts(
            settings, fit, exported, knowledge, labelled, len(written.kinds), len(examples) + len(written_hazards)
        ),
        "data": [item.as_dict() for item in data],
        "profile": profiles({**parts, "test": test, "ordinary": [*ordinary.learnt, *ordinary.held_out]}),
        "ordinary": _ordinary_levels(market),
    }
    if settings.compare:
        report("looking inside", 0, 1)
        facts |= look_inside(
            model,
            tested if labelled is not None else tested.where(lambda _: False),
            market,
            test,
            encoder=exported,
            prior_unsafe=model.settings.prior_unsafe,
            explain=settings.held_out // 25,
            pairs=settings.held_out * 2 // 5,
            seed=settings.seed,
        )
    manifest = model.save(settings.out, facts, exported.directory)
    evaluation = evaluation.named(manifest.version)
    papers = papers_beside(settings.out)
    write_paperwork(RunRecord(manifest.version, facts, model.guarantees, evaluation), papers)
    return _register(settings, manifest, evaluation, facts, data, papers)


def _register(
    settings: TrainSettings,
    manifest: Manifest,
    evaluation: Evaluation,
    facts: dict[str, Any],
    data: list[DataFingerprint],
    papers: Path,
) -> TrainResult:
    registered, run_id = "", ""
    if settings.track:
        from training.tracking import log_run

        run = log_run(
            settings.out,
            evaluation,
            parameters=facts["training"],
            data=data,
            champion_metrics=champion_metrics(evaluation.metrics),
            promote=settings.promote,
            papers=papers,
        )
        registered, run_id = f"{run.model_uri} as {run.alias}: {run.reason}", run.run_id
    return TrainResult(settings.out, manifest.version, facts["evaluated_on"], evaluation, facts, registered, run_id)


def _rivals(
    settings: TrainSettings, taxonomy: Taxonomy, labelled: Labelled | None, test: Sequence[Example], report: Progress
) -> list[Rival]:
    parts = labelled.learning_parts() if labelled is not None else {}
    learnt_from = [e for part in parts.values() for e in part if e.category != VEHICLES]
    encoder = frozen_encoder(settings.encoder, settings.precision, settings.max_tokens)
    return training_rivals(learnt_from, test, taxonomy, encoder, settings.track, settings.seed, report)


def _corpus_labels(knowledge: Knowledge) -> set[str]:
    return {name for kind in knowledge.kinds for name in kind.hazards}


def _read_levelled(paths: Sequence[Path], taxonomy: Taxonomy) -> list[Example]:
    found = []
    for path in paths:
        read, _ = read_examples(path, taxonomy, labelled=False)
        judged = [example for example in read if example.risk_level is not None]
        if not judged:
            raise InputError("no row has a risk level", place=str(path), hint="add a column 'risk_level'")
        found += judged
    return found


def _recall_guarantee(judged: Predicted, by_people: bool) -> Guarantee:
    """Calibrate on what people judged; without that, on written listings, and say so."""
    ranks = np.array([example.risk_level.rank if example.risk_level else 0 for example in judged.examples])
    return recall_guarantee(
        judged.predictions.risk_score,
        ranks >= RiskLevel.HIGH.rank,
        calibrated_on=max((example.date for example in judged.examples), default=""),
        source="listings whose level a person gave" if by_people else "listings written from the knowledge base",
    )


def _predicted(model: HazardClassifier, examples: list[Example], stage: str, report: Progress) -> Predicted:
    return Predicted.of(model, examples, _counter(report, stage, len(examples)))


def _finetunes(settings: TrainSettings) -> bool:
    return settings.finetune == "on" or (settings.finetune == "auto" and has_gpu())


def _finetuned(
    settings: TrainSettings,
    taxonomy: Taxonomy,
    examples: Sequence[HazardSample],
    written: Written,
    report: Progress,
) -> Path:
    def texts(chosen: Sequence[HazardSample]) -> HazardTexts:
        labels = np.array([[name in sample.labels for name in taxonomy.names] for sample in chosen])
        return HazardTexts([sample.read.text.text for sample in chosen], labels)

    material = FinetuneTexts(
        texts([sample for sample in examples if not sample.later]),
        texts([sample for sample in examples if sample.later]),
        [(sample.kind, sample.read.text.text) for sample in written.kinds],
        texts(written.hazards) if set(taxonomy.names) & {n for s in written.hazards for n in s.labels} else None,
    )
    return finetune(settings.encoder, material, settings.finetuning, report)


def _encoder(name: str, settings: TrainSettings, shorter: Shortening | None) -> tuple[OnnxEncoder, ExportedEncoder]:
    exported = export_encoder(name, settings.precision, shortening=shorter)
    return OnnxEncoder(exported.graph, exported.tokenizer, settings.max_tokens, usable_cores()), exported


def _ordinary_levels(ordinary: Predicted) -> dict[str, Any]:
    """Share of ordinary listings at each level: mostly safe by assumption."""
    if not len(ordinary):
        return {}
    counts = np.bincount(ordinary.predictions.level_ranks, minlength=len(RiskLevel))
    return {
        "n": len(ordinary),
        "share": {level.value: float(c) / len(ordinary) for level, c in zip(RiskLevel, counts, strict=True)},
    }


def _facts(
    settings: TrainSettings,
    fit: FitSettings,
    exported: ExportedEncoder,
    knowledge: Knowledge,
    labelled: Labelled | None,
    kinds: int,
    hazards: int,
) -> dict[str, Any]:
    return {
        "encoder": exported.name,
        "encoder_sha256": exported.weights_sha256,
        "layers": exported.layers,
        "precision": exported.precision,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
        "corpus_size": settings.corpus_size,
        "held_out": settings.held_out,
        "finetune": settings.finetune,
        "finetuning": asdict(settings.finetuning),
        "knowledge_sha256": knowledge.digest,
        "fit": asdict(fit),
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

"""The training pipeline: data and knowledge in, a tested, tracked and registered model out.

examples -> near-duplicates out -> split by time and product group -> fit -> evaluate on the latest part -> artifact
-> MLflow
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from models.classifier.artifact import Manifest, require_free
from models.classifier.classifier import HazardClassifier
from models.classifier.composing import load_boilerplate
from models.classifier.fit_settings import FitSettings
from models.classifier.fitting import fit_classifier
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
from training.encoder_choice import choose_encoder
from training.encoder_export import EMBEDDED, ExportedEncoder
from training.evaluation import VEHICLES, Evaluation, evaluate
from training.evidence_items import evidence_index
from training.golden_inputs import golden_inputs
from training.inside import look_inside
from training.paperwork import papers_beside, write_paperwork
from training.predicted import Predicted
from training.promotion import champion_metrics
from training.risk_control import recall_guarantee
from training.rivals import Rival, frozen_encoder, training_rivals
from training.run_record import RunRecord
from training.settings import TrainSettings
from training.training_data import Labelled, Ordinary, Progress, Written, held_out_corpus


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
    hazards = [*examples, *written_hazards]
    offered = ordinary.read_listings(reader)
    chosen = choose_encoder(settings, taxonomy, labelled is not None, examples, written, offered, report)
    fit = settings.fit if labelled is None else settings.fit.for_examples()
    if chosen.original is not None:
        fit = fit.for_finetuned_encoder()
    model = fit_classifier(
        taxonomy,
        yaml.safe_load(taxonomy_file.read_text(encoding="utf-8")),
        knowledge,
        boilerplate,
        chosen.encoder,
        written.kinds,
        hazards,
        Settings(max_tokens=settings.max_tokens, gloss=gloss),
        fit,
        report,
        offered,
        chosen.original,
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
            settings,
            fit,
            chosen.exported,
            knowledge,
            labelled,
            len(written.kinds),
            len(examples) + len(written_hazards),
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
            encoder=chosen.exported,
            prior_unsafe=model.settings.prior_unsafe,
            explain=settings.held_out // 25,
            pairs=settings.held_out * 2 // 5,
            seed=settings.seed,
        )
    manifest = model.save(settings.out, facts, chosen.exported.directory)
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

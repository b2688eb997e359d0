"""``hazardlens train`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, ShowProgress, TaxonomyFile, bar, print_json, stage_bars
from hazardlens.extras import training_extra
from hazardlens.model_source import ModelArgument, load_model
from models.domain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.classifier.classifier import HazardClassifier
    from models.domain.alert import Example
    from models.domain.taxonomy import Taxonomy
    from training.pipeline import TrainResult
    from training.rivals import Rival

_DEFAULT = Path("var/models/default")


def train(
    examples: Annotated[
        list[Path] | None, typer.Option("--examples", metavar="F ...", help="Example tables with known hazards.")
    ] = None,
    ordinary: Annotated[
        list[Path] | None, typer.Option("--ordinary", metavar="F ...", help="Tables of ordinary listings, no labels.")
    ] = None,
    levelled: Annotated[
        list[Path] | None,
        typer.Option("--levelled", metavar="F ...", help="Listings whose level a person gave, for guarantees."),
    ] = None,
    taxonomy: TaxonomyFile = None,
    knowledge: Annotated[
        Path | None, typer.Option("--knowledge", metavar="DIR", help="Knowledge base, instead of the one that ships.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Directory of the new model.")] = _DEFAULT,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME", help="Sentence encoder: a directory or a hub name.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", metavar="int8|fp32", help="Of the encoder; fp32 is four times as large."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option("--layers", metavar="auto|all|N,N", help="Layers of the encoder to keep, counted from 0."),
    ] = None,
    corpus_size: Annotated[
        int | None, typer.Option("--corpus-size", min=0, help="Listings written from the knowledge base.")
    ] = None,
    held_out: Annotated[
        int | None, typer.Option("--held-out", help="Listings written besides, to judge the model by.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Same data and seed give the same model.")] = None,
    finetune: Annotated[
        str | None,
        typer.Option("--finetune", metavar="auto|on|off", help="Fine-tune the encoder; auto: where there is a GPU."),
    ] = None,
    track: Annotated[bool, typer.Option("--track/--no-track", help="Log to MLflow and register.")] = True,
    compare: Annotated[
        bool, typer.Option("--compare/--no-compare", help="Baselines, champion, captions removed, doubtful labels.")
    ] = True,
    promote: Annotated[bool, typer.Option("--promote", help="Make a better model champion at once.")] = False,
    progress: ShowProgress = None,
    as_json: AsJson = False,
) -> None:
    """Train, evaluate, log to MLflow, register. Without data, from the knowledge base alone."""
    given: dict[str, Any] = {
        "taxonomy": taxonomy,
        "knowledge": knowledge,
        "encoder": encoder,
        "precision": precision,
        "corpus_size": corpus_size,
        "held_out": held_out,
        "seed": seed,
        "finetune": finetune,
    }
    with training_extra("training"):
        from training.encoder_layers import parse_layers
        from training.pipeline import train as run
        from training.settings import TrainSettings

        given["layers"] = None if layers is None else parse_layers(layers)
        settings = TrainSettings(
            examples=examples or [],
            ordinary=ordinary or [],
            levelled=levelled or [],
            out=out,
            track=track,
            compare=compare,
            promote=promote,
            **{name: value for name, value in given.items() if value is not None},
        )
        with stage_bars(progress) as show:
            result = run(settings, show)
    if as_json:
        print_json(
            {
                "directory": str(result.directory),
                "report": str(result.papers),
                "version": result.version,
                "evaluated_on": result.evaluated_on,
                "metrics": result.evaluation.metrics,
                "ordinary": result.facts.get("ordinary", {}),
                "registered": result.registered,
                "run_id": result.run_id,
            }
        )
    else:
        typer.echo(_summary(result))


def evaluate(
    model: ModelArgument,
    examples: Annotated[
        list[Path], typer.Option("--examples", metavar="F ...", help="Example tables with labels or risk levels.")
    ],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write the report, model card and data card here.")
    ] = None,
    train_examples: Annotated[
        list[Path] | None,
        typer.Option("--train-examples", metavar="F ...", help="Train baselines on these tables to compare with."),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare/--no-compare", help="Registry's champion, captions removed, doubtful labels."),
    ] = True,
    progress: ShowProgress = None,
    as_json: AsJson = True,  # noqa: ARG001  (the output is JSON always; scripts may say so all the same)
) -> None:
    """Evaluate a model on examples that it has not seen; prints the metrics as JSON."""
    classifier = load_model(model)
    taxonomy = classifier.taxonomy
    read = [example for path in examples for example in judged_examples(path, taxonomy)]
    known = [example for path in train_examples or [] for example in judged_examples(path, taxonomy)]
    with training_extra("evaluation"):
        from training.evaluation import evaluate as run

        rivals = _rivals(classifier, read, known, compare)
        with bar("evaluating", len(read), progress, "example") as advance:
            evaluation = run(
                classifier,
                read,
                taxonomy,
                knowledge=classifier.knowledge,
                rivals=rivals,
                closely=compare,
                progress=advance,
            )
        if report is not None:
            from training.paperwork import write_paperwork
            from training.run_record import RunRecord

            facts = classifier.manifest.facts if classifier.manifest else {}
            own_test = facts.get("metrics", {}).get("evaluation_sha256") == evaluation.metrics["evaluation_sha256"]
            record = RunRecord(
                classifier.version, facts, classifier.guarantees, evaluation, own_test, classifier.screen
            )
            write_paperwork(record, report)
    print_json(evaluation.metrics)


def _rivals(
    model: HazardClassifier, examples: Sequence[Example], known: Sequence[Example], compare: bool
) -> list[Rival]:
    """Baselines of other examples, those of the same products left out, and the champion where there is one."""
    from training.rivals import apart_from, as_rivals, champion_rival, frozen_encoder

    rivals: list[Rival] = []
    if known:
        from training.baselines import train_baselines

        learnt_from = apart_from(known, examples)
        encoder = frozen_encoder(max_tokens=model.settings.max_tokens)
        rivals += as_rivals(train_baselines(learnt_from, model.taxonomy, encoder))
    if compare and (champion := champion_rival(model.taxonomy, examples, model.version)):
        rivals.append(champion)
    return rivals


def judged_examples(path: Path, taxonomy: Taxonomy) -> list[Example]:
    """Read the examples of a table that say anything a model can be judged by: hazards, a level, or both.

    Raises
    ------
    InputError
        If there is none, or as `models.sources.examples.read_examples` says.
    """
    from models.sources.examples import read_examples

    examples, _ = read_examples(path, taxonomy, labelled=False)
    judged = [example for example in examples if example.labels is not None or example.risk_level is not None]
    if not judged:
        raise InputError(
            "no row has labels or a risk level", place=str(path), hint="add a column 'labels' or 'risk_level'"
        )
    return judged


def _summary(result: TrainResult) -> str:
    headline = result.evaluation.metrics["headline"]
    figures = {
        "mAP": headline["hazards"]["map"],
        "macro-F1": headline["hazards"]["macro_f1"],
        "top-1": headline["hazards"]["top1"],
        "AUROC of high or serious": headline["levels"]["auroc"],
    }
    shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if value is not None)
    lines = [
        f"model {result.version} in {result.directory}, report in {result.papers}",
        f"on {headline['n']:,} held-out {_HELD_OUT[result.evaluated_on]}: {shown}",
    ]
    if result.registered:
        lines.append(f"registered {result.registered}")
    return "\n".join(lines)


_HELD_OUT = {
    "examples": "examples, the latest of those given",
    "corpus": "listings written from the knowledge base (a check of the works, not of their worth on real listings)",
}

"""The encoder of a model: as it comes, shorter, or fine-tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.classifier.encoder import OnnxEncoder
from models.classifier.fitting import HazardSample
from models.classifier.reading import ReadListing
from models.domain.taxonomy import Taxonomy
from training.encoder_export import ExportedEncoder, export_encoder
from training.encoder_layers import shortening
from training.finetuning import FinetuneTexts, HazardTexts, finetune, has_gpu
from training.settings import TrainSettings
from training.training_data import Progress, Written


@dataclass(frozen=True)
class ChosenEncoder:
    """What reads listings.

    Parameters
    ----------
    original : OnnxEncoder, optional
        Of a fine-tuned one: the encoder before that.
    """

    encoder: OnnxEncoder
    exported: ExportedEncoder
    original: OnnxEncoder | None = None


def choose_encoder(
    settings: TrainSettings,
    taxonomy: Taxonomy,
    labelled: bool,
    examples: Sequence[HazardSample],
    written: Written,
    offered: Sequence[ReadListing],
    report: Progress,
) -> ChosenEncoder:
    """Make the encoder that the settings ask for.

    Parameters
    ----------
    labelled : bool
        There are tables of examples: without them nothing is fine-tuned.
    examples, written, offered : sequence of HazardSample, Written, sequence of ReadListing
        What is learnt from: fine-tuning needs the first two, a shorter encoder the texts of all.

    Raises
    ------
    InputError
        As `training.encoder_export.export_encoder` says.
    """
    finetunes = labelled and (settings.finetune == "on" or (settings.finetune == "auto" and has_gpu()))
    shorter = shortening(
        settings.layers,
        settings.encoder,
        finetunes,
        [sample.read for sample in written.kinds],
        [*(sample.read for sample in examples), *offered],
        settings.max_tokens,
    )
    name, original = settings.encoder, None
    if finetunes:
        name = str(_finetuned(settings, taxonomy, examples, written, report))
        untaught = export_encoder(settings.encoder, settings.precision, shortening=shorter)
        original = untaught.load(settings.max_tokens)
    report("exporting the encoder", 0, 1)
    exported = export_encoder(name, settings.precision, shortening=shorter)
    return ChosenEncoder(exported.load(settings.max_tokens), exported, original)


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

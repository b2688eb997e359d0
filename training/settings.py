"""What a training is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from models.classifier.fit_settings import FitSettings
from models.domain.errors import InputError
from training.encoder_export import EMBEDDED, Precision
from training.encoder_layers import Layers
from training.finetuning import FinetuneSettings

_FEWEST_HELD_OUT = 25


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

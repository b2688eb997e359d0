"""Fine-tuning of the encoder: hazards of real alerts, and the same product near itself in every style and language.

Three objectives share each step: binary cross-entropy of the hazards on alerts, over the mean token vector; the same on
corpus listings of unsafe products, which know hazards that few alerts name; and a contrastive term on pairs of corpus
listings of one product kind in different styles or languages (multiple-negatives ranking: Henderson et al. 2017,
"Efficient natural language response suggestion for Smart Reply"), which keeps the knowledge of product kinds that the
alerts alone would wash out. Word vectors stay as they are: with a few thousand texts they only forget, and they are
half of the parameters.

The result is a mean of the weights before and after (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"):
later alerts are not quite like those that were learnt from, and the mean bears that better than either.
"""

from __future__ import annotations

import hashlib
import logging
import random
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from models.domain.resources import cache_dir
from training.encoder_export import load_sentence_transformer

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], object]

_LEAST_RATE = 0.02
_RECIPE = 5
"""Raised with every change of the recipe that the settings do not show: no older result is taken for a newer one."""


@dataclass(frozen=True)
class FinetuneSettings:
    """How to fine-tune.

    Parameters
    ----------
    epochs : int
        On the training part, at most: it stops earlier when the validation part no longer gets better.
    finishing_epochs : int
        Then on training and validation part together: the latest alerts teach most about those to come.
    batch, written, pairs : int
        Alerts, corpus listings of unsafe products, and pairs of corpus listings in a step.
    learning_rate : float
        Of the encoder at its peak; the hazard head learns ten times as fast. It falls to almost nothing over the
        epochs on the training part, and again, from `finishing_rate` of the peak, over the finishing ones.
    corpus, contrast : float
        Weights of the corpus listings' hazards and of the contrastive term.
    kept : float
        Share (0 to 1) of the weights as they came in the weights of the result.
    minutes : float
        As many epochs on the training part, of those that are wanted, as end within it together with the finishing
        ones. One is done in any case, and its time is the measure of the others'.
    """

    epochs: int = 3
    finishing_epochs: int = 1
    batch: int = 32
    written: int = 16
    pairs: int = 8
    learning_rate: float = 3e-4
    finishing_rate: float = 0.3
    warm_up: float = 0.1
    weight_decay: float = 0.01
    corpus: float = 1.0
    contrast: float = 0.3
    scale: float = 20.0
    kept: float = 0.2
    max_tokens: int = 96
    minutes: float = 12.0
    seed: int = 0


@dataclass(frozen=True)
class HazardTexts:
    """Texts of alerts with their hazards: `labels` of shape (n, risk types)."""

    texts: Sequence[str]
    labels: NDArray[np.bool_]


@dataclass(frozen=True)
class FinetuneTexts:
    """What the encoder is trained on and judged by.

    Parameters
    ----------
    train, validation : HazardTexts
        Alerts; those of the validation are later in time and choose the epoch, which only then learns from them too.
    kinds : sequence of (kind, text)
        Corpus listings.
    written : HazardTexts, optional
        Corpus listings of unsafe products.
    """

    train: HazardTexts
    validation: HazardTexts
    kinds: Sequence[tuple[str, str]]
    written: HazardTexts | None = None


def finetune(
    source: str,
    texts: FinetuneTexts,
    settings: FinetuneSettings | None = None,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> Path:
    """Fine-tune an encoder.

    Equal inputs are trained once: the result is cached under a hash of everything that shapes it, and a run that was
    cut off goes on from its last whole epoch.

    Parameters
    ----------
    source : str
        Name of the encoder, see `training.encoder_export.export_encoder`.

    Returns
    -------
    Path
        A sentence-transformers directory.
    """
    settings = settings or FinetuneSettings()
    key = _key(source, texts, settings)
    target = (cache or cache_dir()) / "finetuned" / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _Trainer(source, texts, settings, target, progress or (lambda _s, _d, _t: None)).run()
    return target


def has_gpu() -> bool:
    """Tell whether PyTorch sees a CUDA device."""
    import torch

    return bool(torch.cuda.is_available())


class _Trainer:
    def __init__(
        self,
        source: str,
        texts: FinetuneTexts,
        settings: FinetuneSettings,
        target: Path,
        progress: Progress,
    ) -> None:
        import torch

        torch.manual_seed(settings.seed)
        self.torch = torch
        self.settings, self.target, self.progress = settings, target, progress
        self.train, self.validation, self.written = texts.train, texts.validation, texts.written
        self.by_kind: dict[str, list[str]] = defaultdict(list)
        for kind, text in texts.kinds:
            self.by_kind[kind].append(text)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = load_sentence_transformer(source, self.device)
        self.encoder = self.model[0].auto_model
        self.encoder.get_input_embeddings().weight.requires_grad_(False)
        self.original = {name: value.clone() for name, value in self.encoder.state_dict().items()}
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, self.train.labels.shape[1]).to(self.device)
        share = self.train.labels.mean(axis=0).clip(1e-3, 1 - 1e-3)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor(np.log(share / (1 - share)), dtype=torch.float32))
            self.head.weight.mul_(0.1)
        self.everything = HazardTexts(
            [*self.train.texts, *self.validation.texts], np.concatenate([self.train.labels, self.validation.labels])
        )
        self.steps_per_epoch = -(-len(self.everything.texts) // settings.batch)
        self.total_steps = self.steps_per_epoch * (settings.epochs + settings.finishing_epochs)
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in self.encoder.parameters() if p.requires_grad], "lr": settings.learning_rate},
                {"params": self.head.parameters(), "lr": 10 * settings.learning_rate},
            ],
            weight_decay=settings.weight_decay,
        )
        self.epochs = settings.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: self._rate(step))

    def run(self) -> None:
        """Learn on the training part, go on from its best epoch on everything, and put the result in its place."""
        checkpoint = self.target.with_suffix(".checkpoint")
        epoch, best, finishing = self._resume(checkpoint)
        if not finishing:
            self._learn(checkpoint, epoch, best)
            self._restore(self.torch.load(checkpoint, map_location=self.device, weights_only=True))
            self._schedule_finish()
            self._save(checkpoint, 0, best, finishing=True)
            epoch = 0
        for done in range(epoch, self.settings.finishing_epochs):
            self._epoch(self.settings.epochs + done, self.everything)
            self._save(checkpoint, done + 1, best, finishing=True)
        self._write()
        checkpoint.unlink()

    def _learn(self, checkpoint: Path, epoch: int, best: float) -> None:
        """Train until the validation part no longer gets better; the checkpoint holds the best epoch."""
        while epoch < self.epochs:
            begun = time.monotonic()
            self._epoch(epoch, self.train)
            epoch += 1
            score = self._validate()
            log.info("epoch %d: mean average precision %.4f on the validation part", epoch, score)
            if epoch == 1:
                self._plan(time.monotonic() - begun)
            if score <= best:
                break
            best = score
            self._save(checkpoint, epoch, best, finishing=False)

    def _plan(self, seconds: float) -> None:
        """Plan as many epochs as there is time for, each as long as the first: the rate then falls over those."""
        affordable = int(60 * self.settings.minutes / seconds) - self.settings.finishing_epochs
        self.epochs = min(self.settings.epochs, max(1, affordable))
        if self.epochs < self.settings.epochs:
            log.info("no more than %d epochs on the training part: there is no time for more", self.epochs)

    def _rate(self, step: int) -> float:
        """Return the share of the peak learning rate at a step on the training part."""
        total = -(-len(self.train.texts) // self.settings.batch) * self.epochs
        warm = max(1, int(total * self.settings.warm_up))
        return min((step + 1) / warm, max(_LEAST_RATE, (total - step) / max(1, total - warm)))

    def _schedule_finish(self) -> None:
        """Let the learning rate fall to almost nothing once more, over the finishing epochs."""
        steps = max(1, self.steps_per_epoch * self.settings.finishing_epochs)
        for group in self.optimizer.param_groups:
            group["initial_lr"] *= self.settings.finishing_rate
        self.schedule = self.torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: max(_LEAST_RATE, 1.0 - step / steps)
        )

    def _write(self) -> None:
        """Write the encoder with the mean of its weights and the original ones."""
        own, kept = self.encoder.state_dict(), self.settings.kept
        floating = {name: value for name, value in own.items() if value.is_floating_point()}
        mean = {name: self.torch.lerp(value, self.original[name], kept) for name, value in floating.items()}
        self.encoder.load_state_dict({**own, **mean})
        staging = Path(tempfile.mkdtemp(dir=self.target.parent))
        try:
            self.model.save(str(staging))
            staging.rename(self.target)
        finally:
            if staging.exists():
                shutil.rmtree(staging)

    def _resume(self, checkpoint: Path) -> tuple[int, float, bool]:
        if not checkpoint.is_file():
            return 0, -1.0, False
        state = self.torch.load(checkpoint, map_location=self.device, weights_only=True)
        self.epochs = int(state["epochs"])
        if state["finishing"]:
            self._schedule_finish()
        self._restore(state)
        log.info("fine-tuning goes on after epoch %d", state["epoch"])
        return int(state["epoch"]), float(state["best"]), bool(state["finishing"])

    def _restore(self, state: Any) -> None:
        self.encoder.load_state_dict(state["encoder"])
        self.head.load_state_dict(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])

    def _save(self, checkpoint: Path, epoch: int, best: float, *, finishing: bool) -> None:
        partial = checkpoint.with_suffix(".part")
        self.torch.save(
            {
                "epoch": epoch,
                "epochs": self.epochs,
                "best": best,
                "finishing": finishing,
                "encoder": self.encoder.state_dict(),
                "head": self.head.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
            },
            partial,
        )
        partial.replace(checkpoint)

    def _epoch(self, epoch: int, part: HazardTexts) -> None:
        torch, settings = self.torch, self.settings
        self.encoder.train()
        generator = random.Random(settings.seed * 1000 + epoch)
        pairs = self._pairs(generator)
        for step, rows in enumerate(_length_buckets(part.texts, settings.batch, generator)):
            self.optimizer.zero_grad(set_to_none=True)
            with torch.autocast(self.device, dtype=torch.bfloat16):
                loss = self._hazard_loss(part, rows)
                if settings.corpus and self.written is not None:
                    drawn = generator.sample(
                        range(len(self.written.texts)), min(settings.written, len(self.written.texts))
                    )
                    loss = loss + settings.corpus * self._hazard_loss(self.written, drawn)
                if settings.contrast and self.by_kind:
                    loss = loss + settings.contrast * self._contrast([next(pairs) for _ in range(settings.pairs)])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
            self.optimizer.step()
            self.schedule.step()
            if step % 10 == 0:
                self.progress("fine-tuning", epoch * self.steps_per_epoch + step, self.total_steps)

    def _hazard_loss(self, part: HazardTexts, rows: list[int]) -> Any:
        """Return the cross-entropy of all risk types, summed, of a text."""
        logits = self.head(self._pooled([part.texts[i] for i in rows]).float()).float()
        target = self.torch.tensor(part.labels[rows], dtype=self.torch.float32, device=self.device)
        loss = self.torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return loss.sum(1).mean()

    def _contrast(self, pairs: list[tuple[str, str]]) -> Any:
        torch = self.torch
        vectors = torch.nn.functional.normalize(
            self._pooled([a for a, _ in pairs] + [b for _, b in pairs]).float(), dim=1
        )
        scores = vectors[: len(pairs)] @ vectors[len(pairs) :].T * self.settings.scale
        return torch.nn.functional.cross_entropy(scores, torch.arange(len(pairs), device=self.device))

    def _pooled(self, texts: list[str]) -> Any:
        batch = self.model.tokenizer(
            texts, padding=True, truncation=True, max_length=self.settings.max_tokens, return_tensors="pt"
        ).to(self.device)
        hidden = self.encoder(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1)

    def _pairs(self, generator: random.Random) -> Iterator[tuple[str, str]]:
        """Yield pairs of one kind, kinds drawn without repetition until all were drawn, so that negatives are real."""
        kinds = sorted(kind for kind, texts in self.by_kind.items() if len(texts) > 1)
        while kinds:
            for kind in generator.sample(kinds, len(kinds)):
                first, second = generator.sample(self.by_kind[kind], 2)
                yield first, second

    def _validate(self) -> float:
        torch = self.torch
        self.encoder.eval()
        scores: NDArray[np.float64] = np.zeros(self.validation.labels.shape)
        order = sorted(range(len(self.validation.texts)), key=lambda i: len(self.validation.texts[i]))
        with torch.no_grad(), torch.autocast(self.device, dtype=torch.bfloat16):
            for start in range(0, len(order), 64):
                rows = order[start : start + 64]
                pooled = self._pooled([self.validation.texts[i] for i in rows])
                scores[rows] = self.head(pooled.float()).float().cpu().numpy()
        counted = [j for j in range(scores.shape[1]) if self.validation.labels[:, j].sum() >= 3]
        return float(np.mean([average_precision_score(self.validation.labels[:, j], scores[:, j]) for j in counted]))


def _length_buckets(texts: Sequence[str], batch: int, generator: random.Random) -> Iterator[list[int]]:
    """Yield batches of texts of like length, the batches in random order: little padding, no order to learn."""
    rows = list(range(len(texts)))
    generator.shuffle(rows)
    window = batch * 16
    batches: list[list[int]] = []
    for start in range(0, len(rows), window):
        part = sorted(rows[start : start + window], key=lambda i: len(texts[i]))
        batches += [part[i : i + batch] for i in range(0, len(part), batch)]
    generator.shuffle(batches)
    yield from batches


def _key(source: str, texts: FinetuneTexts, settings: FinetuneSettings) -> str:
    digest = hashlib.sha256(orjson.dumps([_RECIPE, source, asdict(settings)]))
    for part in (texts.train, texts.validation, texts.written):
        if part is not None:
            digest.update(orjson.dumps(list(part.texts)))
            digest.update(part.labels.tobytes())
    digest.update(orjson.dumps([[kind, text] for kind, text in texts.kinds]))
    return digest.hexdigest()[:16]

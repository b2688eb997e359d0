"""Who a model is compared with: baselines of the same training examples, and the registry's current champion."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from models.classifier.classifier import HazardClassifier
from models.classifier.encoder import OnnxEncoder
from models.domain.alert import Example
from models.domain.errors import ArtifactError
from models.domain.taxonomy import Taxonomy
from training.baselines import Baseline, Progress, train_baselines
from training.deduplication import near_duplicate_groups, product_text
from training.encoder_export import EMBEDDED, Precision, export_encoder
from training.mlflow_store import MODEL_NAME, opened, store_exists
from training.registry import CHAMPION, alias_holder, resolve_model
from training.splits import product_groups, time_key

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rival:
    """A model to compare with, or the reason why it cannot be.

    Parameters
    ----------
    missing : str
        Why there is no model; empty where there is one.
    """

    name: str
    about: str
    model: HazardClassifier | Baseline | None = None
    levels: bool = True
    missing: str = ""


def as_rivals(baselines: Sequence[Baseline]) -> list[Rival]:
    """Return baselines as rivals."""
    return [Rival(b.name, b.about, b, b.knows_levels) for b in baselines]


def training_rivals(
    learnt_from: Sequence[Example],
    test: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: OnnxEncoder,
    registry: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Rival]:
    """Return whom a newly trained model is compared with.

    Parameters
    ----------
    learnt_from : sequence of Example
        Baselines are trained on these; empty for a model of the knowledge base alone, which gets none.
    encoder : OnnxEncoder
        One that has seen none of the labels.
    registry : bool
        Also look for a champion in the registry.
    """
    rivals = as_rivals(train_baselines(learnt_from, taxonomy, encoder, seed=seed, progress=progress))
    champion = champion_rival(taxonomy, test) if registry else None
    return [*rivals, *([champion] if champion else [])]


def frozen_encoder(name: str = EMBEDDED, precision: Precision = "int8", max_tokens: int = 128) -> OnnxEncoder:
    """Return an encoder as it comes, which has seen no label."""
    return export_encoder(name, precision).load(max_tokens)


def champion_rival(
    taxonomy: Taxonomy, test: Sequence[Example], own_version: str = "", tracking_uri: str | None = None
) -> Rival | None:
    """Return the registry's champion; None where there is no registry, no champion, or it is the model itself.

    Parameters
    ----------
    test : sequence of Example
        What both are judged on: the champion's training may reach into their days, which is said.
    own_version : str
        Artifact version of the model that is evaluated, where it has one.
    """
    if not store_exists(tracking_uri):
        return None
    with opened(tracking_uri) as store:
        holder = alias_holder(store, CHAMPION)
    if holder is None:
        return None
    about = f"version {holder} of the registry"
    try:
        model = HazardClassifier.load(resolve_model(f"models:/{MODEL_NAME}/{holder}", tracking_uri))
    except ArtifactError as error:
        log.warning("the champion cannot be compared with: %s", error)
        return Rival(CHAMPION, about, missing=f"it could not be loaded: {error}")
    if model.version == own_version:
        return None
    if model.taxonomy.names != taxonomy.names:
        return Rival(CHAMPION, about, missing=f"it has another label set, {model.taxonomy.id}")
    return Rival(CHAMPION, f"{about}, artifact {model.version}{_seen(model, test)}", model)


def apart_from(examples: Sequence[Example], test: Sequence[Example]) -> list[Example]:
    """Return the examples of whose product (equal id, or nearly equal text) none stands in the test part."""
    both = [*examples, *test]
    groups = product_groups(both, near_duplicate_groups([product_text(example) for example in both]))
    tested = set(groups[len(examples) :].tolist())
    return [example for example, group in zip(examples, groups.tolist(), strict=False) if group not in tested]


def _seen(model: HazardClassifier, test: Sequence[Example]) -> str:
    """Say whether the champion may have been trained on some of the test examples."""
    span = (model.manifest.facts if model.manifest else {}).get("training", {}).get("split", {}).get("span", {})
    last = max((days[1] for part, days in span.items() if part != "test"), default="")
    days = [key[0] for example in test if (key := time_key(example)) is not None]
    first = dt.date.fromordinal(min(days)).isoformat() if days else ""
    if last and first and last >= first:
        return f"; its training reaches to {last}, so it may have seen some of these examples"
    return ""

"""Which layers of the encoder a training keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from models.classifier.reading import ReadListing
from models.domain.errors import InputError
from training.encoder_export import EMBEDDED, Shortening

Layers = tuple[int, ...] | Literal["auto", "all"]

_ENOUGH = (0, 4, 5)
"""Of the six of the embedded encoder: with them a model predicts as well as with all (tests/benchmarks/README.md)."""
_TEXTS = 3_000
"""Written ones that the maps are fitted on, and real ones where there are any; a few more as they do not divide."""
_FEWEST = 2_000
"""A map has 150,000 numbers: from fewer texts it would not be known which layers it may stand for."""


def parse_layers(said: str) -> Layers:
    """Read the command line's way to name layers.

    Raises
    ------
    InputError
        If it is neither ``auto`` nor ``all`` nor whole numbers with commas between them.
    """
    if said == "auto":
        return "auto"
    if said == "all":
        return "all"
    try:
        return tuple(int(number) for number in said.split(","))
    except ValueError:
        hint = "auto, all, or the layers to keep, as in 0,4,5"
        raise InputError(f"layers {said!r}", place="--layers", hint=hint) from None


def shortening(
    layers: Layers,
    encoder: str,
    finetuned: bool,
    written: Sequence[ReadListing],
    real: Sequence[ReadListing],
    max_tokens: int,
) -> Shortening | None:
    """Return the layers that are kept, with the texts that stand-ins of the others are fitted on; None for all layers.

    Parameters
    ----------
    encoder : str
        As `training.encoder_export.export_encoder` takes it: with ``auto`` the embedded one is shortened, where it is
        not fine-tuned and there are some thousand texts.
    written, real : sequence of ReadListing
        Listings that are learnt from, of the corpus and of the given tables.
    """
    texts = [listing.text.text for part in (written, real) for listing in part[:: max(1, len(part) // _TEXTS)]]
    if layers == "auto":
        layers = _ENOUGH if encoder == EMBEDDED and not finetuned and len(texts) >= _FEWEST else "all"
    return None if layers == "all" else Shortening(layers, texts, max_tokens)

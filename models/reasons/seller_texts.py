"""What to tell the seller, in the seller's language: what was decided, why, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.domain.resources import datasets_dir
from models.knowledge.translated_texts import FALLBACK, TranslatedTexts, load_translated

GROUPS = ("actions", "obligations", "reasons", "closing", "hazards")
SellerTexts = TranslatedTexts

__all__ = ["FALLBACK", "GROUPS", "SellerTexts", "load_seller_texts"]


def load_seller_texts(directory: Path | None = None) -> Mapping[str, SellerTexts]:
    """Read every language; without a directory, those that ship.

    Raises
    ------
    InputError
        For the first problem, with file, line and mend.
    """
    return load_translated(directory or datasets_dir() / "seller_texts", GROUPS)

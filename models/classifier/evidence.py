"""Known items near a listing: official alerts, reviewed listings, or, without either, written ones.

The search is exact: one product of all vectors with that of the listing. A hundred thousand items of 384 numbers take
150 MB and some tens of milliseconds. Of an item only what a reviewer needs to look it up is kept: title, reference,
link, labels; never its text.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from models.domain.errors import ArtifactError
from models.domain.risk import RiskLevel

VECTORS, ITEMS = "evidence.npz", "evidence.jsonl"
"""Files of the artifact."""

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EvidenceItem:
    """A known item.

    Parameters
    ----------
    type : str
        ``alert``: an official notice. ``review``: a listing that a person decided on. ``written``: a listing written
        from the knowledge base.
    reference, url : str
        Official number and link.
    labels : tuple of str
        Risk types; empty for an item known to have none.
    kind : str
        Product kind of the knowledge base, as the model sees it.
    """

    type: Literal["alert", "review", "written"]
    reference: str
    title: str
    labels: tuple[str, ...] = ()
    risk_level: RiskLevel | None = None
    kind: str = ""
    url: str = ""
    source: str = ""

    @property
    def harmless(self) -> bool:
        """True where it is known to have no hazard to speak of."""
        return not self.labels or self.risk_level in (RiskLevel.NONE, RiskLevel.LOW)


@dataclass(frozen=True)
class _Layer:
    """Some items as they are searched; never changed, only replaced."""

    items: tuple[EvidenceItem, ...]
    vectors: Vectors
    masks: dict[str | None, Mask] = field(default_factory=dict)

    def standing_for(self, label: str | None) -> Mask:
        """Return which items stand for a label; looked up once, as a loop over a hundred thousand takes longer than
        the search.
        """
        mask = self.masks.get(label)
        if mask is None:
            mask = np.fromiter((_stands_for(item, label) for item in self.items), dtype=bool, count=len(self.items))
            self.masks[label] = mask
        return mask


class EvidenceIndex:
    """Exact search over items; others can be added while it is searched.

    Parameters
    ----------
    items : sequence of EvidenceItem
    vectors : array of shape (items, dimension)
        Unit embeddings.
    """

    def __init__(self, items: Sequence[EvidenceItem] = (), vectors: Vectors | None = None) -> None:
        self._stored = _Layer(tuple(items), _matrix(vectors, len(items)))
        self._added = _Layer((), _matrix(None, 0))
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored.items) + len(self._added.items)

    def add(self, items: Sequence[EvidenceItem], vectors: Vectors) -> None:
        """Add items at run time; one of the same type and reference as an added one takes its place."""
        new = {(item.type, item.reference): row for row, item in enumerate(items)}
        with self._lock:
            old = self._added
            kept = [i for i, item in enumerate(old.items) if (item.type, item.reference) not in new]
            rows = sorted(new.values())
            chosen = (*(old.items[i] for i in kept), *(items[row] for row in rows))
            parts = [part for part in (old.vectors[kept], _matrix(vectors, len(items))[rows]) if len(part)]
            self._added = _Layer(chosen, np.concatenate(parts) if parts else old.vectors)

    def nearest(
        self, vector: Vectors, label: str | None, most: int = 3
    ) -> tuple[list[tuple[EvidenceItem, float]], list[tuple[EvidenceItem, float]]]:
        """Return the nearest items that have a hazard, and the nearest that are known without it, with similarities.

        Parameters
        ----------
        vector : array of shape (dimension,)
            Of length 1.
        label : str or None
            Risk type. None asks about "no hazard": first items without any, then items with one.
        """
        found: list[tuple[EvidenceItem, float, bool]] = []
        for layer in (self._stored, self._added):
            if not layer.items:
                continue
            similarities = layer.vectors @ vector
            mask = layer.standing_for(label)
            for side in (True, False):
                rows = _best(np.where(mask == side, similarities, -np.inf), most)
                found += [(layer.items[i], float(similarities[i]), side) for i in rows if mask[i] == side]
        found.sort(key=lambda entry: (-entry[1], entry[0].reference))
        return (
            [(item, similarity) for item, similarity, side in found if side][:most],
            [(item, similarity) for item, similarity, side in found if not side][:most],
        )

    def files(self) -> dict[str, bytes]:
        """Return the stored items as files of an artifact; none for an empty index."""
        if not self._stored.items:
            return {}
        buffer = BytesIO()
        np.savez(buffer, vectors=self._stored.vectors.astype(np.float16))
        lines = b"".join(
            orjson.dumps({k: v for k, v in item.__dict__.items() if v}, option=orjson.OPT_APPEND_NEWLINE)
            for item in self._stored.items
        )
        return {VECTORS: buffer.getvalue(), ITEMS: lines}

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the index of an artifact.

        Raises
        ------
        ArtifactError
            If a file is missing, or vectors and items do not fit together.
        """
        missing = [name for name in (ITEMS, VECTORS) if not (directory / name).is_file()]
        if missing:
            raise ArtifactError(f"file {missing[0]} is missing", place=str(directory), hint="train it again")
        items = [_item(line) for line in (directory / ITEMS).read_bytes().splitlines()]
        with np.load(directory / VECTORS, allow_pickle=False) as arrays:
            vectors = arrays["vectors"].astype(np.float32)
        if len(items) != len(vectors):
            raise ArtifactError(
                f"{len(items)} items and {len(vectors)} vectors", place=str(directory / ITEMS), hint="train it again"
            )
        return cls(items, vectors)


def _item(line: bytes) -> EvidenceItem:
    raw = orjson.loads(line)
    level = raw.get("risk_level")
    changes = {"labels": tuple(raw.get("labels", ())), "risk_level": RiskLevel(level) if level else None}
    return EvidenceItem(**{"reference": "", "title": "", **raw, **changes})


def _matrix(vectors: Vectors | None, n: int) -> Vectors:
    if vectors is None:
        return np.zeros((0, 0), dtype=np.float32)
    if vectors.shape[0] != n:
        raise ValueError(f"{n} items and {vectors.shape[0]} vectors")
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _stands_for(item: EvidenceItem, label: str | None) -> bool:
    if label is None:
        return item.harmless
    return label in item.labels and item.risk_level not in (RiskLevel.NONE, RiskLevel.LOW)


def _best(values: Vectors, most: int) -> list[int]:
    if len(values) > most:
        rows = np.argpartition(-values, most)[:most]
        rows = rows[np.argsort(-values[rows], kind="stable")]
    else:
        rows = np.argsort(-values, kind="stable")
    return [int(row) for row in rows]

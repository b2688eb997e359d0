"""What an artifact keeps of a classifier: written from its parts, and read into them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.classifier.artifact import pack_arrays, read_manifest, unpack_arrays
from models.classifier.composing import Boilerplate
from models.classifier.encoder import OnnxEncoder
from models.classifier.evidence import ITEMS, EvidenceIndex
from models.classifier.golden import GOLDEN, Golden
from models.classifier.heads import BetaCalibration, Calibration, LinearHeads
from models.classifier.kind_model import KindModel
from models.classifier.settings import Settings
from models.classifier.sparse import SparseFeatures
from models.domain.errors import ArtifactError
from models.domain.guarantee import Guarantee
from models.domain.taxonomy import parse_taxonomy
from models.knowledge.base import shared_knowledge
from models.screening.screen import SCREEN, SCREEN_ARRAYS, Screen

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier

_GRAPH, _TOKENIZER, _ARRAYS, _PARTS = "encoder.onnx", "tokenizer.json", "arrays.npz", "parts.json"
_KNOWLEDGE = "knowledge.json"


def encoder_files_in(directory: Path) -> dict[str, Path]:
    """Return the encoder's files, which lie in a directory, by their names in an artifact."""
    return {name: directory / name for name in (_GRAPH, _TOKENIZER)}


def files_of(model: HazardClassifier) -> dict[str, bytes]:
    """Return the files of an artifact apart from the encoder's."""
    parts = {
        "taxonomy": model.taxonomy_source,
        "boilerplate": model.boilerplate.patterns,
        "settings": model.settings.__dict__,
        "sparse": list(model.sparse.columns),
        "kind_temperature": model.kind_model.temperature,
        "kind_name_bonus": model.kind_model.name_bonus,
        "kind_alike": model.kind_model.alike,
        "kind_unlike": model.kind_model.unlike,
        "guarantees": [guarantee.as_dict() for guarantee in model.guarantees],
    }
    arrays: dict[str, NDArray[Any]] = {
        "sparse_idf": model.sparse.idf,
        "kind_weights": model.kind_model.weights,
        "kind_bias": model.kind_model.bias,
        "kind_centroids": model.kind_model.centroids,
        "kind_background": model.kind_model.background,
        "kind_evidence": _market_evidence(model),
        "head_dense": model.heads.dense,
        "head_sparse": np.ascontiguousarray(model.heads.sparse),
        "head_knowledge": model.heads.knowledge,
        "head_bias": model.heads.bias,
        "calibration_slope": model.calibration.slope,
        "calibration_offset": model.calibration.offset,
        "unsafe_slope": np.array([model.unsafe_calibration.rising, model.unsafe_calibration.falling]),
        "unsafe_offset": np.array([model.unsafe_calibration.offset]),
        "thresholds": model.thresholds,
    }
    return {
        _ARRAYS: pack_arrays(arrays),
        _PARTS: orjson.dumps(parts),
        _KNOWLEDGE: model.knowledge.to_json(),
        **model.evidence.files(),
        **({GOLDEN: model.golden.to_json()} if model.golden else {}),
        **(model.screen.files() if model.screen is not None else {}),
    }


def _market_evidence(model: HazardClassifier) -> NDArray[np.float64]:
    return np.zeros(len(model.knowledge.kinds)) if model.market_evidence is None else model.market_evidence


def parts_in(root: Path, threads: int) -> dict[str, Any]:
    """Read the parts of a classifier from an artifact; its checksums are verified first.

    Returns
    -------
    dict
        What `HazardClassifier` is made of, by the names of its fields.

    Raises
    ------
    ArtifactError
        If the artifact is missing, half-written or altered.
    """
    manifest = read_manifest(root)
    missing = [name for name in (_GRAPH, _TOKENIZER, _ARRAYS, _PARTS, _KNOWLEDGE) if name not in manifest.files]
    if missing:
        raise ArtifactError(
            f"the manifest names no {missing[0]}", place=str(root), hint="this is no classifier; train one"
        )
    parts = orjson.loads((root / _PARTS).read_bytes())
    arrays = unpack_arrays(root / _ARRAYS)
    settings = Settings(**parts["settings"])
    return {
        "taxonomy": parse_taxonomy(parts["taxonomy"], place=str(root / _PARTS)),
        "knowledge": shared_knowledge((root / _KNOWLEDGE).read_bytes(), manifest.files[_KNOWLEDGE]),
        "boilerplate": Boilerplate(parts["boilerplate"]),
        "encoder": OnnxEncoder(root / _GRAPH, root / _TOKENIZER, settings.max_tokens, threads),
        "sparse": SparseFeatures({feature: i for i, feature in enumerate(parts["sparse"])}, arrays["sparse_idf"]),
        "kind_model": KindModel(
            arrays["kind_weights"],
            arrays["kind_bias"],
            arrays["kind_centroids"],
            arrays["kind_background"],
            parts["kind_alike"],
            parts["kind_unlike"],
            parts["kind_temperature"],
            parts["kind_name_bonus"],
        ),
        "heads": LinearHeads(
            arrays["head_dense"],
            np.asfortranarray(arrays["head_sparse"]),  # what it holds by features then, it need not hold twice
            arrays["head_knowledge"],
            arrays["head_bias"],
        ),
        "calibration": Calibration(arrays["calibration_slope"], arrays["calibration_offset"]),
        "thresholds": arrays["thresholds"],
        "settings": settings,
        "taxonomy_source": parts["taxonomy"],
        "guarantees": tuple(Guarantee.from_dict(raw) for raw in parts["guarantees"]),
        "market_evidence": arrays["kind_evidence"],
        # Artifacts of before have one slope for both ends.
        "unsafe_calibration": BetaCalibration(
            float(arrays["unsafe_slope"][0]), float(arrays["unsafe_slope"][-1]), float(arrays["unsafe_offset"][0])
        ),
        "manifest": manifest,
        "evidence": EvidenceIndex.load(root) if ITEMS in manifest.files else EvidenceIndex(),
        "golden": Golden.from_json((root / GOLDEN).read_bytes(), str(root / GOLDEN))
        if GOLDEN in manifest.files
        else Golden(),
        "screen": Screen.load(root) if {SCREEN, SCREEN_ARRAYS} <= set(manifest.files) else None,
    }


def read_guarantees(directory: Path | str) -> tuple[Guarantee, ...]:
    """Return the guarantees of an artifact, without loading the rest of it.

    Raises
    ------
    ArtifactError
        If the artifact is missing, half-written or altered.
    """
    root = Path(directory)
    read_manifest(root)
    parts = orjson.loads((root / _PARTS).read_bytes())
    return tuple(Guarantee.from_dict(raw) for raw in parts.get("guarantees", ()))

"""A peer's model, as a data scientist writes it in an afternoon: sentence-transformers and scikit-learn.

PEER_ENCODER names the directory of the encoder; the classifier is fitted at start on a file of JSON lines with `text`
and `labels`. `plain_endpoint` serves it by FastAPI; MLflow loads it by `_load_pyfunc`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer


class PlainModel:
    """Hazards of texts."""

    def __init__(self, examples: Path) -> None:
        rows = [json.loads(line) for line in examples.read_text(encoding="utf-8").splitlines()]
        self.encoder = SentenceTransformer(os.environ["PEER_ENCODER"], device="cpu")
        self.binarizer = MultiLabelBinarizer()
        labels = self.binarizer.fit_transform([row["labels"] for row in rows])
        self.classifier = OneVsRestClassifier(LogisticRegression(max_iter=1_000))
        self.classifier.fit(self.encoder.encode([row["text"] for row in rows]), labels)

    def hazards(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return the probability of each hazard, for each text."""
        scores = self.classifier.predict_proba(self.encoder.encode(list(texts)))
        return [dict(zip(self.binarizer.classes_, row.tolist(), strict=True)) for row in scores]

    def predict(self, table: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the hazards of a table of listings, as MLflow asks for them."""
        columns = ["title", "category", "brand", "captions", "description"]
        texts = [". ".join(part for part in row if part) for row in table[columns].itertuples(index=False, name=None)]
        return pd.DataFrame({"id": table["id"], "hazards": [json.dumps(row) for row in self.hazards(texts)]})


def _load_pyfunc(path: str) -> PlainModel:
    return PlainModel(Path(path))

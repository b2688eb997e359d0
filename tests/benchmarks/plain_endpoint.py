"""A peer, as a data scientist writes it in an afternoon: sentence-transformers and scikit-learn behind FastAPI.

Run by `serving_peers.py` as ``uvicorn plain_endpoint:app``. PEER_ENCODER names the directory of the encoder,
PEER_EXAMPLES a file of JSON lines with `text` and `labels`, on which the classifier is fitted at start.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer


class Listing(BaseModel):
    """A listing."""

    id: str
    title: str
    description: str = ""
    category: str = ""
    brand: str = ""
    captions: list[str] = []


class Prediction(BaseModel):
    """Hazards of a listing."""

    id: str
    hazards: dict[str, float]


def text_of(listing: Listing) -> str:
    """Return what the encoder reads."""
    parts = [listing.title, listing.category, listing.brand, *listing.captions, listing.description]
    return ". ".join(part for part in parts if part)


encoder = SentenceTransformer(os.environ["PEER_ENCODER"], device="cpu")
examples = [json.loads(line) for line in Path(os.environ["PEER_EXAMPLES"]).read_text(encoding="utf-8").splitlines()]
binarizer = MultiLabelBinarizer()
labels = binarizer.fit_transform([example["labels"] for example in examples])
classifier = OneVsRestClassifier(LogisticRegression(max_iter=1_000))
classifier.fit(encoder.encode([example["text"] for example in examples]), labels)
app = FastAPI()


@app.post("/predict")
def predict(listings: list[Listing]) -> list[Prediction]:
    """Return the hazards of some listings."""
    vectors = encoder.encode([text_of(listing) for listing in listings])
    scores = classifier.predict_proba(vectors)
    return [
        Prediction(id=listing.id, hazards=dict(zip(binarizer.classes_, row.tolist(), strict=True)))
        for listing, row in zip(listings, scores, strict=True)
    ]

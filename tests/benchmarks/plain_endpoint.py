"""A peer: the plain model in a plain FastAPI endpoint.

Run by `serving_peers.py` as ``uvicorn plain_endpoint:app``, with PEER_ENCODER and PEER_EXAMPLES; see `plain_model`.
"""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI
from plain_model import PlainModel
from pydantic import BaseModel


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


model = PlainModel(Path(os.environ["PEER_EXAMPLES"]))
app = FastAPI()


@app.post("/predict")
def predict(listings: list[Listing]) -> list[Prediction]:
    """Return the hazards of some listings."""
    found = model.hazards([text_of(listing) for listing in listings])
    return [Prediction(id=listing.id, hazards=row) for listing, row in zip(listings, found, strict=True)]

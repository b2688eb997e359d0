"""The screen: which listings of a long list need the whole model.

It skims a listing, takes the mean of static vectors for the encoder's, and asks the kinds and scenarios of the model
itself how likely a high or serious risk is; a score weighs what they say (`models.screening.score`). Below a threshold
that was chosen by risk control (`training.screening`) its answer stands; everything else goes to the whole model. It
never holds a listing and never asks for anything: what the plan would not let pass is for the whole model too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from models.classifier.artifact import pack_arrays, unpack_arrays
from models.classifier.composing import ComposedText
from models.classifier.encoder import OnnxEncoder, Vector
from models.classifier.kind_model import KindModel
from models.classifier.language import Detected, LanguageDetector
from models.classifier.reading import ReadListing
from models.classifier.scenarios import CueFact, KindRisks, ScenarioModel
from models.domain.errors import ArtifactError
from models.domain.guarantee import Guarantee
from models.domain.listing import Listing
from models.screening.score import FEATURES, ScreenScore, features
from models.screening.skimming import Skimmed, Skimmer
from models.screening.static_encoder import StaticEncoder

Array = NDArray[np.float64]

SCREEN, SCREEN_ARRAYS = "screen.json", "screen.npz"
_TITLE_STRENGTH, _BODY_STRENGTH = 1.0, 0.4
"""Of a kind's name, by where it stands; the whole model weighs fields alike."""


@dataclass(frozen=True)
class SourceLoss:
    """What one table of the calibration lost.

    Parameters
    ----------
    n, positives, lost : int
        Listings, those that the whole model calls high or serious, and those of them that are screened.
    screened : int
        Listings that are screened.
    """

    name: str
    n: int
    positives: int
    lost: int
    screened: int


@dataclass(frozen=True)
class Screen:
    """What an artifact keeps of its screen.

    Parameters
    ----------
    guarantee : Guarantee
        Listings with a score below its threshold are screened; without a threshold nothing is.
    sources : tuple of SourceLoss
        How it did on each table that it was calibrated on.
    why_not : str
        Why there is no threshold; empty where there is one.
    """

    encoder: StaticEncoder
    score: ScreenScore
    guarantee: Guarantee
    sources: tuple[SourceLoss, ...] = ()
    why_not: str = ""

    def files(self) -> dict[str, bytes]:
        """Return the files of the artifact."""
        about = {
            "guarantee": self.guarantee.as_dict(),
            "sources": [vars(source) for source in self.sources],
            "why_not": self.why_not,
            "score": {
                "bias": self.score.bias,
                "features": [
                    {"name": name, "mean": float(mean), "scale": float(scale), "weight": float(weight)}
                    for name, mean, scale, weight in zip(
                        FEATURES, self.score.mean, self.score.scale, self.score.weights, strict=True
                    )
                ],
            },
        }
        arrays: dict[str, NDArray[Any]] = {"whole": self.encoder.whole, "scale": self.encoder.scale}
        return {SCREEN: orjson.dumps(about), SCREEN_ARRAYS: pack_arrays(arrays)}

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the files of an artifact.

        Raises
        ------
        ArtifactError
            If they hold something else.
        """
        try:
            raw, arrays = orjson.loads((directory / SCREEN).read_bytes()), unpack_arrays(directory / SCREEN_ARRAYS)
            return cls(
                StaticEncoder(arrays["whole"], arrays["scale"]),
                _score(raw["score"]),
                Guarantee.from_dict(raw["guarantee"]),
                tuple(SourceLoss(**source) for source in raw["sources"]),
                raw["why_not"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            place = str(directory / SCREEN)
            raise ArtifactError(f"not readable as a screen: {error}", place=place, hint="make it again") from error


def _score(raw: dict[str, Any]) -> ScreenScore:
    """Read a score; `ValueError` where it is made of other features."""
    names = tuple(feature["name"] for feature in raw["features"])
    if names != FEATURES:
        raise ValueError("its score is made of other features")
    rows = np.array([[feature[key] for key in ("mean", "scale", "weight")] for feature in raw["features"]], float)
    return ScreenScore(rows[:, 0], rows[:, 1], rows[:, 2], float(raw["bias"]))


@dataclass(frozen=True)
class Screened:
    """What the screen makes of n listings.

    Parameters
    ----------
    read : list of ReadListing
        As far as they were skimmed: without findings.
    embeddings : array of shape (n, dimension)
    names : array of shape (n, kinds)
        Strength of each kind's names.
    risks : list of KindRisks
    features : array of shape (n, features)
        What the scores are made of.
    scores : array of shape (n,)
        How much speaks for a high or serious risk, 0 to 1.
    barred : array of bool, shape (n,)
        For the whole model, whatever the score is.
    """

    read: list[ReadListing]
    embeddings: Vector
    names: Array
    risks: list[KindRisks]
    features: Array
    scores: Array
    barred: NDArray[np.bool_]

    def below(self, threshold: float | None) -> NDArray[np.intp]:
        """Return the places of the listings that are screened."""
        return np.flatnonzero((self.scores < (threshold or 0.0)) & ~self.barred)

    def of(self, places: NDArray[np.intp]) -> Screened:
        """Return some of them."""
        return Screened(
            [self.read[i] for i in places],
            self.embeddings[places],
            self.names[places],
            [self.risks[i] for i in places],
            self.features[places],
            self.scores[places],
            self.barred[places],
        )


class Screener:
    """Screens listings for one model.

    Parameters
    ----------
    static : StaticEncoder
        Distilled from `encoder`, whose tokenizer it shares.
    score : ScreenScore
    """

    def __init__(
        self,
        static: StaticEncoder,
        encoder: OnnxEncoder,
        kind_model: KindModel,
        scenario_model: ScenarioModel,
        detector: LanguageDetector,
        skimmer: Skimmer,
        least_known_share: float,
        score: ScreenScore,
    ) -> None:
        self.kind_model, self.score = kind_model, score
        self.static, self.encoder = static, encoder
        self.scenario_model, self.detector = scenario_model, detector
        self.least_known_share = least_known_share
        self._skimmer = skimmer
        cues = scenario_model.knowledge.cues
        self._facts = [CueFact(cue.id, False) for cue in cues]
        self._aggravating = np.array([cue.effect == "aggravating" for cue in cues], dtype=bool)

    def screen(self, listings: Sequence[Listing]) -> Screened:
        """Skim listings and say how much speaks for a high or serious risk; one does not depend on the others."""
        skimmed = self._skimmer.skim(listings)
        embeddings = self.static.embed(self.encoder.tokens(skimmed.texts))
        names = _name_strengths(skimmed)
        risks = [self.scenario_model.risks(self._facts[j] for j in np.flatnonzero(row)) for row in skimmed.cues]
        found = features(self.kind_model, skimmed, embeddings, names, risks)
        return Screened(
            [self._read(listing, skimmed, i) for i, listing in enumerate(listings)],
            embeddings,
            names,
            risks,
            found,
            self.score.of(found),
            self._barred(listings, skimmed),
        )

    def _read(self, listing: Listing, skimmed: Skimmed, row: int) -> ReadListing:
        share = float(skimmed.known_share[row])
        # Obligations ask what languages the warnings are in: these are told as the whole model tells them.
        languages = {
            f"warnings[{i}]": self.detector.detect(text, listing.language).code
            for i, text in enumerate(listing.warnings)
            if text
        }
        text = ComposedText(skimmed.texts[row], (), {}, 1.0 if skimmed.languages[row] == "en" else share)
        return ReadListing(listing, Detected(skimmed.languages[row], share), text, languages)

    def _barred(self, listings: Sequence[Listing], skimmed: Skimmed) -> NDArray[np.bool_]:
        """Return which listings are not for the screen.

        Those of which it reads too little, those with a cue that makes a product more dangerous, and those with a mark
        on a picture: rules of plans look at cues and marks together, and the screen does not read them as the model
        does.
        """
        english = np.array([code == "en" for code in skimmed.languages], dtype=bool)
        unread = (skimmed.known_share < self.least_known_share) & ~english
        empty = np.array([not text.strip() for text in skimmed.texts], dtype=bool)
        marked = np.array([any(caption.mark for caption in listing.captions) for listing in listings], dtype=bool)
        barred: NDArray[np.bool_] = unread | empty | marked | skimmed.cues[:, self._aggravating].any(axis=1)
        return barred


def _name_strengths(skimmed: Skimmed) -> Array:
    strength = np.where(skimmed.titled, _TITLE_STRENGTH, _BODY_STRENGTH) * skimmed.named
    shared: Array = strength / np.sqrt(np.maximum(1, skimmed.named.sum(axis=1, keepdims=True)))
    return shared

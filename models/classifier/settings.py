"""The numbers that a classifier was made with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a model was made with and needs again when it is used.

    Parameters
    ----------
    max_tokens : int
        Longest text the encoder reads.
    gloss : bool
        Whether text in other languages reaches the encoder in English words.
    least_known_share : float
        Below this share of known letters the model abstains: it has not read the listing.
    least_familiarity : float
        Below this familiarity (see `KindJudgement`) it abstains: it has learnt nothing of the kind. About one in a
        hundred ordinary listings lies below.
    spread : float
        See `ScenarioModel`.
    prior_unsafe : float
        Stated share of unsafe offers among all, 0 to 1, under which P(unsafe) is calibrated; by default what the
        knowledge base implies for an ordinary mix of offers.
    """

    max_tokens: int = 128
    gloss: bool = True
    least_known_share: float = 0.25
    least_familiarity: float = 0.1
    spread: float = 0.8
    prior_unsafe: float = 0.08

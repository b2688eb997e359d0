"""A threshold that was chosen with a finite-sample guarantee: what a plan refers to and an authority reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from models.domain.errors import InputError


@dataclass(frozen=True)
class Guarantee:
    """A threshold on a score of the assessment, and what is promised of it.

    Parameters
    ----------
    id : str
        Name by which plans refer to it, such as ``recall-of-high-or-serious``.
    statement : str
        The promise in one English sentence.
    score : str
        Field of the assessment that is compared: ``risk_score`` or ``p_unsafe``.
    threshold : float or None
        Scores at or above it count as found; None where no threshold keeps the promise.
    target : float
        What the controlled figure reaches at least.
    confidence : float
        Probability, over calibration sets, that the promise holds (Angelopoulos et al. 2021, "Learn then test").
    n : int
        Size of the calibration set.
    positives : int
        Cases in it that must be found.
    calibrated_on : str
        Day (ISO 8601) of the newest calibration data, empty where unknown.
    source : str
        What the calibration set was.
    """

    id: str
    statement: str
    score: str
    threshold: float | None
    target: float
    confidence: float
    n: int
    positives: int
    calibrated_on: str
    source: str

    def as_dict(self) -> dict[str, Any]:
        """Return the guarantee for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Guarantee:
        """Read a guarantee back; unknown keys are refused.

        Raises
        ------
        InputError
            If a key is missing or unknown.
        """
        known = {f.name for f in fields(cls)}
        if set(raw) != known:
            odd = sorted(set(raw) ^ known)[0]
            raise InputError(
                f"guarantee has a missing or unknown key {odd!r}", hint=f"keys: {', '.join(sorted(known))}"
            )
        return cls(**raw)

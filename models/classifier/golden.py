"""Golden inputs: listings with the answers that the model gave when it was made, by which a loaded copy tests itself.

Checksums tell whether an artifact's files are whole. They do not tell whether the same files give the same answers
here: another processor, or another version of a library, may work out something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from models.domain.assessment import Assessment
from models.domain.errors import ArtifactError
from models.domain.listing import Listing

GOLDEN = "golden.json"
TOLERANCE = 0.1
"""Largest difference of a probability. Processors round int8 sums differently; a wrong model differs by more."""
_SHOWN = 3


@dataclass(frozen=True)
class GoldenCase:
    """A listing and what the model made of it.

    Parameters
    ----------
    probabilities : dict
        P(hazard | unsafe) by risk type, and P(level) by level.
    """

    listing: Listing
    probabilities: dict[str, float]

    @classmethod
    def of(cls, listing: Listing, assessment: Assessment) -> Self:
        """Take an answer as the right one."""
        return cls(listing, _probabilities(assessment))

    def strays(self, assessment: Assessment, tolerance: float) -> str:
        """Return where an answer differs from the right one by more than the tolerance, empty where nowhere."""
        found = _probabilities(assessment)
        if found.keys() != self.probabilities.keys():
            return f"listing {self.listing.id}: other risk types or levels"
        for name, right in self.probabilities.items():
            if not abs(found[name] - right) <= tolerance:  # NaN strays too
                return f"listing {self.listing.id}: {name} {found[name]:.3f} instead of {right:.3f}"
        return ""


@dataclass(frozen=True)
class Golden:
    """The golden inputs of one model."""

    cases: tuple[GoldenCase, ...] = ()
    tolerance: float = TOLERANCE

    def __len__(self) -> int:
        return len(self.cases)

    @classmethod
    def of(cls, listings: Iterable[Listing], assess: Callable[[Listing], Assessment]) -> Self:
        """Take a model's answers as the right ones."""
        return cls(tuple(GoldenCase.of(listing, assess(listing)) for listing in listings))

    def failures(self, assess: Callable[[Listing], Assessment], cases: Sequence[GoldenCase] | None = None) -> list[str]:
        """Return what is wrong with a model's answers, by default to all golden inputs; empty where nothing is.

        Parameters
        ----------
        assess : callable
            What it raises is a failure like any other.
        """
        found = []
        for case in self.cases if cases is None else cases:
            try:
                found.append(case.strays(assess(case.listing), self.tolerance))
            except Exception as error:  # noqa: BLE001  (whatever is wrong with the model is the answer)
                found.append(f"listing {case.listing.id}: {type(error).__name__}: {error}")
        return [failure for failure in found if failure]

    def to_json(self) -> bytes:
        """Serialise."""
        cases = [
            {
                "listing": case.listing.model_dump(mode="json", exclude_defaults=True),
                "probabilities": {name: round(p, 6) for name, p in case.probabilities.items()},
            }
            for case in self.cases
        ]
        return orjson.dumps({"tolerance": self.tolerance, "cases": cases})

    @classmethod
    def from_json(cls, content: bytes, place: str = GOLDEN) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ArtifactError
            If it is something else.
        """
        try:
            raw: dict[str, Any] = orjson.loads(content)
            cases = tuple(
                GoldenCase(
                    Listing.model_validate(case["listing"]),
                    {str(name): float(p) for name, p in case["probabilities"].items()},
                )
                for case in raw["cases"]
            )
            return cls(cases, float(raw["tolerance"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"not readable as golden inputs: {error}", place=place, hint="train it again"
            ) from error


def shown(failures: Sequence[str]) -> str:
    """Return failures as one line, the first few of many."""
    more = f"; {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
    return "; ".join(failures[:_SHOWN]) + more


def _probabilities(assessment: Assessment) -> dict[str, float]:
    hazards = {hazard.risk_type: hazard.given_unsafe for hazard in assessment.hazards}
    levels = {f"level {level.value}": p for level, p in assessment.level_probabilities.items()}
    return hazards | levels

"""What a form of the console says, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request

from models.domain.action import Action
from models.domain.errors import InputError
from models.domain.risk import BANDS, RiskLevel, band_index, risk_level
from serving.api.problems import BODY_TOO_LARGE, INVALID_PARAMETER, ProblemError, shortened
from serving.review.items import ReviewRefusedError
from serving.review.verdicts import Verdict
from serving.review.words import Outcome

_LARGEST = 1_000_000
_Choice = TypeVar("_Choice", bound=StrEnum)
STEPS = ("p_unsafe", "p_hazard", "p_injury")


class Form:
    """The fields of a form, as they were sent.

    Parameters
    ----------
    pairs : list of (str, str)
    """

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def text(self, name: str) -> str:
        """Return a field's value, empty where it was not sent."""
        return next((value.strip() for key, value in self._pairs if key == name), "")

    def raw(self, name: str) -> str:
        """Return a field's value with the spaces around it, which belong to a password."""
        return next((value for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a field that can be sent several times."""
        return [value for key, value in self._pairs if key == name and value]

    def choice(self, name: str, kind: type[_Choice]) -> _Choice:
        """Return one of some words.

        Raises
        ------
        ReviewRefusedError
            For any other word.
        """
        given = self.text(name)
        try:
            return kind(given)
        except ValueError as error:
            hint = f"choose {', '.join(kind)}"
            raise ReviewRefusedError(
                name, f"{given!r} is none of the choices" if given else "nothing is chosen", hint
            ) from error

    def number(self, name: str, least: float, most: float, otherwise: float | None = None) -> float:
        """Return a number within limits.

        Raises
        ------
        ReviewRefusedError
            If it is none, or outside of them.
        """
        given = self.text(name)
        if not given and otherwise is not None:
            return otherwise
        try:
            value = float(given.replace(",", "."))
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ReviewRefusedError(name, f"{given!r} will not do", f"give a number from {least:g} to {most:g}")
        return value

    def numbers(self, name: str) -> list[int]:
        """Return whole numbers sent under one name.

        Raises
        ------
        ReviewRefusedError
            If one is none.
        """
        given = self.all(name)
        if wrong := next(
            (value for value in given if not value.isascii() or not value.isdigit() or len(value) > 15), None
        ):
            raise ReviewRefusedError(name, f"{wrong!r} is no number of an item", "choose items from the list")
        return [int(value) for value in given]


@contextmanager
def refusing(field: str | None = None) -> Iterator[None]:
    """Tell what is wrong with a form in the words of what keeps it.

    Parameters
    ----------
    field : str, optional
        What the form calls it.
    """
    try:
        yield
    except InputError as error:
        raise ReviewRefusedError(field or error.place, error.message, error.hint) from error


async def read_form(request: Request) -> Form:
    """Return the form that a request carries.

    Raises
    ------
    ProblemError
        413 for more than a form can hold, 422 for what is none.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise ProblemError(
                BODY_TOO_LARGE, f"A form holds at most {_LARGEST:,} bytes.", headers={"Connection": "close"}
            )
    try:
        return Form(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=5_000))
    except ValueError as error:
        raise ProblemError(INVALID_PARAMETER, f"The form cannot be read: {shortened(str(error))}.") from error


@dataclass(frozen=True)
class Worksheet:
    """A scenario with the steps as a reviewer set them.

    Parameters
    ----------
    severity : int
        1 to 4.
    steps : mapping
        Probability of each of `STEPS`.
    """

    severity: int
    steps: Mapping[str, float]

    @property
    def probability(self) -> float:
        """Product of the steps."""
        product = 1.0
        for value in self.steps.values():
            product *= value
        return product

    @property
    def band(self) -> str:
        """Row of the matrix."""
        return BANDS[band_index(self.probability)].label

    @property
    def level(self) -> RiskLevel:
        """Cell of the matrix."""
        return risk_level(self.severity, self.probability)

    @property
    def neighbours(self) -> dict[str, RiskLevel]:
        """The level one step of severity, or one band of probability, away."""
        row = band_index(self.probability)
        found = {}
        for name, severity, band in (
            ("severity_up", self.severity + 1, row),
            ("severity_down", self.severity - 1, row),
            ("probability_up", self.severity, row - 1),
            ("probability_down", self.severity, row + 1),
        ):
            if 1 <= severity <= 4 and 0 <= band < len(BANDS):
                found[name] = BANDS[band].levels[severity - 1]
        return found

    def as_json(self) -> dict[str, Any]:
        """Return what is kept with a decision."""
        return {"severity": self.severity, **self.steps, "probability": self.probability, "level": self.level.value}


def worksheet_of(form: Form) -> Worksheet:
    """Return the worksheet that a form holds; steps are given in percent.

    Raises
    ------
    ReviewRefusedError
        Naming the step.
    """
    severity = form.number("severity", 1, 4)
    if severity != int(severity):
        raise ReviewRefusedError("severity", f"{severity:g} will not do", "give 1, 2, 3 or 4")
    return Worksheet(int(severity), {name: form.number(name, 0, 100) / 100 for name in STEPS})


def verdict_of(form: Form) -> Verdict:
    """Return the verdict that a form holds.

    Raises
    ------
    ReviewRefusedError
        Naming the field and the mend.
    """
    changed = form.text("worksheet") == "changed"
    return Verdict(
        outcome=form.choice("outcome", Outcome),
        action=form.choice("action", Action),
        level=form.choice("level", RiskLevel),
        hazards=tuple(dict.fromkeys(form.all("hazards"))),
        reason_code=form.text("reason_code"),
        note=form.text("note"),
        worksheet=worksheet_of(form).as_json() if changed else None,
        seconds=form.number("seconds", 0, 86_400, 0.0),
    )

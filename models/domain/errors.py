"""Errors that name the place, the value and the mend."""

from __future__ import annotations


class HazardlensError(Exception):
    """Base of every error that hazardlens raises on purpose."""


class InputError(HazardlensError):
    """Something that a person gave is wrong and can be mended by that person.

    Parameters
    ----------
    message : str
        What is wrong, with the value.
    hint : str, optional
        What to do about it.
    place : str, optional
        Where: file, line, column or field.
    """

    def __init__(self, message: str, *, hint: str = "", place: str = "") -> None:
        self.message = message
        self.hint = hint
        self.place = place
        super().__init__(self.__str__())

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head} ({self.hint})" if self.hint else head


class ArtifactError(InputError):
    """A model artifact is missing, half-written, altered or of another format."""

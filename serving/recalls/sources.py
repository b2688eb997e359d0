"""Which sources of alerts are asked, where and how often; read from a file."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import read_located

SourceKind = Literal["safety-gate-weekly", "safety-gate-portal", "opendatasoft", "cpsc", "table"]


class Source(BaseModel):
    """One source; `datasets/sources.yaml` explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    kind: SourceKind
    what: str = ""
    url: str
    issuer: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    every_minutes: int = Field(default=720, ge=1, le=10_080)
    first_days: int = Field(default=30, ge=1, le=36_500)
    max_mb: int = Field(default=50, ge=1, le=1_000)
    max_pages: int = Field(default=200, ge=1, le=100_000)
    complete: bool = False
    sure: Literal["seen", "memory", "yours"]
    enabled: bool = True
    rank: int = 0

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url.startswith(("http://", "https://")):
            return url.rstrip("/")
        if "://" in url or not url:
            raise ValueError("give an address of the web, or a file for a table")
        return url

    @property
    def every(self) -> dt.timedelta:
        """How often it is asked."""
        return dt.timedelta(minutes=self.every_minutes)

    @property
    def file(self) -> Path | None:
        """The file of a table that lies here, None where it is asked over the network."""
        return None if self.url.startswith(("http://", "https://")) else Path(self.url)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: list[Source]


@cache
def load_sources(path: Path | None = None) -> tuple[Source, ...]:
    """Return the sources of a file, the most trusted first; without a path, those that ship.

    Raises
    ------
    InputError
        Naming file, line, value and mend.
    """
    file = read_located(path or datasets_dir() / "sources.yaml")
    try:
        found = _File.model_validate(file.data).sources
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        place = f"{file.file}:{file.line_of(error['loc'])}"
        value = f"value {error.get('input')!r} of {'.'.join(map(str, error['loc']))}"
        raise InputError(f"{value}: {error['msg']}", place=place, hint="see datasets/sources.yaml") from failure
    for number, source in enumerate(found):
        place = f"{file.file}:{file.line_of(('sources', number))}"
        if source.id in {other.id for other in found[:number]}:
            raise InputError(f"source {source.id!r} stands twice", place=place, hint="give each its own id")
        if source.file is not None and source.kind != "table":
            hint = "give https://..., or kind: table"
            raise InputError(f"source {source.id!r} is asked over the network", place=place, hint=hint)
    return tuple(source.model_copy(update={"rank": rank}) for rank, source in enumerate(found))

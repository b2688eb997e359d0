"""Roles as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from models.domain.errors import InputError

if TYPE_CHECKING:
    from serving.access.principal import Role

RoleWords = Annotated[
    list[str], typer.Option("--role", metavar="ROLE", help="uploader, reviewer, scientist or admin; repeatable.")
]


def roles_of(given: Sequence[str]) -> list[Role]:
    """Return the roles of words.

    Raises
    ------
    InputError
        For a word that names none.
    """
    from serving.access.principal import Role

    unknown = [name for name in given if name not in set(Role)]
    if unknown:
        raise InputError(f"{unknown[0]!r} is no role", place="--role", hint=f"give one of {', '.join(Role)}")
    return [Role(name) for name in given]

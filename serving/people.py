"""Whose name an act is written under."""

from __future__ import annotations

from fastapi import Request

from serving.access.asking import known_principal


def person_of(request: Request) -> str:
    """Return the name of who asks."""
    principal = known_principal(request.scope)
    return principal.name if principal is not None else ""

"""Names of keys and accounts in the one form that is kept."""

from __future__ import annotations

import unicodedata

from models.domain.errors import InputError
from serving.access.principal import is_pseudonym
from serving.store.sealed_log import SEALED_ACTOR

_LONGEST_NAME = 100


def checked_name(name: str) -> str:
    """Return a name in the one form that is kept.

    Raises
    ------
    InputError
        If it is none, or one that records use for something else.
    """
    form = " ".join(unicodedata.normalize("NFKC", name).split())
    hint = f"give 1 to {_LONGEST_NAME} characters that can be printed, such as upload-pipeline or grace@shop.example"
    if not form.isprintable() or not 1 <= len(form) <= _LONGEST_NAME:
        raise InputError(f"{name!r} is no name", place="name", hint=hint)
    if is_pseudonym(form.casefold()) or form.casefold() == SEALED_ACTOR:
        raise InputError(f"the name {form!r} is taken by the server itself", place="name", hint="choose another")
    return form

"""Raw JSON -> listings: each judged on its own, with field path, value and mend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from models.domain.listing import LIMITS, Listing
from serving.api.problems import (
    INVALID_LISTING,
    TOO_MANY_LISTINGS,
    WRONG_SHAPE,
    FieldError,
    Problem,
    ProblemError,
    problem,
    shortened,
    writable,
)

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_MOST_ERRORS = 20
_DEEPEST = 4
"""A valid listing is less deep (`captions[0].text`); what lies deeper is refused for its type."""


@dataclass(frozen=True)
class Refusal:
    """A listing that was not accepted, with its id where it gave one."""

    listing_id: str | None
    problem: Problem


def listings_of(body: object, most: int) -> list[object]:
    """Return the raw listings of a request body: ``{"listings": [...]}`` or a bare array.

    Raises
    ------
    ProblemError
        422 for another shape, 413 for more than `most`.
    """
    raw = body
    if isinstance(body, dict):
        unknown = sorted(set(body) - {"listings"})
        if "listings" not in body:
            hint = 'write {"listings": [ ... ]}' + (" around the listing" if "title" in body else "")
            raise _shape(FieldError(field="listings", value=None, message="is missing", hint=hint))
        if unknown:
            name = unknown[0]
            raise _shape(
                FieldError(field=shortened(name), value=shortened(body[name]), message="is not known", hint="remove it")
            )
        raw = body["listings"]
    if not isinstance(raw, list):
        field = "listings" if isinstance(body, dict) else ""
        raise _shape(
            FieldError(field=field, value=shortened(raw), message="is no array", hint='write {"listings": [ ... ]}')
        )
    if len(raw) > most:
        raise ProblemError(
            TOO_MANY_LISTINGS,
            f"{len(raw):,} listings; at most {most:,} in one request.",
            [
                FieldError(
                    field="listings",
                    value=f"{len(raw)} listings",
                    message=f"more than {most}",
                    hint="send several requests",
                )
            ],
        )
    return raw


def read_listing(raw: object, index: int, instance: str) -> Listing | Refusal:
    """Return the listing, or why it is not accepted.

    Parameters
    ----------
    raw : object
        What JSON gave.
    index : int
        Its place in the request, for the problem's `instance`.
    """
    errors = list(_unsafe_texts(raw))
    seen = {error.field for error in errors}
    try:
        listing = Listing.model_validate(raw)
    except ValidationError as failure:
        errors += [error for error in field_errors(failure, Listing) if error.field not in seen]
    else:
        if not errors:
            return listing
    return refusal_of(raw, errors, index, instance)


def refusal_of(raw: object, errors: Sequence[FieldError], index: int, instance: str) -> Refusal:
    """Return the refusal of a listing for what is wrong with it."""
    given = raw.get("id") if isinstance(raw, dict) else None
    listing_id = writable(given[: LIMITS["id"]]) if isinstance(given, str) else None
    detail = "; ".join(f"{error.field or 'the listing'}: {error.message}" for error in errors[:3])
    more = len(errors) - 3
    if more > 0:
        detail += f"; and {more} more"
    return Refusal(
        listing_id, problem(INVALID_LISTING, detail, f"{instance}#/listings/{index}", list(errors)[:_MOST_ERRORS])
    )


def _shape(error: FieldError) -> ProblemError:
    return ProblemError(WRONG_SHAPE, f"{error.field or 'the body'}: {error.message}; {error.hint}.", [error])


def _unsafe_texts(raw: object) -> Iterator[FieldError]:
    """Find NUL and lone surrogates in any text: no database and no tokenizer takes them.

    A stack of our own, since the value may be nested deeper than Python calls itself.
    """
    stack: list[tuple[tuple[str | int, ...], object]] = [((), raw)]
    found = 0
    while stack and found < _MOST_ERRORS:
        place, value = stack.pop()
        if isinstance(value, str):
            if match := _UNSAFE.search(value):
                what = (
                    "holds a NUL byte"
                    if match.group() == "\x00"
                    else f"holds half a character (\\u{ord(match.group()):04x})"
                )
                found += 1
                yield FieldError(field=path(place), value=shortened(value), message=what, hint="remove it")
        elif isinstance(value, Mapping):
            for name in value:
                if isinstance(name, str) and _UNSAFE.search(name):
                    found += 1
                    yield FieldError(
                        field=path((*place, name)),
                        value=shortened(name),
                        message="the name holds a NUL byte or half a character",
                        hint="remove it",
                    )
        if len(place) < _DEEPEST and isinstance(value, (Mapping, list)):
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            stack += [((*place, name), item) for name, item in items][::-1]


def path(place: Sequence[str | int]) -> str:
    """Return a place as text.

    Examples
    --------
    >>> path(("captions", 2, "text"))
    'captions[2].text'
    """
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return shortened(text)


def field_errors(failure: ValidationError, kind: type[BaseModel]) -> list[FieldError]:
    """Return what pydantic found in our words, with the paths of the values.

    Parameters
    ----------
    kind : type
        What the value was to be.
    """
    return [_field_error(detail, kind) for detail in failure.errors(include_url=False)]


def _field_error(detail: ErrorDetails, kind: type[BaseModel]) -> FieldError:
    place = [part for part in detail["loc"] if part != "[key]"]
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        message, hint = "is not a known field", _nearest(str(place[-1]), _fields_at(kind, place[:-1]))
    elif detail["type"] == "missing" and kind is Listing and place == ["title"]:
        message, hint = "is missing", "add it; it may be empty"
    else:
        message, hint = _wording(detail["type"], context)
    value = None if detail["type"] == "missing" else shortened(detail["input"])
    return FieldError(field=path(place), value=value, message=message, hint=hint)


def _wording(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Return (what is wrong, what to do) in our words; pydantic's speak of Python."""
    match kind:
        case "missing":
            return "is missing", "add it"
        case "string_type":
            return "is no text", 'give a JSON string, e.g. "..."'
        case "string_unicode":
            return "holds half a character", "remove it"
        case "string_too_long":
            return f"is longer than {context['max_length']:,} characters", "cut it"
        case "string_too_short":
            return "is empty", "give at least one character"
        case "too_long":
            return f"has more than {context['max_length']:,} items", "leave some out"
        case "string_pattern_mismatch":
            return "is not of the expected form", f"must match {context['pattern']}"
        case "list_type":
            return "is no array", "give [ ... ]"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "is no object", "give { ... }"
        case "greater_than_equal" | "less_than_equal":
            return (
                "is out of range",
                f"give at least {context['ge']}" if "ge" in context else f"give at most {context['le']}",
            )
        case "float_type" | "float_parsing":
            return "is no number", "give a JSON number"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "is no whole number", "give a JSON number without a fraction"
        case "bool_type" | "bool_parsing":
            return "is neither true nor false", "give true or false"
        case "value_error":
            return str(context["error"]), "mend the text"
        case _:
            return f"is not valid ({kind})", "see the schema in /openapi.json"


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"remove it; known are {', '.join(known)}" if known else "remove it"


def _fields_at(kind: type[BaseModel], place: Sequence[str | int]) -> tuple[str, ...]:
    """Return the fields of the object at a place of a value; none where it is no object of ours."""
    for part in place:
        if isinstance(part, str):
            field = kind.model_fields.get(part)
            inner = _model_in(field.annotation) if field is not None else None
            if inner is None:
                return ()
            kind = inner
    return tuple(kind.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the type of ours that an annotation is or holds, as `list[Caption]` does."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each)) is not None), None)

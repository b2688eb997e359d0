"""Is a statement of reasons what the DSA Transparency Database accepts? Every field, before anything is sent.

The database answers a batch that holds one bad statement with an error for the whole. Here each field is judged on
its own, with value and mend, and the rules are read from `datasets/statement_of_reasons.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from models.domain.errors import InputError
from models.reasons.schema import FieldRule, StatementSchema, load_schema

Statement = Mapping[str, Any]
_SHOWN = 60


@dataclass(frozen=True)
class CheckedStatement:
    """What came of checking one statement.

    Parameters
    ----------
    payload : dict
        The statement as it is to be sent: without empty fields and without those that the database drops.
    errors : tuple of InputError
        One a field that is wrong, in the order of the schema; their `place` is the field.
    dropped : tuple of str
        Fields that were given and that the database would not keep.
    """

    payload: dict[str, Any]
    errors: tuple[InputError, ...]
    dropped: tuple[str, ...]

    def required(self) -> dict[str, Any]:
        """Return the payload.

        Raises
        ------
        InputError
            The first error, if there is one.
        """
        if self.errors:
            raise self.errors[0]
        return self.payload


def check_statement(raw: Any, place: str = "", schema: StatementSchema | None = None) -> CheckedStatement:
    """Check one statement, field by field.

    Parameters
    ----------
    raw : Any
        The statement's JSON object.
    place : str
        Put before each field's name, such as ``statements[3]``.

    Examples
    --------
    >>> [str(error) for error in check_statement({"puid": "a b"}).errors][-1]
    "puid: value 'a b' is not of the expected form (letters, digits, - and _ only)"
    """
    rules = schema or load_schema()
    if not isinstance(raw, Mapping):
        error = InputError(f"value {_shown(raw)} is no object", place=place, hint="give { field: value }")
        return CheckedStatement({}, (error,), ())
    given = {str(name): value for name, value in raw.items() if value is not None and value not in ("", [], {})}
    errors: list[InputError] = []
    payload: dict[str, Any] = {}
    dropped: list[str] = []
    for rule in rules.fields.values():
        where = f"{place}.{rule.name}" if place else rule.name
        if rule.name in given and _is_dropped(rule, given):
            dropped.append(rule.name)
        elif rule.name in given:
            found = _CHECKS[rule.kind](rule, given[rule.name], where, rules)
            errors += found
            payload[rule.name] = given[rule.name]
        elif why := _why_required(rule, given):
            errors.append(InputError("is missing", place=where, hint=f"{why}; {_example(rule)}"))
    errors += _unknown(given, rules, place)
    errors += _ends_before_it_begins(payload, place)
    return CheckedStatement(payload, tuple(errors), tuple(dropped))


def check_batch(raw: Any, schema: StatementSchema | None = None) -> list[InputError]:
    """Check the body of a submission of several statements, ``{"statements": [...]}``.

    Returns
    -------
    list of InputError
        Empty where the body can be sent. Places are ``statements[i].field``.
    """
    rules = schema or load_schema()
    statements = raw.get("statements") if isinstance(raw, Mapping) else None
    if not isinstance(statements, list) or not statements:
        return [InputError("is no array of statements", place="statements", hint='write {"statements": [ ... ]}')]
    errors: list[InputError] = []
    if len(statements) > rules.batch:
        message = f"{len(statements)} statements; at most {rules.batch} in one submission"
        errors.append(InputError(message, place="statements", hint="send several submissions"))
    first: dict[Any, int] = {}
    for i, statement in enumerate(statements):
        errors += check_statement(statement, f"statements[{i}]", rules).errors
        puid = statement.get("puid") if isinstance(statement, Mapping) else None
        if isinstance(puid, str) and first.setdefault(puid, i) != i:
            errors.append(
                InputError(
                    f"value {_shown(puid)} stands in statements[{first[puid]}] already",
                    place=f"statements[{i}].puid",
                    hint="every statement of a platform has a puid of its own",
                )
            )
    return errors


def batches(payloads: Iterable[dict[str, Any]], size: int | None = None) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Yield the bodies of submissions of at most 100 statements each."""
    stream, most = iter(payloads), size or load_schema().batch
    while part := list(islice(stream, most)):
        yield {"statements": part}


def _holds(given: Statement, condition: Mapping[str, str]) -> bool:
    return any(value in _listed(given.get(name)) for name, value in condition.items())


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _is_dropped(rule: FieldRule, given: Statement) -> bool:
    return bool(rule.keep_if and not _holds(given, rule.keep_if)) or _holds(given, rule.drop_if)


def _why_required(rule: FieldRule, given: Statement) -> str:
    if rule.required:
        return "every statement needs it"
    for name, value in rule.required_if.items():
        if value in _listed(given.get(name)):
            return f"needed because {name} is {value}"
    if rule.required_without and not any(name in given for name in rule.required_without):
        return f"give it or one of {', '.join(rule.required_without)}"
    return ""


def _example(rule: FieldRule) -> str:
    match rule.kind:
        case "choice":
            return f"one of {', '.join(rule.values[:8])}"
        case "choices":
            return f"an array of {', '.join(rule.values[:8])}"
        case "date":
            return "a date such as 2026-03-31"
        case "pattern":
            return rule.form
        case _:
            return f"a text of at most {rule.most:,} characters"


def _choice(rule: FieldRule, value: Any, place: str, schema: StatementSchema) -> list[InputError]:
    if isinstance(value, str) and value in rule.values:
        return []
    new = schema.renamed.get(value, "") if isinstance(value, str) else ""
    close = get_close_matches(str(value).upper(), rule.values, n=1)
    hint = f"schema v{schema.version} calls it {new}" if new in rule.values else ""
    hint = hint or (f"did you mean {close[0]}?" if close else f"give one of {', '.join(rule.values)}")
    return [InputError(f"value {_shown(value)} is not known", place=place, hint=hint)]


def _choices(rule: FieldRule, value: Any, place: str, schema: StatementSchema) -> list[InputError]:
    if not isinstance(value, list):
        return [InputError(f"value {_shown(value)} is no array", place=place, hint=f"write [{_shown(value)}]")]
    errors = [e for i, item in enumerate(value) for e in _choice(rule, item, f"{place}[{i}]", schema)]
    twice = next((item for i, item in enumerate(value) if item in value[:i]), None)
    if twice is not None:
        errors.append(InputError(f"value {_shown(twice)} stands twice", place=place, hint="keep one of them"))
    return errors


def _text(rule: FieldRule, value: Any, place: str, _: StatementSchema) -> list[InputError]:
    if not isinstance(value, str):
        return [InputError(f"value {_shown(value)} is no text", place=place, hint="give a JSON string")]
    if not value.strip():
        return [InputError("the text is blank", place=place, hint="write it out, or leave the field away")]
    if len(value) > rule.most:
        return [InputError(f"value {_shown(value)} has {len(value):,} characters", place=place, hint=_shorten(rule))]
    return []


def _shorten(rule: FieldRule) -> str:
    return f"at most {rule.most:,}; shorten it"


def _url(rule: FieldRule, value: Any, place: str, schema: StatementSchema) -> list[InputError]:
    if errors := _text(rule, value, place, schema):
        return errors
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value)
    except ValueError:
        whole = False
    return [] if whole else [InputError(f"value {_shown(value)} is no URL", place=place, hint="write https://...")]


def _date(rule: FieldRule, value: Any, place: str, _: StatementSchema) -> list[InputError]:
    day = _day(value)
    if day is None:
        hint = "write year-month-day, such as 2026-03-31"
        return [InputError(f"value {_shown(value)} is no date", place=place, hint=hint)]
    if (rule.first and day < rule.first) or (rule.last and day > rule.last):
        hint = f"give a date from {rule.first} to {rule.last}"
        return [InputError(f"value {value!r} is out of range", place=place, hint=hint)]
    return []


def _day(value: Any) -> date | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _pattern(rule: FieldRule, value: Any, place: str, _: StatementSchema) -> list[InputError]:
    if not isinstance(value, str):
        return [InputError(f"value {_shown(value)} is no text", place=place, hint=rule.form)]
    if len(value) > rule.most:
        return [InputError(f"value {_shown(value)} has {len(value):,} characters", place=place, hint=_shorten(rule))]
    if not re.fullmatch(rule.pattern, value):
        return [InputError(f"value {_shown(value)} is not of the expected form", place=place, hint=rule.form)]
    return []


def _identifiers(_: FieldRule, value: Any, place: str, __: StatementSchema) -> list[InputError]:
    hint = 'write {"EAN-13": "4006381333931"}'
    if not isinstance(value, Mapping):
        return [InputError(f"value {_shown(value)} is no object", place=place, hint=hint)]
    odd = next((name for name in value if name != "EAN-13"), None)
    if odd is not None:
        return [InputError(f"identifier {_shown(odd)} is not known", place=place, hint=hint)]
    number = value.get("EAN-13")
    if not isinstance(number, str) or not re.fullmatch(r"[0-9]{13}", number):
        return [InputError(f"value {_shown(number)} is no EAN-13", place=f"{place}.EAN-13", hint="13 digits, as text")]
    return []


_CHECKS: dict[str, Callable[[FieldRule, Any, str, StatementSchema], list[InputError]]] = {
    "choice": _choice,
    "choices": _choices,
    "text": _text,
    "url": _url,
    "date": _date,
    "pattern": _pattern,
    "identifiers": _identifiers,
}


def _unknown(given: Statement, schema: StatementSchema, place: str) -> list[InputError]:
    errors = []
    for name in sorted(set(given) - set(schema.fields)):
        close = get_close_matches(name, schema.fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "remove it"
        errors.append(InputError("is not a field of the schema", place=f"{place}.{name}" if place else name, hint=hint))
    return errors


def _ends_before_it_begins(payload: Statement, place: str) -> list[InputError]:
    """Our own rule: the database takes such a statement, and nobody could explain it."""
    begun = _day(payload.get("application_date"))
    errors = []
    for name, value in payload.items():
        ended = _day(value) if name.startswith("end_date_") else None
        if begun and ended and ended < begun:
            where = f"{place}.{name}" if place else name
            message = f"value {value!r} is before application_date ({begun})"
            errors.append(InputError(message, place=where, hint="a restriction ends on or after the day it begins"))
    return errors


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

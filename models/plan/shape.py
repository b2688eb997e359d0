"""Does a file have the shape of a plan? What pydantic finds, in our words and with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from models.plan.document import PlanDocument
from models.plan.problems import Problem, did_you_mean
from models.plan.source import Path, PlanSource


def read_document(source: PlanSource) -> tuple[PlanDocument | None, list[Problem]]:
    """Return the document, or what keeps the file from being one."""
    if not isinstance(source.data, dict):
        place = source.place(())
        return None, [Problem("error", "a plan is a mapping of sections", "begin with name: ...", *place)]
    try:
        return PlanDocument.model_validate(source.data), []
    except ValidationError as failure:
        return None, [_problem(detail, source) for detail in failure.errors(include_url=False)]


def _problem(detail: ErrorDetails, source: PlanSource) -> Problem:
    path: Path = tuple(part for part in detail["loc"] if part != "[key]")
    last = path[-1] if path else ""
    named = f"item {last + 1}" if isinstance(last, int) else repr(last) if last else "the plan"
    context: Mapping[str, Any] = detail.get("ctx", {})
    kind, given = detail["type"], detail.get("input")
    on_key = kind == "extra_forbidden" or "[key]" in detail["loc"]
    message, hint = _wording(kind, named, path, given, context)
    return Problem("error", message, hint, *source.place(path, key=on_key))


def _wording(kind: str, named: str, path: Path, given: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    match kind:
        case "missing":
            return f"key {named} is missing", _what_it_is(path)
        case "extra_forbidden":
            if path == ("rules",):
                return "key 'rules' is not known here", "rules stand under mitigate: rules"
            return f"key {named} is not known here", did_you_mean(str(path[-1]), _fields(path[:-1]))
        case "enum" | "literal_error":
            words = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
            return f"{given!r} is no value of {named}", did_you_mean(str(given), words)
        case "string_pattern_mismatch":
            return f"{given!r} is no id", "small letters, digits and single hyphens, such as level-high"
        case "string_type":
            return f"{named} is no text", "write a text; quote it where it looks like something else"
        case "string_too_short":
            return f"{named} is empty", "say it in one sentence"
        case "string_too_long" | "too_long":
            return f"{named} is too long", f"at most {context['max_length']:,}"
        case "list_type":
            return f"{named} is no list", "write [ ... ], or lines that begin with a hyphen"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{named} is no mapping", f"write keys and values{_known_keys(path)}"
        case "bool_type" | "bool_parsing":
            return f"{named} is neither true nor false", "write true or false"
        case "float_type" | "float_parsing" | "int_type" | "int_parsing":
            return f"{given!r} is no number", "write a number without quotes"
        case "greater_than_equal" | "less_than_equal" | "greater_than":
            bound = context.get("ge", context.get("gt", context.get("le")))
            side = "at most" if kind == "less_than_equal" else "more than" if kind == "greater_than" else "at least"
            return f"{given!r} is out of range", f"give {side} {bound:g}"
        case "value_error":
            return str(context["error"]), "write a number and a unit: 24 hours, 2 days, 3 working days"
        case _ if kind.startswith("date"):
            return f"{given!r} is no date", "write it as 2026-12-31"
        case _:
            return f"{named}: {kind}", "hazardlens plan schema prints what is expected"


def _what_it_is(path: Path) -> str:
    owner = _model(path[:-1])
    field = owner.model_fields.get(str(path[-1])) if owner else None
    described = f": {field.description}" if field is not None and field.description else ""
    return f"add it{described}"


def _known_keys(path: Path) -> str:
    fields = _fields(path)
    return f": {', '.join(fields)}" if fields else ""


def _fields(path: Path) -> list[str]:
    owner = _model(path)
    return list(owner.model_fields) if owner is not None else []


def _model(path: Path) -> type[BaseModel] | None:
    """Return the type that stands at a path of the document."""
    kind: Any = PlanDocument
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if part not in kind.model_fields:
                return None
            kind = _bare(kind.model_fields[str(part)].annotation)
        else:
            arguments = get_args(kind)
            kind = _bare(arguments[-1]) if arguments else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _bare(kind: Any) -> Any:
    """Return a type without `| None`."""
    if get_origin(kind) in (Union, type(int | str)):
        return next((_bare(argument) for argument in get_args(kind) if argument is not type(None)), None)
    return kind

"""What differs between two plans, by what it means and not by how it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from models.domain.action import Action
from models.plan.document import PlanDocument

Kind = Literal["added", "removed", "changed"]
_BY_ID = {"rules": "id", "changes": "id", "prohibited_kinds": "kind"}
"""Lists whose items have an id: their order says nothing."""
_ORDERED = {("mitigate", "queues")}
"""Mappings whose order says something."""
_RULE = ("mitigate", "rules")


@dataclass(frozen=True)
class Difference:
    """One difference.

    Parameters
    ----------
    path : tuple of str
        Keys and ids, such as ``("mitigate", "rules", "level-high", "action")``.
    before, after : Any
        Values as JSON gives them; None where there is none.
    effect : {"stricter", "milder", ""}
        What it does to the action of the listings that it concerns, where that is certain.
    """

    kind: Kind
    path: tuple[str, ...]
    before: Any
    after: Any
    effect: str = ""

    @property
    def place(self) -> str:
        """The path as text."""
        return ".".join(self.path)


def differences(before: PlanDocument, after: PlanDocument) -> list[Difference]:
    """Return what differs, in the order of the sections; comments, order of rules and ways of writing do not count."""
    found = _compare(before.model_dump(mode="json"), after.model_dump(mode="json"), ())
    return [_with_effect(difference) for difference in found]


def _compare(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(before, list) and isinstance(after, list) and path and path[-1] in _BY_ID:
        key = _BY_ID[path[-1]]
        yield from _keyed({item[key]: item for item in before}, {item[key]: item for item in after}, path)
    elif isinstance(before, dict) and isinstance(after, dict) and not _is_length(before):
        yield from _keyed(before, after, path)
        if path in _ORDERED and before.keys() == after.keys() and list(before) != list(after):
            yield Difference("changed", (*path, "order"), list(before), list(after))
    elif before != after:
        kind: Kind = "added" if before is None else "removed" if after is None else "changed"
        yield Difference(kind, path, _readable(before), _readable(after))


def _keyed(before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        if key not in after:
            yield Difference("removed", (*path, key), before[key], None)
        elif key not in before:
            yield Difference("added", (*path, key), None, after[key])
        else:
            yield from _compare(before[key], after[key], (*path, key))


def _is_length(value: Mapping[str, Any]) -> bool:
    return value.keys() == {"amount", "unit"}


def _readable(value: Any) -> Any:
    if isinstance(value, dict) and _is_length(value):
        return f"{value['amount']} {value['unit'].replace('_', ' ')}"
    return value


def _with_effect(found: Difference) -> Difference:
    """Say what a difference does, where one rule tells: an action that is raised, a live rule that comes or goes."""
    effect = ""
    if found.path[:2] == _RULE and len(found.path) == 3 and found.kind in ("added", "removed"):
        rule = found.after or found.before
        if rule["status"] == "live" and rule["action"] != Action.PUBLISH:
            effect = "stricter" if found.kind == "added" else "milder"
    elif found.path[-1] in ("action", "otherwise", "on_error") and found.kind == "changed":
        effect = "stricter" if Action(found.after).rank > Action(found.before).rank else "milder"
    elif found.path[:2] == _RULE and found.path[-1] == "status" and "live" in (found.before, found.after):
        effect = "stricter" if found.after == "live" else "milder"
    return Difference(found.kind, found.path, found.before, found.after, effect)

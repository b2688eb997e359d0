"""What differs between two plans, by meaning."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import assume, given

from models.plan.difference import Difference, differences
from models.plan.document import PlanDocument
from models.plan.reading import default_plan_file
from tests.plan.strategies import plans

DEFAULT: dict[str, Any] = yaml.safe_load(default_plan_file().read_text(encoding="utf-8"))


def changed(**rule: Any) -> list[Difference]:
    """What differs when the rule `level-high` is changed."""
    rules = [{**entry, **rule} if entry["id"] == "level-high" else entry for entry in DEFAULT["mitigate"]["rules"]]
    return compared({**DEFAULT, "mitigate": {**DEFAULT["mitigate"], "rules": rules}})


def compared(after: dict[str, Any]) -> list[Difference]:
    return differences(PlanDocument.model_validate(DEFAULT), PlanDocument.model_validate(after))


@given(plans())
def test_a_plan_does_not_differ_from_itself_in_another_order(raw: dict[str, Any]) -> None:
    one = PlanDocument.model_validate(raw)
    other = {**raw, "mitigate": {**raw["mitigate"], "rules": raw["mitigate"]["rules"][::-1]}}
    assert differences(one, PlanDocument.model_validate(other)) == []


@given(plans(), plans())
def test_two_plans_differ_both_ways(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = PlanDocument.model_validate(one), PlanDocument.model_validate(other)
    assume(before != after)
    there, back = differences(before, after), differences(after, before)
    assert {d.path for d in there} == {d.path for d in back}
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(d.path, opposite[d.kind]) for d in there} == {(d.path, d.kind) for d in back}


@pytest.mark.parametrize(
    ("change", "field", "before", "after", "effect"),
    [
        ({"action": "block"}, "action", "hold_for_review", "block", "stricter"),
        ({"action": "publish"}, "action", "hold_for_review", "publish", "milder"),
        ({"status": "background"}, "status", "live", "background", "milder"),
        ({"due": "1 working day"}, "due", "2 working days", "1 working days", ""),
        ({"reason": "Other."}, "reason", "High risk: a reviewer decides before sale.", "Other.", ""),
        ({"queue": "urgent"}, "queue", "safety", "urgent", ""),
    ],
)
def test_a_changed_rule_is_told_by_its_id(
    change: dict[str, Any], field: str, before: str, after: str, effect: str
) -> None:
    assert changed(**change) == [
        Difference("changed", ("mitigate", "rules", "level-high", field), before, after, effect)
    ]


def test_rules_that_come_and_go_are_told_with_their_effect() -> None:
    rules = DEFAULT["mitigate"]["rules"]
    without = {**DEFAULT, "mitigate": {**DEFAULT["mitigate"], "rules": rules[1:]}}
    (gone,) = compared(without)
    assert (gone.kind, gone.place, gone.effect) == ("removed", "mitigate.rules.level-none", "")
    more = {"id": "more", "when": "abstains", "action": "block", "reason": "R"}
    (come,) = compared({**DEFAULT, "mitigate": {**DEFAULT["mitigate"], "rules": [*rules, more]}})
    assert (come.kind, come.place, come.effect) == ("added", "mitigate.rules.more", "stricter")
    assert come.after["action"] == "block"


def test_the_order_of_queues_says_which_is_more_urgent() -> None:
    queues = dict(reversed(DEFAULT["mitigate"]["queues"].items()))
    (found,) = compared({**DEFAULT, "mitigate": {**DEFAULT["mitigate"], "queues": queues}})
    assert found.place == "mitigate.queues.order"
    assert found.after == found.before[::-1]


def test_a_section_that_is_dropped_is_told() -> None:
    without = {key: value for key, value in DEFAULT.items() if key != "assess"}
    without["mitigate"] = {
        **DEFAULT["mitigate"],
        "rules": [r for r in DEFAULT["mitigate"]["rules"] if "threshold" not in str(r["when"])],
    }
    places = {found.place for found in compared(without)}
    assert places == {
        "assess.prior",
        "assess.scenarios",
        "assess.thresholds.find-high-or-serious",
        "mitigate.rules.score-within-guarantee",
    }

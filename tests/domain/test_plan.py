"""The risk-management plan: total, the strictest rule wins, errors name place and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.domain.plan import Action, Plan, Rule, load_plan
from models.domain.risk import RiskLevel

EVERY_LEVEL = "".join(f"  - {{id: {level}, level: {level}, action: publish}}\n" for level in RiskLevel)

rules = st.lists(
    st.builds(
        Rule,
        id=st.text("abc", min_size=1, max_size=3),
        action=st.sampled_from(Action),
        reason=st.just("because"),
        level=st.one_of(st.none(), st.sampled_from(RiskLevel)),
        abstains=st.booleans(),
    ),
    max_size=12,
)


def written(directory: Path, content: str) -> Path:
    file = directory / "plan.yaml"
    file.write_text(content, encoding="utf-8")
    return file


@given(rules, st.sampled_from(RiskLevel), st.booleans())
def test_every_plan_gives_one_action_for_every_input(rules: list[Rule], level: RiskLevel, abstains: bool) -> None:
    assert Plan("p", "1", "0" * 64, tuple(rules)).decide(level, abstains).action in Action


@given(rules, st.sampled_from(RiskLevel), st.booleans())
def test_the_strictest_rule_that_fires_wins(rules: list[Rule], level: RiskLevel, abstains: bool) -> None:
    verdict = Plan("p", "1", "0" * 64, tuple(rules)).decide(level, abstains)
    fires = [rule for rule in rules if rule.level == level or (rule.abstains and abstains)]
    assert verdict.action.rank == max((rule.action.rank for rule in fires), default=0)
    assert sorted(r.id for r in verdict.fired) == sorted(r.id for r in fires)
    assert [r.action.rank for r in verdict.fired] == sorted((r.action.rank for r in fires), reverse=True)


@given(rules, st.sampled_from(RiskLevel))
def test_abstaining_never_makes_the_action_milder(rules: list[Rule], level: RiskLevel) -> None:
    plan = Plan("p", "1", "0" * 64, tuple(rules))
    assert plan.decide(level, True).action.rank >= plan.decide(level, False).action.rank


@pytest.mark.parametrize(
    ("level", "action"),
    [
        ("none", Action.PUBLISH),
        ("low", Action.PUBLISH),
        ("medium", Action.PUBLISH_WITH_WARNING),
        ("high", Action.HOLD_FOR_REVIEW),
        ("serious", Action.HOLD_FOR_REVIEW),
    ],
)
def test_the_default_plan_acts_by_level(default_plan: Plan, level: str, action: Action) -> None:
    assert default_plan.decide(RiskLevel(level), abstains=False).action == action


@pytest.mark.parametrize("level", RiskLevel)
def test_the_default_plan_holds_what_the_model_abstains_from(default_plan: Plan, level: RiskLevel) -> None:
    assert default_plan.decide(level, abstains=True).action == Action.HOLD_FOR_REVIEW


def test_every_rule_of_the_default_plan_gives_a_reason(default_plan: Plan) -> None:
    assert all(rule.reason for rule in default_plan.rules)


def test_the_id_names_plan_version_and_content(tmp_path: Path) -> None:
    one = load_plan(written(tmp_path, f"name: mine\nversion: 3\nrules:\n{EVERY_LEVEL}"))
    other = load_plan(written(tmp_path, f"# a comment\nname: mine\nversion: 3\nrules:\n{EVERY_LEVEL}"))
    assert one.id.startswith("mine@3+")
    assert one.id != other.id


WRONG_PLANS = [
    ("no YAML", "rules: [", "YAML", ""),
    ("a list", "- x", "'rules'", ""),
    ("rules no list", "rules: {a: 1}", "'rules'", ""),
    ("rule no mapping", "rules: [publish]", "rules[0]", "id"),
    ("unknown key", "rules:\n  - {id: a, level: low, acton: publish}", "'acton'", "action"),
    ("unknown action", "rules:\n  - {id: a, level: low, action: shred}", "shred", "block"),
    ("no action", "rules:\n  - {id: a, level: low}", "rules[0]", "block"),
    ("unknown level", "rules:\n  - {id: a, level: awful, action: block}", "awful", "serious"),
    ("never fires", "rules:\n  - {id: a, action: block}", "never fire", "abstains: true"),
    ("no id", "rules:\n  - {level: low, action: block}", "no id", "stable id"),
    (
        "a level without a rule",
        "rules:\n  - {id: a, level: low, action: block}",
        "none, medium, high, serious",
        "every level",
    ),
    ("an id twice", f"rules:\n{EVERY_LEVEL}  - {{id: low, level: low, action: block}}", "'low'", "unique"),
    ("abstains in words", f"rules:\n{EVERY_LEVEL}  - {{id: a, abstains: never, action: block}}", "'never'", "true"),
]


@pytest.mark.parametrize(("content", "wrong", "mend"), [c[1:] for c in WRONG_PLANS], ids=[c[0] for c in WRONG_PLANS])
def test_a_wrong_plan_names_file_value_and_mend(tmp_path: Path, content: str, wrong: str, mend: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        load_plan(file)
    assert str(file) in str(caught.value)
    assert wrong in str(caught.value)
    assert mend in str(caught.value)


def test_a_missing_plan_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml: no such plan \(give --plan"):
        load_plan(tmp_path / "absent.yaml")


def test_a_directory_for_a_plan_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        load_plan(tmp_path)


def test_actions_rank_from_publish_to_block() -> None:
    assert sorted(Action, key=lambda action: action.rank) == [
        Action.PUBLISH,
        Action.PUBLISH_WITH_WARNING,
        Action.REQUEST_INFORMATION,
        Action.HOLD_FOR_REVIEW,
        Action.BLOCK,
    ]

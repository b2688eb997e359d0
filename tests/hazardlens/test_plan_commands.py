"""``hazardlens plan``: check, show, diff, schema, names."""

from __future__ import annotations

import json
from pathlib import Path

from models.plan.document import plan_schema
from models.plan.names import FACTS, FUNCTIONS
from models.plan.reading import default_plan_file
from tests.hazardlens.conftest import RunCommand

WRONG = (
    "name: p\nversion: 1\nmitigate:\n  otherwise: publish\n  rules:\n"
    "    - {id: a, when: hazard('chocking') > 0.4, action: block, reason: R}\n"
)
ODD = WRONG.replace("hazard('chocking') > 0.4", "p_unsafe >= 0")


def written(directory: Path, text: str) -> Path:
    file = directory / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_plan_is_in_order(run: RunCommand) -> None:
    ended = run("plan", "check")
    assert ended.code == 0
    assert ended.out.startswith("in order: default@")
    assert run("plan", "check", "--json").json["valid"] is True


def test_an_error_is_told_with_its_place_and_ends_with_1(run: RunCommand, tmp_path: Path) -> None:
    file = written(tmp_path, WRONG)
    ended = run("plan", "check", file)
    assert ended.code == 1
    assert ended.out == f"{file}:6:28: error: 'chocking' is not a risk type (did you mean 'choking'?)\n"
    assert ended.err == "1 error\n"
    answer = run("plan", "check", file, "--json")
    assert answer.code == 1
    assert answer.json["problems"][0] == {
        "severity": "error", "message": "'chocking' is not a risk type", "hint": "did you mean 'choking'?",
        "line": 6, "column": 28,
    }  # fmt: skip


def test_a_warning_is_told_and_ends_with_0(run: RunCommand, tmp_path: Path) -> None:
    ended = run("plan", "check", written(tmp_path, ODD))
    assert ended.code == 0
    assert "warning: the condition is true for every listing" in ended.out
    assert "in order: p@1+" in ended.out


def test_a_missing_file_is_one_line_and_an_unknown_option_ends_with_2(run: RunCommand, tmp_path: Path) -> None:
    ended = run("plan", "check", tmp_path / "absent.yaml")
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "no such plan" in ended.err
    assert run("plan", "check", "--colour").code == 2


def test_show_names_every_rule_source_and_threshold(run: RunCommand) -> None:
    shown, told = run("plan", "show").out, run("plan", "show", "--json").json
    for rule in told["mitigate"]["rules"]:
        assert f"rule {rule['id']}" in shown
        assert rule["action"] in shown
    for name in (*told["identify"]["sources"], *told["assess"]["thresholds"], *told["mitigate"]["queues"]):
        assert name in shown
    assert "[background]" in shown
    assert shown.index("rule removed-before") < shown.index("rule level-high") < shown.index("rule level-none")


def test_diff_tells_what_is_stricter(run: RunCommand, tmp_path: Path) -> None:
    text = default_plan_file().read_text(encoding="utf-8")
    other = written(tmp_path, "# mine\n" + text.replace("otherwise: publish", "otherwise: hold_for_review"))
    ended = run("plan", "diff", default_plan_file(), other)
    assert ended.code == 0
    assert "~ mitigate.otherwise: publish -> hold_for_review  [stricter]" in ended.out
    assert ended.out.endswith("1 difference\n")
    (row,) = run("plan", "diff", default_plan_file(), other, "--json").json["differences"]
    assert (row["path"], row["effect"]) == (["mitigate", "otherwise"], "stricter")


def test_diff_says_which_of_the_two_is_wrong(run: RunCommand, tmp_path: Path) -> None:
    ended = run("plan", "diff", default_plan_file(), written(tmp_path, WRONG.replace("hazard(", "hazrd(")))
    assert ended.code == 1
    assert f"{tmp_path / 'plan.yaml'}:6:21" in ended.err


def test_the_schema_is_printed(run: RunCommand) -> None:
    assert json.loads(run("plan", "schema").out) == plan_schema()


def test_names_lists_every_fact_and_function(run: RunCommand) -> None:
    shown = run("plan", "names").out
    assert [name for name in (*FACTS, *FUNCTIONS) if f"  {name}" not in shown] == []
    assert set(run("plan", "names", "--json").json["facts"]) == set(FACTS)

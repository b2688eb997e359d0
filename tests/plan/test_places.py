"""The place of a finding is the place in the file, however YAML writes the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.plan.reading import parse_plan
from models.plan.source import read_source

HEAD = "name: p\nversion: 1\nmitigate:\n  otherwise: publish\n  rules:\n  - id: a\n    action: block\n    reason: R\n"


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("    when: level == wrong\n", 9, 20),
        ('    when: "level == wrong"\n', 9, 21),
        ("    when: 'level == wrong'\n", 9, 21),
        ("    when: level ==\n      wrong\n", 10, 7),
        ("    when: |\n      level ==\n      wrong\n", 11, 7),
        ("    when: >-\n      level\n        == wrong\n", 11, 12),
        ('    when: "level \\x3d= wrong"\n', 9, 24),
        ("    when: 'kind == ''a'' or wrong'\n", 9, 29),
        ('    when: "kind == \\"é🧲\\" or wrong"\n', 9, 30),
        ("    when: (level == 'low'\n\n\n      or wrong)\n", 12, 10),
    ],
)
def test_a_name_is_found_where_it_stands(written: str, line: int, column: int) -> None:
    (problem,) = parse_plan(HEAD + written).problems
    assert "'wrong'" in problem.message
    assert (problem.line, problem.column) == (line, column)


@given(st.lists(st.sampled_from(["alpha", "b", "'x'", "é", "🧲"]), min_size=1, max_size=12), st.data())
def test_every_character_of_a_folded_text_is_found(words: list[str], data: st.DataObject) -> None:
    breaks = data.draw(st.lists(st.sampled_from([" ", "\n  "]), min_size=len(words), max_size=len(words)))
    written = "".join(word + gap for word, gap in zip(words, breaks, strict=True)).rstrip()
    source = read_source(f"a: >\n  {written}\n")
    value = source.data["a"]
    offset = data.draw(st.integers(0, len(value.rstrip()) - 1))
    if not value[offset].isspace():
        line, column = source.place_within(("a",), offset)
        assert source.text.splitlines()[line - 1][column - 1] == value[offset]

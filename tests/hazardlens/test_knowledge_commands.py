"""``hazardlens knowledge``: problems with their places, kinds as text, coverage with its gaps."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hazardlens.knowledge_coverage import coverage_of
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from tests.hazardlens.conftest import RunCommand


@pytest.fixture
def broken(small_knowledge_dir: Path, tmp_path: Path) -> Path:
    """The small knowledge base with two faults in one file."""
    copy = tmp_path / "knowledge"
    shutil.copytree(small_knowledge_dir, copy)
    file = copy / "kinds" / "toys.yaml"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"^( *)consumers: .*$", r"\1consumers: babies", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^( *)category: Toys$", r"\1category: Toyz", text, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8")
    return copy


def test_the_shipped_knowledge_base_is_in_order(run: RunCommand) -> None:
    ended = run("knowledge", "check")

    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(r"in order: \d+ kinds, \d+ cues\n", ended.out)


def test_every_problem_has_a_line_with_its_place_and_its_mend(run: RunCommand, broken: Path) -> None:
    ended = run("knowledge", "check", broken)

    assert ended.code == 1
    lines = ended.out.splitlines()
    assert len(lines) >= 2
    assert all(re.match(r".+\.yaml:\d+: [\w.\-\[\]]+: .+", line) for line in lines)
    assert any("found 'babies'" in line for line in lines)
    assert any("no category of the taxonomy: 'Toyz' (" in line for line in lines)
    place = next(line for line in lines if "babies" in line).split(": ")[0]
    file, number = place.rsplit(":", 1)
    assert "babies" in Path(file).read_text(encoding="utf-8").splitlines()[int(number) - 1]


def test_problems_can_be_read_by_a_machine(run: RunCommand, broken: Path) -> None:
    ended = run("knowledge", "check", broken, "--json")

    assert ended.code == 1
    assert ended.json["valid"] is False
    assert {"file", "line", "key", "message", "hint"} == set(ended.json["problems"][0])


def test_a_kind_is_shown_in_english_or_in_every_language(run: RunCommand, knowledge: Knowledge) -> None:
    kind = knowledge.kind_by_id["laser-pointer"]
    english, every = run("knowledge", "show", kind.id), run("knowledge", "show", kind.id, "--languages")

    assert kind.names["en"][0] in english.out
    assert kind.names["ja"][0] not in english.out
    assert all(names[0] in every.out for names in kind.names.values())
    assert all(hazard.scenario in english.out for hazard in kind.hazards.values())
    assert all(cue in english.out for cue in (*kind.aggravating, *kind.mitigating))


def test_every_kind_can_be_shown(run: RunCommand, knowledge: Knowledge, small_knowledge_dir: Path) -> None:
    small = [path.read_text(encoding="utf-8") for path in (small_knowledge_dir / "kinds").glob("*.yaml")]
    ids = [kind.id for kind in knowledge.kinds if any(f"id: {kind.id}\n" in text for text in small)]
    assert len(ids) > 30

    for name in ids[::9]:
        shown = run("knowledge", "show", name, "--knowledge", small_knowledge_dir).out
        assert shown.splitlines()[0].endswith(f"({name})")


def test_a_kind_is_found_by_a_name_in_any_language(run: RunCommand, knowledge: Knowledge) -> None:
    name = knowledge.kind_by_id["laser-pointer"].names["pl"][0]

    assert run("knowledge", "show", name.upper(), "--json").json["id"] == "laser-pointer"


def test_coverage_meets_what_the_project_promises(run: RunCommand) -> None:
    found = run("knowledge", "coverage", "--json").json

    required = [language for language in found["languages"] if language["required"]]
    assert found["kinds"] >= 400
    assert found["harmless"] >= 120
    assert len(required) >= 18
    assert all(language["kinds_named"] == 1 for language in required)
    assert found["cues_worded"] >= 0.95
    assert found["consumer_categories_without_kind"] == []


def test_coverage_is_readable(run: RunCommand) -> None:
    out = run("knowledge", "coverage").out

    for words in ("product kinds", "harmless", "Ukrainian", "Toys", "hazards without a kind", "cues used by no kind"):
        assert words in out


def test_gaps_are_found(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    toys = [kind for kind in knowledge.kinds if kind.category == "Toys"][:2]
    nameless = toys[0].model_copy(update={"names": {"en": ["thing"]}})
    worded = next(cue for cue in knowledge.cues if cue.phrases.get("fr"))
    wordless = worded.model_copy(update={"phrases": {"en": ["words"]}})
    small = Knowledge((nameless, toys[1]), (wordless,), knowledge.languages, {})

    found = coverage_of(small, taxonomy)

    assert found.kinds == 2
    french = next(language for language in found.languages if language.code == "fr")
    assert french.kinds_missing == [nameless.id]
    assert french.kinds_named == 0.5
    assert french.cues_missing == [worded.id]
    assert "fr" in {language.code for language in found.incomplete}
    assert "Cosmetics" in found.consumer_categories_without_kind
    assert "Toys" not in found.consumer_categories_without_kind
    required = sum(language.required for language in found.languages)
    assert found.cues_worded == pytest.approx(1 / required)
    assert set(found.hazards_without_kind).isdisjoint({*toys[0].hazards, *toys[1].hazards})

"""The house keeps its own rules, and its papers tell the truth."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hazardlens.cli import main
from models.domain.assessment import Assessment
from serving.settings import PREFIX, Settings
from tests.conftest import LONG_FILES
from tests.serving.conftest import bearer

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("hazardlens", "serving", "training", "models")
ROOMS = (*PACKAGES, "datasets", "notebooks", "tests")
GROUPS = {"accounts", "audit", "keys", "knowledge", "plan", "reasons", "report"}
HEAVY = ("torch", "mlflow", "transformers", "sentence_transformers", "onnx")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "serving/README.md"))
"""With the part of it that lies beside the server."""
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def files_of(*rooms: str) -> Iterator[Path]:
    """Files of some rooms, caches apart."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in path.parts):
                yield path


def python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=300)


class TestRooms:
    """Who may import whom, and what must not be there."""

    def test_imports_run_downward_only(self) -> None:
        checker = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
        assert checker is not None, "import-linter is missing: pip install '.[dev]'"
        found = subprocess.run([checker, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

        assert found.returncode == 0, found.stdout + found.stderr

    @pytest.mark.parametrize("module", ["serving.app", "models.classifier.classifier", "hazardlens.client"])
    def test_serving_and_models_load_nothing_heavy(self, module: str) -> None:
        report = python("-X", "importtime", "-c", f"import {module}").stderr
        loaded = {line.rsplit("|", 1)[-1].strip().partition(".")[0] for line in report.splitlines() if "|" in line}

        assert module.partition(".")[0] in loaded
        assert loaded.isdisjoint(HEAVY)

    def test_datasets_holds_no_python(self) -> None:
        assert [path for path in files_of("datasets") if path.suffix in {".py", ".pyc", ".ipynb"}] == []

    def test_datasets_cannot_be_imported(self, tmp_path: Path) -> None:
        code = "from importlib.util import find_spec as f; s = f('datasets'); print(s and s.submodule_search_locations)"
        places = python("-P", "-c", code, cwd=tmp_path).stdout

        assert str(ROOT / "datasets") not in places

    def test_the_root_stays_off_the_path_when_installed_for_development(self) -> None:
        assert PROJECT["tool"]["hatch"]["build"]["dev-mode-exact"] is True

    def test_no_pickle_is_kept_and_none_is_read(self) -> None:
        kept = [path for path in files_of(*ROOMS) if path.suffix in {".pkl", ".pickle", ".joblib", ".pt", ".pth"}]
        reading = re.compile(r"^\s*(import|from) (pickle|joblib|dill|cloudpickle)\b|allow_pickle=True", re.MULTILINE)
        code = [path for path in files_of(*PACKAGES) if path.suffix == ".py"]

        assert kept == []
        assert [path for path in code if reading.search(path.read_text(encoding="utf-8"))] == []

    def test_every_name_says_something(self) -> None:
        empty = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)(_|$)")

        assert [path for path in files_of(*ROOMS) if path.suffix == ".py" and empty.search(path.stem)] == []

    def test_the_files_that_the_tests_begin_with_are_there(self) -> None:
        assert [name for name in LONG_FILES if not (ROOT / name).is_file()] == []

    def test_every_package_says_that_it_is_typed(self) -> None:
        assert [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()] == []


class TestPins:
    """What is installed is what was tested."""

    def test_every_dependency_is_pinned(self) -> None:
        pins = dict(line.split("==") for line in pin_lines())

        assert [name for name in dependencies() if canonical(name) not in {canonical(pin) for pin in pins}] == []

    def test_a_pin_is_a_name_and_a_version_and_nothing_else(self) -> None:
        assert [line for line in pin_lines() if not re.fullmatch(r"[\w.\-]+==\d[\w.]*", line)] == []

    def test_no_index_is_named(self) -> None:
        papers = ["pyproject.toml", "constraints.txt", "Makefile", ".ci/run"]
        named = re.compile(r"index-url|find-links|trusted-host|--index|simple/", re.IGNORECASE)

        assert [name for name in papers if named.search((ROOT / name).read_text(encoding="utf-8"))] == []


class TestReadme:
    """What the README says can be done, can be done."""

    def test_its_commands_exist(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = "\n".join([*code_blocks("sh"), *inline(README)])
        names = set(re.findall(r"^hazardlens ((?:keys |knowledge |plan )?[a-z]+)", text, re.MULTILINE))

        assert len(names) > 10
        for name in names:
            assert main([*name.split(), "--help"]) == 0, capsys.readouterr().err

    def test_it_names_every_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["--help"])
        commands = re.findall(r"^│ ([a-z]+) +\w", capsys.readouterr().out, re.MULTILINE)

        assert len(commands) > 5
        assert [name for name in commands if f"`hazardlens {name}" not in README] == []

    def test_options_in_its_examples_exist(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = [line for block in code_blocks("sh") for line in block.splitlines() if line.startswith("hazardlens ")]
        assert lines
        for line in lines:
            _, command, *words = line.split()
            group = [words[0]] if command in GROUPS else []
            main([command, *group, "--help"])
            shown = capsys.readouterr().out
            assert [word for word in words if word.startswith("--") and word not in shown] == [], line

    def test_its_make_targets_exist(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        text = "\n".join([*code_blocks("sh"), *inline(README)])
        targets = set(re.findall(r"\bmake (?:PYTHON=\S+ )?([a-z]+)\b", text))

        assert {"run", "test"} <= targets
        assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []

    def test_every_dependency_stands_in_its_table_with_a_reason(self) -> None:
        rows = re.findall(r"^\| ([\w.\-]+) \| (.+) \|$", README, re.MULTILINE)
        reasons = {canonical(name): why for name, why in rows}

        assert [name for name in dependencies() if len(reasons.get(canonical(name), "")) < 4] == []

    def test_it_names_no_dependency_that_is_gone(self) -> None:
        tables = README.split("## Dependencies, and why")[1].split("\n## ")[0]
        named = {canonical(name) for name in re.findall(r"^\| ([\w.\-]+) \|", tables, re.MULTILINE)}

        assert named - {"package", "-"} == {canonical(name) for name in dependencies()}

    def test_every_setting_of_the_server_stands_in_its_table(self) -> None:
        rows = re.findall(r"^\| (`HAZARDLENS_\w+`(?:, `HAZARDLENS_\w+`)*) \|", README, re.MULTILINE)
        documented = {name for row in rows for name in re.findall(r"HAZARDLENS_\w+", row)}
        settings = {PREFIX + name.upper() for name in Settings.__dataclass_fields__}

        assert documented == settings | {"HAZARDLENS_DATASETS", "HAZARDLENS_CACHE", "HAZARDLENS_API_KEY"}

    def test_the_defaults_of_its_settings_are_true(self) -> None:
        shown = dict(re.findall(r"^\| `(HAZARDLENS_\w+)` \| `([^`]+)` \|", README, re.MULTILINE))
        defaults = Settings()
        for name in Settings.__dataclass_fields__:
            if PREFIX + name.upper() in shown:
                assert shown[PREFIX + name.upper()] == str(getattr(defaults, name)).lower()

    def test_its_links_lead_somewhere(self) -> None:
        papers = [ROOT / name for name in ("README.md", "serving/README.md", "CONTRIBUTING.md")]
        links = [
            (paper, link)
            for paper in papers
            for link in re.findall(r"\]\(([^)]+)\)", paper.read_text(encoding="utf-8"))
            if "://" not in link
        ]

        assert links
        assert [link for paper, link in links if not leads_somewhere(paper, link)] == []

    def test_its_answer_is_what_the_server_gives(self, small_model_dir: Path, tmp_path: Path) -> None:
        from serving.app import create_app

        (request,) = re.findall(r"-d '(\{.*\})'", README)
        (shown,) = (json.loads(block) for block in code_blocks("json"))
        settings = Settings(model=small_model_dir, database_url=f"sqlite:///{tmp_path / 'h.db'}")
        with TestClient(create_app(settings), headers=bearer(settings)) as client:
            assert client.portal is not None
            client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
            answer = client.post("/v1/assessments", json=json.loads(request)).json()

        assert_shaped_like(answer, shown, "answer")
        given, told = answer["results"][0]["assessment"], shown["results"][0]["assessment"]
        for key in ("risk_level", "cues"):
            assert given[key] == told[key]
        assert {key: given["decision"][key] for key in told["decision"]} == told["decision"]
        assert given["scenario"]["sentence"] == told["scenario"]["sentence"]
        assert set(given) - set(told) <= {"content_hash", "notes", "warning_languages", "explanation"}
        Assessment.model_validate(given)


class TestOtherPapers:
    """CONTRIBUTING and what every paper must not say."""

    def test_contributing_names_places_that_exist(self) -> None:
        places = [text for text in inline(CONTRIBUTING) if re.fullmatch(r"[\w./\-]+(/|\.\w+)", text) and "/" in text]

        assert len(places) > 15
        assert [place for place in places if not (ROOT / place).exists()] == []

    def test_contributing_names_every_room(self) -> None:
        assert [room for room in ROOMS if f"| `{room}/`" not in CONTRIBUTING] == []

    @pytest.mark.parametrize(
        "name",
        [
            "README.md",
            "serving/README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "Makefile",
            "pyproject.toml",
            "constraints.txt",
            ".ci/run",
        ],
    )
    def test_no_paper_names_a_place_of_one_machine(self, name: str) -> None:
        text = (ROOT / name).read_text(encoding="utf-8")

        assert re.findall(r"(?<![\w.$}])/(?:home|root|work|tmp|opt|Users)/\S*", text) == []


def leads_somewhere(paper: Path, link: str) -> bool:
    """Whether a link of a paper names a file that is there, and a heading in it."""
    name, _, heading = link.partition("#")
    target = paper.parent / name if name else paper
    if not heading or not target.is_file():
        return target.exists()
    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}


def assert_shaped_like(given: Any, shown: Any, place: str) -> None:
    """Everything that is shown is given, under the same names and of the same type."""
    if isinstance(shown, dict):
        assert isinstance(given, dict), place
        for key, value in shown.items():
            assert key in given, f"{place}.{key}"
            assert_shaped_like(given[key], value, f"{place}.{key}")
    elif isinstance(shown, list):
        assert isinstance(given, list), place
        for value in shown:
            assert given, f"{place} is empty"
            assert_shaped_like(given[0], value, f"{place}[]")
    elif isinstance(shown, bool | str) or shown is None:
        assert type(given) is type(shown), place
    else:
        assert isinstance(given, int | float), place


def code_blocks(language: str) -> list[str]:
    """Fenced blocks of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def inline(text: str) -> list[str]:
    """Inline code of a paper, fenced blocks apart."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def dependencies() -> list[str]:
    """Names of everything that pyproject asks for, extras included."""
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *(w for extra in project["optional-dependencies"].values() for w in extra)]
    return [re.split(r"[\[<>=!~ ;]", entry, maxsplit=1)[0] for entry in wanted]


def pin_lines() -> list[str]:
    """Lines of constraints.txt that are no comment."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def canonical(name: str) -> str:
    """Name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()

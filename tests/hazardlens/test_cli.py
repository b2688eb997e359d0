"""How the command line ends, whatever it is given."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hazardlens.cli as cli
from hazardlens.cli import MANY, main, spread
from models.domain.errors import InputError
from tests.hazardlens.conftest import RunCommand

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["train", "evaluate", "score", "serve", "ingest", "corpus", "knowledge", "promote", "rollback"]


def test_help_names_every_command(run: RunCommand) -> None:
    ended = run("--help")

    assert ended.code == 0
    assert all(re.search(rf"\b{name}\b", ended.out) for name in COMMANDS)


@pytest.mark.parametrize("name", [*COMMANDS, "knowledge check", "knowledge show", "knowledge coverage"])
def test_every_command_has_help(run: RunCommand, name: str) -> None:
    ended = run(*name.split(), "--help")

    assert ended.code == 0
    assert "Usage" in ended.out


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["score"], ["score", "--nonsense"], ["promote", "newest"], ["serve", "--port", "99999"]],
    ids=" ".join,
)
def test_a_command_that_is_not_understood_ends_with_2_and_says_why(run: RunCommand, arguments: list[str]) -> None:
    ended = run(*arguments)

    assert ended.code == 2
    assert "Usage" in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["knowledge", "show", "laser-pontr"], "did you mean laser-pointer"),
        (["ingest", "nowhere.xml"], "nowhere.xml: no such file"),
        (["score", "--model", "nowhere", "--in", "x.csv", "--out", "y.xlsx"], "y.xlsx"),
        (["evaluate", "--model", "nowhere", "--examples", "x.csv"], "nowhere: no such model directory"),
        (["corpus", "--out", "x.csv"], "end it in .jsonl"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_error_of_the_user_is_one_line_on_stderr_and_ends_with_1(
    run: RunCommand, arguments: list[str], words: str
) -> None:
    ended = run(*arguments)

    assert ended.code == 1
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert line.startswith("hazardlens: error: ")
    assert words in line


def test_an_error_of_many_lines_is_told_in_one(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise InputError("not readable:\n  line 3,\n  column 4", place="plan.yaml", hint="mend it")

    monkeypatch.setattr(cli, "app", fail)

    assert run().err == "hazardlens: error: plan.yaml: not readable: line 3, column 4 (mend it)\n"


def test_a_full_disk_is_told_in_one_line_too(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(28, "No space left on device", "out.csv")

    monkeypatch.setattr(cli, "app", fail)
    ended = run()

    assert (ended.code, ended.err) == (1, "hazardlens: error: out.csv: No space left on device\n")


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", fail)

    with pytest.raises(ZeroDivisionError):
        main([])


def test_an_option_takes_many_files_after_one_name() -> None:
    assert spread(["train", "--examples", "a", "b", "--out", "c", "--ordinary", "d"], MANY) == [
        "train", "--examples", "a", "--examples", "b", "--out", "c", "--ordinary", "d",
    ]  # fmt: skip


_WORD = st.sampled_from(["train", "--examples", "--ordinary", "--out", "a", "b", "c", "--no-track"])


@given(st.lists(_WORD))
def test_spreading_keeps_every_word_and_does_nothing_twice(arguments: list[str]) -> None:
    once = spread(arguments, MANY)

    assert spread(once, MANY) == once
    assert [word for word in once if word not in MANY] == [word for word in arguments if word not in MANY]


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from hazardlens.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.strip("'[] \n").partition(".")[0] for name in found.stderr.split(",")}

    heavy = {"numpy", "scipy", "sklearn", "onnxruntime", "torch", "mlflow", "fastapi", "httpx", "pandas", "pyarrow"}
    assert loaded & heavy == set()
    assert "typer" in loaded


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "hazardlens", "knowledge", "show", "laser-pointer", "--json"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert json.loads(found.stdout)["id"] == "laser-pointer"


def test_the_version_is_that_of_the_distribution(run: RunCommand) -> None:
    assert run("--version").out.startswith("hazardlens")

"""Another label set, with the same commands: train, evaluate, report, cards, baselines. No class is written in code."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hazardlens.cli import main

FOREIGN = ("pinches", "stains", "smells", "never seen")
TEXTS = {
    "pinches": ("Folding garden chair with metal hinges", "Clothes peg with a strong spring", "Foldable step stool"),
    "stains": ("Red felt pen, not washable", "Bath bomb with blue dye", "Printer ink refill bottle"),
    "smells": ("Rubber floor mat, new", "Vinyl shower curtain", "Foam puzzle mat for nurseries"),
}
WORDS = (
    "garden",
    "kitchen",
    "office",
    "oak",
    "steel",
    "silver",
    "matt",
    "summer",
    "winter",
    "family",
    "hotel",
    "round",
)
COLUMNS = ("id", "date", "title", "description", "category", "captions", "labels")
Command = Callable[..., dict[str, Any]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    monkeypatch.chdir(tmp_path)  # the registry of the checkout may hold a champion, which would be compared with

    def run(*arguments: object) -> dict[str, Any]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        found: dict[str, Any] = json.loads(printed.out)
        return found

    return run


@pytest.fixture(scope="module")
def taxonomy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("taxonomy") / "nuisances.yaml"
    content = {"name": "nuisances", "version": 3, "risk_types": [{"name": name} for name in FOREIGN]}
    path.write_text(yaml.dump({**content, "fallback_risk_type": "never seen"}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def few_kinds(small_knowledge_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small knowledge base, one kind of each of four families."""
    root = tmp_path_factory.mktemp("few") / "knowledge"
    shutil.copytree(small_knowledge_dir, root)
    for i, file in enumerate(sorted((root / "kinds").glob("*.yaml"))):
        family = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        file.unlink()
        if i < 4:
            kept = [{**family["kinds"][0], "near": []}]
            file.write_text(yaml.dump({**family, "kinds": kept}, allow_unicode=True), encoding="utf-8")
    return root


def write(path: Path, first: int, n: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for i in range(first, first + n):
            label = FOREIGN[i % 3]
            also = ";smells" if label == "stains" and i % 5 == 0 else ""
            # Chance words keep the rows from being near-duplicates, which the split would drop.
            words = np.random.default_rng(i).choice(WORDS, 12)
            day = f"{2018 + i // 60}-{1 + i % 12:02}-{1 + i % 27:02}"
            texts = (f"{TEXTS[label][i // 3 % 3]} {' '.join(words[:4])}", f"Sold {' '.join(words[4:])}.")
            writer.writerow((f"n{i}", day, *texts, "Home", "on a table", label + also))
    return path


def test_a_foreign_label_set_trains_and_evaluates_with_the_same_commands(
    command: Command, taxonomy_file: Path, few_kinds: Path, tmp_path: Path
) -> None:
    known, later = write(tmp_path / "known.csv", 0, 180), write(tmp_path / "later.csv", 180, 60)
    out = tmp_path / "model"
    trained = command(
        "train", "--taxonomy", taxonomy_file, "--knowledge", few_kinds, "--examples", known, "--corpus-size", 48,
        "--held-out", 100, "--finetune", "off", "--no-track", "--out", out, "--json",
    )  # fmt: skip
    assert trained["metrics"]["taxonomy"] == "nuisances@3"
    assert trained["metrics"]["headline"]["hazards"]["top1"] > 0.9
    names = [row["name"] for row in trained["metrics"]["comparisons"]]
    assert names == ["this model", "majority", "TF-IDF + LR", "frozen encoder + LR"]
    assert trained["metrics"]["captions"][0]["n"] == trained["metrics"]["headline"]["n"]
    holds_the_papers(Path(f"{out}-report"))

    evaluated = command(
        "evaluate", "--model", out, "--examples", later, "--train-examples", known, "--report", tmp_path / "papers"
    )
    assert evaluated["n"] == 60
    assert evaluated["headline"]["hazards"]["top1"] > 0.9
    assert [row["name"] for row in evaluated["comparisons"]][1:] == names[1:]
    holds_the_papers(tmp_path / "papers")


def holds_the_papers(papers: Path) -> None:
    with (papers / "per_class.csv").open(encoding="utf-8") as stream:
        assert [row["name"] for row in csv.DictReader(stream)] == list(FOREIGN)
    for name in ("report.html", "model_card.html", "model_card.md", "data_card.html", "data_card.md"):
        text = (papers / name).read_text(encoding="utf-8")
        assert "pinches" in text, name
        assert "strangulation" not in text, name
    assert "nuisances@3" in (papers / "model_card.md").read_text(encoding="utf-8")


def test_labels_of_the_shipped_set_are_refused_under_a_foreign_one(
    taxonomy_file: Path, few_kinds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,title,labels\n1,Lamp,strangulation\n", encoding="utf-8")
    wanted = ("--taxonomy", taxonomy_file, "--knowledge", few_kinds, "--examples", table, "--out", tmp_path / "m")
    code = main(["train", *map(str, wanted), "--no-track"])

    assert code == 1
    assert "strangulation" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()

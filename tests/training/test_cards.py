"""Cards say what the run measured, leave out what it did not, and never let a text act as markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.domain.alert import Example
from models.domain.guarantee import Guarantee
from models.domain.taxonomy import Taxonomy
from models.screening.score import ScreenScore
from models.screening.screen import Screen, SourceLoss
from models.screening.static_encoder import StaticEncoder
from training.card_words import ETHICS, INTENDED_USE, NOT_FOR
from training.cards import Card, Code, Items, Picture, Section, Table, Text
from training.data_card import data_card
from training.data_profile import OTHERS, profile, profiles
from training.evaluation import Evaluation, evaluate
from training.model_card import MEASURED, model_card
from training.paperwork import write_paperwork
from training.rivals import Rival
from training.run_record import RunRecord, facts_table, shown

Build = Callable[..., Any]
HOSTILE = '<script>alert("x")</script> | *b* `c` [d](e)'
PROMISE = Guarantee(
    "recall-of-high-or-serious", "Finds 95 % of them.", "risk_score", 0.21, 0.95, 0.9, 300, 40, "2011-05-01", "alerts"
)


class TestRendering:
    CARD = Card(
        "A card",
        "Its intro.",
        [
            Section("First", [Text("Words."), Items(["one", "two"]), Code(["hazardlens train --seed 0"])]),
            Section("Second", [Table(("name", "n"), [("a", "1")], frozenset({1})), Picture("bars", "Some bars.")]),
            Section("Empty", []),
            Section("Only a picture", [Picture("gone", "Not drawn.")]),
        ],
    )

    def test_markdown_has_every_block(self) -> None:
        text = self.CARD.markdown({"bars": b"png"})

        assert text.splitlines()[:3] == ["# A card", "", "Its intro."]
        assert "- one\n- two\n" in text
        assert "```sh\nhazardlens train --seed 0\n```" in text
        assert "| name | n |\n| --- | ---: |\n| a | 1 |" in text
        assert "![Some bars.](bars.png)" in text

    def test_html_stands_alone(self) -> None:
        html = self.CARD.html({"bars": b"png"})

        assert re.findall(r'(?:src|href)="(?!data:image/png|#)', html) == []
        assert "data:image/png;base64,cG5n" in html
        assert "<li>two</li>" in html
        assert '<td class="n">1</td>' in html

    @pytest.mark.parametrize("form", ["html", "markdown"])
    def test_empty_sections_are_left_out(self, form: str) -> None:
        text = getattr(self.CARD, form)({"bars": b"png"})

        assert "Second" in text
        assert "Empty" not in text
        assert "Only a picture" not in text

    def test_what_a_text_says_is_never_markup(self) -> None:
        card = Card(HOSTILE, HOSTILE, [Section(HOSTILE, [Text(HOSTILE), Table((HOSTILE,), [(HOSTILE,)])])])

        assert "<script" not in card.html({})
        markdown = card.markdown({})
        assert not re.search(r"(?<!\\)[<`*\[]", markdown)
        (row,) = [line for line in markdown.splitlines() if line.startswith("| \\<script")][:1]
        assert len(re.findall(r"(?<!\\)\|", row)) == 2

    def test_html_is_well_formed(self) -> None:
        opened: list[str] = []

        class Check(HTMLParser):
            def handle_starttag(self, tag: str, attrs: object) -> None:
                if tag not in ("meta", "img", "br"):
                    opened.append(tag)

            def handle_endtag(self, tag: str) -> None:
                assert opened.pop() == tag

        Check().feed(self.CARD.html({"bars": b"png"}))
        assert opened == []


class TestProfile:
    def test_it_counts_and_keeps_no_text(self, known_examples: list[Example]) -> None:
        found = profile(known_examples)

        assert found["n"] == found["labelled"] == 160
        assert found["labels"]["fire"] == sum("fire" in (e.labels or ()) for e in known_examples)
        assert sum(found["labels_per_example"].values()) == 160
        assert found["languages"] == {"de": 80, "en": 80}
        assert found["years"] == {"2010": 40, "2011": 40, "2012": 40, "2013": 40}
        assert sum(found["levels"].values()) == 80
        assert found["fields"]["title"] == 1.0
        assert found["fields"]["captions"] == pytest.approx(
            sum(map(bool, (e.captions for e in known_examples))) / 160, abs=1e-4
        )
        assert "product number 3" not in str(found)

    def test_what_nobody_looked_at_is_not_counted_as_none(self) -> None:
        found = profile([Example(id="a", title="x", labels=None), Example(id="b", title="y", labels=())])
        assert (found["n"], found["labelled"], found["labels_per_example"]) == (2, 1, {"0": 1})

    def test_the_many_rare_values_are_put_together(self) -> None:
        found = profile([Example(id=str(i), title="x", category=f"c{i:03}") for i in range(100)])
        assert found["categories"][OTHERS] == 85
        assert sum(found["categories"].values()) == 100

    def test_empty_parts_are_left_out(self, known_examples: list[Example]) -> None:
        assert list(profiles({"train": known_examples, "ordinary": []})) == ["train"]
        assert profile([])["n"] == 0


@pytest.fixture(scope="module")
def evaluation(table_model: Build, known_examples: list[Example], taxonomy: Taxonomy) -> Evaluation:
    rivals = [Rival("strong", "knows more", table_model(0.95)), Rival("champion", "version 3", missing="it is broken")]
    return evaluate(table_model(0.6), known_examples, taxonomy, rivals=rivals, resamples=60).named("abc123")


@pytest.fixture
def facts(known_examples: list[Example]) -> dict[str, Any]:
    split = {
        "method": "by time",
        "undated": 0,
        "dropped": {"train": 3, "calibration": 1},
        "sizes": {"train": 700, "calibration": 120, "test": 160},
        "span": {"train": ["2009-01-05", "2010-12-30"], "test": ["2011-01-03", "2013-12-01"]},
    }
    return {
        "evaluated_on": "examples",
        "training": {
            "encoder": "all-MiniLM-L6-v2", "precision": "int8", "max_tokens": 128, "seed": 7, "corpus_size": 500,
            "held_out": 900, "finetune": "off", "knowledge_sha256": "k" * 64,
            "kind_listings": 500, "hazard_listings": 900, "split": split, "duplicates_dropped": 12,
        },
        "data": [
            {
                "name": "alerts.csv", "role": "examples", "path": "alerts.csv", "rows": 980, "refused": 2,
                "sha256": "f" * 64, "first_day": "2009-01-05", "last_day": "2013-12-01", "undated": 0,
            }
        ],
        "profile": profiles({"train": known_examples[:100], "test": known_examples[100:]}),
        "ordinary": {"n": 400, "share": {"none": 0.9, "low": 0.06, "medium": 0.02, "high": 0.01, "serious": 0.01}},
    }  # fmt: skip


MEASUREMENTS: dict[str, Any] = {
    "ablation": [
        {"parts": "all", "macro_f1": 0.61, "map": 0.67, "top1": 0.86},
        {"parts": "without knowledge", "macro_f1": 0.59, "map": 0.65, "top1": 0.85},
    ],
    "quantisation": {"macro_f1": {"fp32": 0.612, "int8": 0.6111}, "difference": -0.0009},
    "style": {"source_auroc": 0.54, "same product, both styles": 0.03},
    "unsafe": {"prior": 0.08, "ece": 0.02, "auroc": 0.9},
    "faithfulness": {"deletion": 0.41, "random": 0.08},
}


class TestModelCard:
    def test_it_says_what_it_is_for_and_what_not(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        text = model_card(RunRecord("abc123", facts, (), evaluation)).html({})

        assert "hazardlens abc123" in text
        for line in (*INTENDED_USE, *NOT_FOR, *ETHICS):
            assert line.split("'")[0] in text.replace("&#39;", "'")

    def test_figures_have_their_intervals(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        text = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})
        hazards = evaluation.metrics["headline"]["hazards"]
        low, high = hazards["intervals"]["map"]

        assert f"| Hazards, mAP | {hazards['map']:.3f} | {low:.3f} to {high:.3f} | {hazards['n']} |" in text

    def test_data_have_fingerprints_and_dates_and_the_split_its_days(
        self, evaluation: Evaluation, facts: dict[str, Any]
    ) -> None:
        text = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})

        assert f"| alerts.csv | examples | 980 | 2 | 2009-01-05 to 2013-12-01 | {'f' * 64} |" in text
        assert "| train | 700 | 2009-01-05 to 2010-12-30 | 3 |" in text
        assert "Near-duplicates dropped from the training part: 12." in text

    @pytest.mark.parametrize(("key", "title"), [(key, title) for key, title, _ in MEASURED])
    def test_what_was_measured_stands_there_and_what_was_not_does_not(
        self, evaluation: Evaluation, facts: dict[str, Any], key: str, title: str
    ) -> None:
        without = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})
        with_it = model_card(RunRecord("abc123", {**facts, key: MEASUREMENTS[key]}, (), evaluation)).markdown({})

        assert f"## {title}" not in without
        assert f"## {title}" in with_it

    def test_an_ablation_is_a_table_with_its_figures(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        record = RunRecord("abc123", {**facts, **MEASUREMENTS}, (), evaluation)
        text = model_card(record).markdown({})

        assert (
            "| parts | macro-F1 | mAP | top-1 |\n| --- | ---: | ---: | ---: |\n| all | 0.610 | 0.670 | 0.860 |" in text
        )
        assert "| macro-F1: int8 | 0.611 |" in text
        assert "| deletion | 0.410 |" in text

    def test_guarantees_of_the_model_or_among_the_facts(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        none = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})
        own = model_card(RunRecord("abc123", facts, (PROMISE,), evaluation)).markdown({})
        told = model_card(RunRecord("abc123", {**facts, "guarantees": [PROMISE.as_dict()]}, (), evaluation)).markdown(
            {}
        )

        assert "## Guarantees" not in none
        assert own == told
        assert "Finds 95 % of them. | risk\\_score ≥ 0.210 | 0.90 | 300 (40) | alerts, 2011-05-01 |" in own

    def test_a_promise_that_no_threshold_keeps_is_told(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        broken = replace(PROMISE, threshold=None)
        assert "no threshold keeps it" in model_card(RunRecord("a", facts, (broken,), evaluation)).markdown({})

    def test_a_model_with_a_screen_tells_of_it(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        static, score = StaticEncoder.of(np.eye(3, 4, dtype=np.float32)), ScreenScore.unfitted()
        screen = Screen(
            static, score, replace(PROMISE, threshold=0.03), (SourceLoss("shop.csv", 9_000, 300, 1, 5_000),)
        )
        record = RunRecord("abc123", facts, (), evaluation)

        assert "Screen for long lists" not in model_card(record).markdown({})
        text = model_card(replace(record, screen=screen)).markdown({})
        assert "## Screen for long lists" in text
        assert "| shop.csv | 9,000 | 5,000 | 300 | 1 |" in text

    def test_it_tells_where_the_model_is_behind(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        text = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})

        assert "Clearly behind: strong in macro-F1" in text
        assert "not compared: it is broken" in text

    def test_it_tells_what_too_few_cases_leave_open(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        text = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})
        assert re.search(r"nothing is known about: [^.]*drowning", text)

    def test_it_tells_how_to_make_it_again(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        text = model_card(RunRecord("abc123", facts, (), evaluation)).markdown({})
        assert "hazardlens train --examples alerts.csv --corpus-size 500 --held-out 900 --finetune off --seed 7" in text

    def test_a_model_without_a_record_of_its_training_still_gets_one(self, evaluation: Evaluation) -> None:
        text = model_card(RunRecord("abc123", {}, (), evaluation, own_test=False)).markdown({})
        assert "examples given afterwards" in text
        assert "How to reproduce" not in text


class TestDataCard:
    def test_it_counts_each_part(self, evaluation: Evaluation, facts: dict[str, Any]) -> None:
        text = data_card(RunRecord("abc123", facts, (), evaluation)).markdown({})
        train, test = facts["profile"]["train"], facts["profile"]["test"]

        assert "| train | 100 | 100 |" in text
        assert f"| fire | {train['labels']['fire']} | {test['labels']['fire']} |" in text
        assert "evaluated here" not in text

    def test_examples_given_afterwards_are_a_part_of_their_own(
        self, evaluation: Evaluation, facts: dict[str, Any]
    ) -> None:
        text = data_card(RunRecord("abc123", facts, (), evaluation, own_test=False)).markdown({})
        assert "| evaluated here | 160 |" in text


class TestPaperwork:
    @pytest.fixture
    def papers(self, evaluation: Evaluation, facts: dict[str, Any], tmp_path: Path) -> Path:
        record = RunRecord("abc123", {**facts, **MEASUREMENTS}, (PROMISE,), evaluation)
        written = write_paperwork(record, tmp_path / "papers")
        assert sorted(written) == sorted((tmp_path / "papers").iterdir())
        return tmp_path / "papers"

    def test_report_and_cards_lie_together_and_no_picture_is_missing(self, papers: Path) -> None:
        assert {
            "report.html",
            "model_card.html",
            "model_card.md",
            "data_card.html",
            "data_card.md",
            "metrics.json",
        } <= {path.name for path in papers.iterdir()}
        for name in ("model_card.md", "data_card.md"):
            pictures = re.findall(r"\]\(([\w]+\.png)\)", (papers / name).read_text(encoding="utf-8"))
            assert pictures
            assert [picture for picture in pictures if not (papers / picture).is_file()] == []

    def test_pictures_of_the_run_before_do_not_stay(
        self, papers: Path, known_examples: list[Example], taxonomy: Taxonomy, table_model: Build
    ) -> None:
        assert (papers / "capacity.png").is_file()
        (papers / "mine.png").write_bytes(b"x")
        bare = [replace(example, risk_level=None) for example in known_examples]
        write_paperwork(RunRecord("b", {}, (), evaluate(table_model(0.5), bare, taxonomy, resamples=0)), papers)

        assert not (papers / "capacity.png").exists()
        assert not (papers / "comparison.png").exists()
        assert (papers / "mine.png").is_file()

    def test_the_report_shows_the_comparison_the_costs_and_the_reviewers_yield(
        self, papers: Path, evaluation: Evaluation
    ) -> None:
        html = (papers / "report.html").read_text(encoding="utf-8")
        own, strong, _ = evaluation.metrics["comparisons"]

        assert "<b>strong</b>" in html
        assert f"{strong['differences']['map']['value']:+.3f}" in html
        assert "not compared, it is broken" in html
        for row in evaluation.metrics["capacity"]["rows"]:
            assert f'<td class="n">{row["precision"]:.3f}</td>' in html
        for row in evaluation.metrics["costs"]["rows"]:
            assert f'<td class="n">{row["best_cost"]:.1f}</td>' in html
        assert own["figures"]["map"] == evaluation.metrics["headline"]["hazards"]["map"]


def test_values_are_shown_as_people_read_them() -> None:
    assert [shown(v) for v in (0.12345, 1234, True, None, float("nan"), [0.1, 2], "x")] == [
        "0.123", "1,234", "yes", "–", "–", "0.100, 2", "x",
    ]  # fmt: skip
    assert facts_table([{"a": 1}, {"b": "x"}]).rows == [["1", "–"], ["–", "x"]]

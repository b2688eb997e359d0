"""The printed plan: every chapter, figures that add up, a PDF that repeats."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest

from models.domain.guarantee import Guarantee
from models.plan.reading import default_plan_file, parse_plan, plan_file_text
from models.reasons.marketplace import load_marketplace
from models.simulation.period import Cell, Period, period_of
from models.simulation.records import Record, Unreadable
from training.plan_report.blocks import Heading, Paper, Picture, Table, Text
from training.plan_report.page import page
from training.plan_report.paper import Ingredients, paper_of
from training.plan_report.pdf import pdf

DAY = dt.date(2026, 3, 31)
DEFAULT = plan_file_text(default_plan_file())
GUARANTEE = Guarantee(
    id="recall-of-high-or-serious",
    statement="Of the listings of level high or serious at least 90 % reach the threshold.",
    score="risk_score",
    threshold=0.217,
    target=0.9,
    confidence=0.95,
    n=2_000,
    positives=310,
    calibrated_on="2026-02-01",
    source="held-out corpus",
)
CHAPTERS = [
    "Summary",
    "Risk register",
    "How risks are identified",
    "How risks are assessed",
    "How risks are classified",
    "Measures",
    "Owners",
    "Residual risk",
    "Key figures of the period",
    "Changes since the last version",
    "What the figures rest on",
]


def record(
    level: str, score: float, action: str, day: str = "2026-01-05", hazard: str = "fire", **given: Any
) -> Record:
    """A kept assessment of few words."""
    scenario = (
        None if level == "none" else {"risk_type": hazard, "sentence": f"A {hazard} breaks out.", "consumers": "other"}
    )
    assessment = {
        "id": "0" * 32,
        "risk_level": level,
        "risk_score": score,
        "scenario": scenario,
        "kinds": [{"kind": "lamp", "category": "Lighting equipment", "probability": 0.9}],
        "language": {"code": "de"},
        "versions": {"model": "m1", "plan": "default@2+0"},
        "decision": {"action": action, "rules": [f"level-{level}"], **given},
    }
    return Record(day, {"id": "1", "title": "SECRET TITLE"}, assessment)


RECORDS: list[Record | Unreadable] = [
    record("serious", 0.9, "hold_for_review", "2026-01-01", "choking", queue="urgent"),
    record("high", 0.6, "hold_for_review", queue="safety"),
    record("high", 0.7, "publish", "2026-01-31"),
    record("medium", 0.2, "publish_with_warning"),
    record(
        "low",
        0.1,
        "request_information",
        obligations=[{"id": "x", "missing": ["warnings-DE", "warnings-FR", "manufacturer"]}],
    ),
    record("none", 0.0, "publish"),
    Unreadable("line 7", "is no JSON"),
]


@pytest.fixture(scope="module")
def given() -> Ingredients:
    """A plan, a period of six offers, and the version before."""
    plan = parse_plan(DEFAULT, day=DAY).plan
    earlier = parse_plan(
        DEFAULT.replace("action: block", "action: hold_for_review", 1).replace("minutes: 12", "minutes: 15"), day=DAY
    ).plan
    assert plan is not None
    assert earlier is not None
    return Ingredients(
        plan.bound_to([GUARANTEE]), period_of(RECORDS), load_marketplace(), DAY, earlier, "Ada", "Sweep."
    )


@pytest.fixture(scope="module")
def paper(given: Ingredients) -> Paper:
    """The document."""
    return paper_of(given)


def words_of(paper: Paper) -> str:
    """Everything that stands in it."""
    parts = []
    for block in paper.blocks:
        match block:
            case Heading(text) | Text(text):
                parts.append(text)
            case Table():
                parts += [" | ".join(cells) for cells in (block.columns, *block.rows)]
            case Picture():
                parts.append(block.words)
    return "\n".join(parts)


class TestPeriod:
    def test_offers_count_once_in_the_register_or_as_harmless(self) -> None:
        period = period_of(RECORDS)

        assert (period.n, period.harmless, period.unreadable) == (6, 1, 1)
        assert {key: cell.n for key, cell in period.cells.items()} == {
            ("choking", "Lighting equipment"): 1,
            ("fire", "Lighting equipment"): 4,
        }
        assert (period.first, period.last) == ("2026-01-01", "2026-01-31")

    def test_residual_is_what_went_on_sale(self) -> None:
        period = period_of(RECORDS)

        assert period.inherent == pytest.approx(2.5)
        assert period.residual == pytest.approx(0.9)
        assert period.held_wrongly == pytest.approx(0.5)
        assert period.cells["fire", "Lighting equipment"].residual == pytest.approx(0.9)
        assert (period.restricted, period.held, period.referred) == (3, 2, 2)

    def test_missing_information_counts_once_an_offer(self) -> None:
        assert period_of(RECORDS).missing == {"warnings": 1, "manufacturer": 1}

    def test_a_period_can_end(self) -> None:
        assert period_of(RECORDS, until="2026-01-05").n == 5

    def test_the_scenario_of_the_highest_score_speaks_for_the_cell(self) -> None:
        cell = Cell()
        for score, sentence in ((0.2, "mild"), (0.9, "worst"), (0.5, "middling")):
            outcome = pytest.importorskip("models.simulation.outcome").Outcome(0, 3, None, (), (), (), ())
            cell.add(outcome, score, sentence)
        assert cell.sentence == "worst"


class TestContent:
    def test_every_chapter_is_there(self, paper: Paper) -> None:
        assert [b.text for b in paper.blocks if isinstance(b, Heading) and b.level == 1] == CHAPTERS

    def test_the_title_page_names_plan_owner_contact_and_author(self, paper: Paper, given: Ingredients) -> None:
        facts = dict(paper.facts)

        assert facts["Plan"] == given.plan.id
        assert facts["SHA-256 of the plan"] == given.plan.content_digest
        assert facts["Stored by"] == "Ada: Sweep."
        assert "2026-01-01 to 2026-01-31: 6 offers" in facts["Period of the figures"]

    def test_a_threshold_is_printed_with_its_guarantee(self, paper: Paper) -> None:
        words = words_of(paper)

        assert "find-high-or-serious | risk_score | 0.217 | Of the listings of level high or serious" in words
        assert "Target 0.9 with confidence 0.95, chosen on 2,000 cases (310 to be found" in words

    def test_without_the_guarantee_the_document_says_so(self, given: Ingredients) -> None:
        words = words_of(paper_of(replace(given, plan=given.plan.bound_to([]))))
        assert "None: the model gives no guarantee 'recall-of-high-or-serious'" in words

    def test_every_rule_stands_with_condition_action_basis_and_hits(self, paper: Paper, given: Ingredients) -> None:
        (table,) = [b for b in paper.blocks if isinstance(b, Table) and b.columns[0] == "Rule"]
        rows = {row[0].split(" (")[0]: row for row in table.rows}

        assert set(rows) == {rule.id for rule in given.plan.rules}
        assert rows["level-high"][5] == "2"
        assert 'level == "high"' in rows["level-high"][1]
        assert "GPSR Article 22(3)" in rows["level-high"][4]

    def test_residual_risk_is_told_in_figures(self, paper: Paper) -> None:
        assert "Before measures 2.5 offers of level high or serious are expected among the 6" in words_of(paper)
        assert "0.9 of these are on sale: 36.0% remains" in words_of(paper)

    def test_changes_are_told_with_their_effect(self, paper: Paper) -> None:
        words = words_of(paper)

        assert "mitigate › queues › urgent › minutes | changed | 15.0 | 12.0" in words
        assert "| hold_for_review | block | stricter" in words

    def test_without_an_earlier_version_it_says_so(self, given: Ingredients) -> None:
        assert "There is no earlier version" in words_of(paper_of(replace(given, previous=None)))

    def test_what_is_not_measured_is_said(self, paper: Paper) -> None:
        assert "KPI 1 and KPI 2 of the Product Safety Pledge" in words_of(paper)

    def test_no_offer_is_named(self, paper: Paper) -> None:
        assert "SECRET" not in page(paper)

    def test_an_empty_period_still_makes_a_document(self, given: Ingredients) -> None:
        empty = paper_of(replace(given, period=Period()))

        assert [b.text for b in empty.blocks if isinstance(b, Heading) and b.level == 1] == CHAPTERS
        assert pdf(empty, DAY).startswith(b"%PDF-")


class TestFiles:
    def test_the_page_stands_alone_and_leads_to_its_chapters(self, paper: Paper) -> None:
        html = page(paper)
        targets = re.findall(r'<a href="#([^"]+)"', html)

        assert len(targets) == len(CHAPTERS)
        assert all(f'id="{target}"' in html for target in targets)
        assert not re.findall(r'(?:src|href)="https?:', html)
        assert html.count("<th scope") > 40

    def test_the_pdf_has_pages_bookmarks_and_a_date(self, paper: Paper) -> None:
        data = pdf(paper, DAY)

        assert len(re.findall(rb"/Type /Page\b", data)) >= 6
        assert b"/Outlines" in data
        assert b"D:20260331" in data

    def test_equal_documents_are_equal_bytes(self, given: Ingredients) -> None:
        assert pdf(paper_of(given), DAY) == pdf(paper_of(given), DAY)

    def test_long_and_foreign_words_fit(self, given: Ingredients) -> None:
        text = DEFAULT.replace(
            "title: Risk-management plan for product safety", 'title: "План управления рисками – Προϊόντα"'
        )
        text = text.replace("The seller is suspended.", "x" * 600)
        plan = parse_plan(text, day=DAY).plan
        assert plan is not None
        assert pdf(paper_of(replace(given, plan=plan)), DAY).startswith(b"%PDF-")

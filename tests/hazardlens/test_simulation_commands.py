"""``plan simulate``, ``report`` and ``reasons`` as a person types them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.reading import default_plan_file, load_plan, parse_plan, plan_file_text
from models.reasons.checking import check_batch
from serving.shadow.store import ShadowStore, shadow_row
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import open_database
from serving.store.migrating import migrate
from serving.store.plans import PlanStore
from tests.hazardlens.conftest import RunCommand

TITLES = ["Green laser pointer 5000 mW, fun gift for kids", "Cotton bag", "Paperback novel"]
STRICT = plan_file_text(default_plan_file()).replace("action: hold_for_review", "action: block")


@pytest.fixture(scope="module")
def answers(small_model: HazardClassifier) -> list[Answered]:
    """Three answers of the default plan."""
    plan = load_plan().bound_to(small_model.guarantees)
    listings = [Listing(id=f"l{i}", title=title, target_countries=["DE"]) for i, title in enumerate(TITLES)]
    return [Answered(listing, small_model.assess(listing, plan)) for listing in listings]


@pytest.fixture
def database(tmp_path: Path, answers: list[Answered]) -> str:
    """URL of a store that holds them."""
    url = f"sqlite:///{tmp_path / 'h.db'}"
    store = AssessmentStore(open_database(url))
    migrate(store.engine)
    store.save(answers)
    store.close()
    return url


@pytest.fixture
def kept(tmp_path: Path, answers: list[Answered]) -> Path:
    """File of kept assessments."""
    rows = [
        f'{{"created_at": "2026-03-0{i + 1}T00:00:00Z", "listing": {answer.listing.model_dump_json()},'
        f' "assessment": {answer.assessment.model_dump_json()}}}\n'
        for i, answer in enumerate(answers)
    ]
    file = tmp_path / "kept.jsonl"
    file.write_text("".join(rows), encoding="utf-8")
    return file


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """A plan that blocks what the default one holds."""
    file = tmp_path / "strict.yaml"
    file.write_text(STRICT, encoding="utf-8")
    return file


class TestSimulate:
    def test_the_store_is_replayed(self, run: RunCommand, database: str, strict: Path, tmp_path: Path) -> None:
        page, changes = tmp_path / "out" / "page.html", tmp_path / "changes.jsonl"
        ended = run("plan", "simulate", strict, "--database", database, "--report", page, "--changes", changes)

        assert ended.code == 0, ended.err
        assert "on 3 assessments, compared with what was decided at the time" in ended.out
        assert "hold_for_review -> block: l0" in ended.out
        (change,) = [json.loads(line) for line in changes.read_text(encoding="utf-8").splitlines()]
        assert (change["listing_id"], change["before"], change["after"]) == ("l0", "hold_for_review", "block")
        html = page.read_text(encoding="utf-8")
        assert html.count("data:image/png;base64,") == 4
        assert TITLES[0] in html

    def test_a_file_is_replayed_and_printed_for_machines(self, run: RunCommand, kept: Path, strict: Path) -> None:
        ended = run("plan", "simulate", strict, "--on", kept, "--json", "--per-day", "300")

        assert ended.json["history"] == {"first": "2026-03-01", "last": "2026-03-03", "days": 3, "listings_a_day": 300}
        assert ended.json["actions"]["stricter"] == 1

    def test_two_plans_can_be_compared(self, run: RunCommand, kept: Path, strict: Path) -> None:
        ended = run("plan", "simulate", default_plan_file(), "--on", kept, "--against", strict, "--json")

        assert ended.json["before"] == load_plan(strict).id
        assert ended.json["actions"]["looser"] == 1

    def test_a_model_and_a_plan_are_tried_together(
        self, run: RunCommand, kept: Path, small_model_dir: Path, strict: Path
    ) -> None:
        ended = run("plan", "simulate", strict, "--on", kept, "--model", small_model_dir, "--json")

        assert ended.json["candidate_model"]
        assert len(ended.json["harm"]) == 4

    def test_listings_that_were_never_assessed_are_tried(
        self, run: RunCommand, tmp_path: Path, small_model_dir: Path, strict: Path
    ) -> None:
        table = tmp_path / "listings.csv"
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "title"], *([str(i), title] for i, title in enumerate(TITLES))])
        ended = run("plan", "simulate", strict, "--on", table, "--model", small_model_dir, "--json")

        assert ended.json["n"] == 3
        assert ended.json["before"] == load_plan().id

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--on", "missing.jsonl"], "no such file"),
            (["--on", "table.csv"], "no file of kept assessments"),
            (["--report", "page.pdf"], "the report is a page"),
            (["--since", "yesterday"], "value 'yesterday' is no date"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(
        self, run: RunCommand, strict: Path, database: str, arguments: list[str], words: str
    ) -> None:
        ended = run("plan", "simulate", strict, "--database", database, *arguments)

        assert (ended.code, len(ended.err.splitlines())) == (1, 1)
        assert words in ended.err

    def test_an_empty_store_is_said(self, run: RunCommand, strict: Path, tmp_path: Path) -> None:
        ended = run("plan", "simulate", strict, "--database", f"sqlite:///{tmp_path / 'new.db'}")

        assert ended.code == 1
        assert "is the store empty" in ended.err


class TestReport:
    def test_the_plan_is_printed_as_page_and_pdf(
        self, run: RunCommand, database: str, strict: Path, tmp_path: Path
    ) -> None:
        plan = ["report", "plan", "--database", database, "--plan", default_plan_file(), "--previous", strict]
        ended = run(*plan, "--out", tmp_path / "out")

        assert ended.code == 0, ended.err
        assert (tmp_path / "out" / "plan.pdf").read_bytes().startswith(b"%PDF-")
        assert "Changes since the last version" in (tmp_path / "out" / "plan.html").read_text(encoding="utf-8")

    def test_the_live_plan_of_the_store_is_the_one_that_is_printed(
        self, run: RunCommand, database: str, tmp_path: Path
    ) -> None:
        own, other = load_plan(), parse_plan(STRICT.replace('version: "', 'version: "9')).plan
        assert other is not None
        engine = open_database(database)
        store = PlanStore(engine)
        store.start(own)
        kept = store.keep(other, "Ada", "Stricter after a sweep.")
        store.activate(kept.digest, "Bob", "Agreed.", four_eyes=True)
        engine.dispose()
        ended = run("report", "plan", "--database", database, "--out", tmp_path, "--json")

        assert ended.json["plan"] == other.id
        html = (tmp_path / "plan.html").read_text(encoding="utf-8")
        assert "Ada: Stricter after a sweep." in html
        assert f"Compared with {own.id}." in html

    def test_a_trial_is_reported(
        self, run: RunCommand, database: str, strict: Path, tmp_path: Path, answers: list[Answered]
    ) -> None:
        engine = open_database(database)
        plan = load_plan(strict)
        for answer in answers:
            decision = plan.decide(answer.assessment, answer.listing)
            trial = answer.assessment.model_copy(update={"id": answer.assessment.id[::-1], "decision": decision})
            ShadowStore(engine).save([shadow_row(answer.assessment, trial)])
        engine.dispose()
        page = tmp_path / "shadow.html"
        ended = run("report", "shadow", "--database", database, "--plan", strict, "--out", page)

        assert ended.code == 0, ended.err
        assert "1 change (33.33%): 1 stricter" in ended.out
        assert page.read_text(encoding="utf-8").count("<img") == 4

    def test_without_a_trial_there_is_nothing_to_report(self, run: RunCommand, database: str) -> None:
        ended = run("report", "shadow", "--database", database)

        assert ended.code == 1
        assert "HAZARDLENS_SHADOW_PLAN" in ended.err


class TestReasons:
    @pytest.mark.parametrize("from_file", [True, False])
    def test_statements_of_restrictions_are_built_and_pass_the_check(
        self, run: RunCommand, database: str, kept: Path, tmp_path: Path, from_file: bool
    ) -> None:
        out = tmp_path / "submissions.jsonl"
        source = ["--in", kept] if from_file else ["--database", database]
        ended = run("reasons", "build", *source, "--out", out, "--json")

        assert ended.code == 0, ended.err
        (body,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert check_batch(body) == []
        assert ended.json["statements"] == len(body["statements"]) > 0
        assert run("reasons", "check", out).out.strip() == "in order"

    def test_a_bad_statement_is_told_with_line_and_mend(self, run: RunCommand, kept: Path, tmp_path: Path) -> None:
        out = tmp_path / "submissions.jsonl"
        run("reasons", "build", "--in", kept, "--out", out)
        body = json.loads(out.read_text(encoding="utf-8"))
        body["statements"][0]["category"] = "TOYS"
        single = tmp_path / "bad.json"
        single.write_text(json.dumps(body), encoding="utf-8")
        ended = run("reasons", "check", single)

        assert ended.code == 1
        assert f"{single}: statements[0].category: value 'TOYS' is not known" in ended.out
        assert run("reasons", "check", single, "--json").json["valid"] is False

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["build", "--in", "missing.jsonl", "--out", "x.jsonl"], "no such file"),
            (["build", "--in", "missing.jsonl", "--out", "x.csv"], "ends in .jsonl"),
            (["check", "missing.json"], "no such file"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, run: RunCommand, arguments: list[str], words: str) -> None:
        ended = run("reasons", *arguments)

        assert (ended.code, len(ended.err.splitlines())) == (1, 1)
        assert words in ended.err

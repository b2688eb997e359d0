"""Two tiers: what the screen answers, what it leaves to the whole model, and how it travels in an artifact."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from hazardlens.cli import main
from hazardlens.result_rows import score_rows
from hazardlens.scoring_pool import ScoringPool
from models.classifier.classifier import HazardClassifier
from models.domain.action import Action
from models.domain.alert import Alert
from models.domain.errors import ArtifactError
from models.domain.listing import Caption, Listing
from models.domain.risk import RiskLevel
from models.plan.plan import Plan
from models.plan.reading import load_plan
from models.screening.screen import SCREEN, Screen
from models.sources.listings import ScoredInput, to_json_line
from serving.api.job_schemas import JobAnswer
from serving.api.problems import INVALID_PARAMETER
from serving.settings import Settings
from tests.hazardlens.conftest import RunCommand
from tests.serving.conftest import PATIENT_MS, client_of, within
from tests.serving.matching.conftest import put_alert
from tests.serving.test_error_shape import check
from training.screening import effective_scores

SAFE = (
    "Ceramic coffee mug, 350 ml, white",
    "Cotton t-shirt for men, navy blue",
    "Notebook A5, lined, 200 pages",
    "Paperback novel, crime fiction",
    "Leather handbag with shoulder strap",
    "Phone case, matte black",
    "Tasse aus Keramik, 350 ml, weiß",
    "Sac à main en cuir, bandoulière",
)
DANGEROUS = (
    "Green laser pointer pen 5000 mW, burns paper",
    "216 magnetic balls, strong neodymium",
    "Firecrackers, 100 pieces, very loud",
    "Water beads for kids, growing balls",
)


def listings_of(titles: Sequence[str]) -> list[Listing]:
    return [Listing(id=str(i), title=title) for i, title in enumerate(titles)]


@pytest.fixture(scope="module")
def screened_dir(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the small model with a screen as the command makes it; its threshold is set by hand."""
    place = tmp_path_factory.mktemp("screened")
    table = place / "listings.jsonl"
    table.write_text("\n".join(map(to_json_line, listings_of([*SAFE, *DANGEROUS]))) + "\n", encoding="utf-8")
    arguments = ["--ordinary", str(table), "--written", "400", "--out", str(place / "made"), "--no-progress"]
    assert main(["screen", "--model", str(small_model_dir), *arguments]) == 0
    made = HazardClassifier.load(place / "made", threads=2)
    assert made.screen is not None
    card = (place / "made-report" / "screen_card.md").read_text(encoding="utf-8")
    assert f"# Screen of hazardlens {made.version}" in card
    assert "This one never answers" in card
    assert made.screen.why_not, "a dozen listings promise nothing"
    answering = replace(made.screen, guarantee=replace(made.screen.guarantee, threshold=0.15), why_not="")
    replace(made, screen=answering).save(place / "model", made.manifest.facts if made.manifest else None)
    return place / "model"


@pytest.fixture(scope="module")
def screening_model(screened_dir: Path) -> HazardClassifier:
    """The model of `screened_dir`."""
    return HazardClassifier.load(screened_dir, threads=2)


def test_the_screen_lets_everyday_goods_pass_and_leaves_dangerous_ones_to_the_model(
    screening_model: HazardClassifier, default_plan: Plan
) -> None:
    listings = listings_of([*SAFE, *DANGEROUS])
    answers = list(screening_model.assess_many(listings, default_plan, tiers="two"))
    tiers = [answer.tier for answer in answers]
    assert tiers[: len(SAFE)].count("screen") >= len(SAFE) - 2
    assert tiers[len(SAFE) :] == ["full"] * len(DANGEROUS)
    assert [answer.listing_id for answer in answers] == [listing.id for listing in listings]


def test_what_the_screen_leaves_is_answered_as_without_it(
    screening_model: HazardClassifier, default_plan: Plan
) -> None:
    listings = listings_of([*DANGEROUS, *SAFE])
    plain = list(screening_model.assess_many(listings, default_plan))
    two = list(screening_model.assess_many(listings, default_plan, tiers="two"))
    assert all(a == b for a, b in zip(plain, two, strict=True) if b.tier == "full")
    assert all(answer.tier == "full" for answer in plain)


def test_an_answer_of_the_screen_has_the_one_shape_and_says_what_it_is(
    screening_model: HazardClassifier, default_plan: Plan
) -> None:
    (mug,) = listings_of(SAFE[:1])
    (screened,) = screening_model.assess_many([mug], default_plan, tiers="two")
    whole = screening_model.assess(mug, default_plan)
    assert screened.tier == "screen"
    assert json.loads(screened.model_dump_json())["tier"] == "screen"
    assert "tier" not in json.loads(whole.model_dump_json())
    assert screened.id != whole.id, "one is never taken for the other"
    assert screened.content_hash == whole.content_hash
    assert {h.risk_type for h in screened.hazards} == {h.risk_type for h in whole.hazards}
    assert sum(screened.level_probabilities.values()) == pytest.approx(1)
    assert screened.risk_level.rank < RiskLevel.HIGH.rank
    assert screened.decision.action in (Action.PUBLISH, Action.PUBLISH_WITH_WARNING)


def test_the_answer_to_a_listing_does_not_depend_on_its_neighbours(
    screening_model: HazardClassifier, default_plan: Plan
) -> None:
    listings = listings_of([*SAFE, *DANGEROUS])
    together = list(screening_model.assess_many(listings, default_plan, tiers="two"))
    alone = [next(screening_model.assess_many([listing], default_plan, tiers="two")) for listing in listings]
    assert [(a.id, a.tier, a.decision) for a in together] == [(a.id, a.tier, a.decision) for a in alone]


def test_what_the_plan_would_not_let_pass_is_for_the_whole_model(
    screening_model: HazardClassifier, tmp_path: Path
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        """
name: brand
version: "1"
title: Nothing of one brand
owner: test
mitigate:
  otherwise: publish
  on_error: hold_for_review
  queues: {all: {who: people, minutes: 5}}
  rules:
    - id: brand
      when: brand == "Acme"
      action: block
      queue: all
      legal_basis: [GPSR Article 22]
      reason: "Not sold here."
""",
        encoding="utf-8",
    )
    plan = load_plan(path)
    acme, other = Listing(id="1", title=SAFE[0], brand="Acme"), Listing(id="2", title=SAFE[0])
    answers = list(screening_model.assess_many([acme, other], plan, tiers="two"))
    assert [(a.tier, a.decision.action) for a in answers] == [("full", Action.BLOCK), ("screen", Action.PUBLISH)]


def test_marks_on_pictures_unread_text_and_worse_cues_are_for_the_whole_model(
    screening_model: HazardClassifier, default_plan: Plan
) -> None:
    marked = Listing(id="1", title=SAFE[0], captions=[Caption(text="warning", source="mark", mark="magnet-warning")])
    unread = Listing(id="2", title="ქვაბი მინის თავსახურით")
    empty = Listing(id="3", title="")
    answers = screening_model.assess_many([marked, unread, empty], default_plan, tiers="two")
    assert [answer.tier for answer in answers] == ["full"] * 3


def test_with_explanations_and_without_a_threshold_the_whole_model_answers(
    screening_model: HazardClassifier, small_model: HazardClassifier, default_plan: Plan
) -> None:
    mugs = listings_of(SAFE[:1])
    (explained,) = screening_model.assess_many(mugs, default_plan, "tokens", tiers="two")
    assert explained.tier == "full"
    assert explained.explanation
    screen = screening_model.screen
    assert screen is not None
    silent = replace(screening_model, screen=replace(screen, guarantee=replace(screen.guarantee, threshold=None)))
    for model in (silent, small_model):
        (answer,) = model.assess_many(mugs, default_plan, tiers="two")
        assert answer.tier == "full"


def test_a_screen_travels_in_the_artifact(
    screening_model: HazardClassifier, small_model: HazardClassifier, tmp_path: Path
) -> None:
    assert small_model.screen is None
    assert screening_model.version != small_model.version
    assert screening_model.manifest is not None
    assert SCREEN in screening_model.manifest.files
    (tmp_path / SCREEN).write_text('{"guarantee": 1}', encoding="utf-8")
    with pytest.raises(ArtifactError, match="not readable as a screen"):
        Screen.load(tmp_path)


def test_dangerous_listings_score_above_safe_ones(screening_model: HazardClassifier) -> None:
    screener = screening_model.screener
    assert screener is not None
    safe = effective_scores(screener, listings_of(SAFE))
    dangerous = effective_scores(screener, listings_of(DANGEROUS))
    assert sorted(safe)[-3] < min(dangerous)


def test_score_screens_where_it_is_asked_to(
    run: RunCommand, screened_dir: Path, small_model_dir: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(map(to_json_line, listings_of([*SAFE, *DANGEROUS]))) + "\n", encoding="utf-8")

    ended = run("score", "--model", screened_dir, "--in", source, "--out", out, "--tiers", "two", "--json")
    tiers = [json.loads(line)["tier"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert ended.code == 0
    assert ended.json["screened"] == tiers.count("screen") > 0
    run("score", "--model", screened_dir, "--in", source, "--out", out, "--json")
    assert {json.loads(line)["tier"] for line in out.read_text(encoding="utf-8").splitlines()} == {"full"}

    refused = run("score", "--model", small_model_dir, "--in", source, "--out", out, "--tiers", "two")
    assert refused.code == 1
    assert "hazardlens screen" in refused.err
    assert run("score", "--model", screened_dir, "--in", source, "--out", out, "--tiers", "three").code == 1


def test_processes_of_their_own_screen_alike(
    screened_dir: Path, screening_model: HazardClassifier, default_plan: Plan
) -> None:
    plan = default_plan.bound_to(screening_model.guarantees)
    rows = [ScoredInput(i, listing.id, listing) for i, listing in enumerate(listings_of([*SAFE, *DANGEROUS]))]
    pool = ScoringPool(screened_dir, None, screening_model.version, plan.id, 1, "two")
    assert list(pool.score(rows)) == list(score_rows(screening_model, plan, rows, tiers="two"))


def jobs_done(
    client: TestClient, listings: Sequence[Listing], **options: Any
) -> tuple[JobAnswer, list[dict[str, Any]]]:
    """Submit a job, wait for its end, and return how it stands and the assessments of its rows."""
    content = "\n".join(map(to_json_line, listings)) + "\n"
    headers = {"Content-Type": "application/x-ndjson"}
    submitted = client.post("/v1/jobs", content=content, headers=headers, params=options)
    assert submitted.status_code == 202, submitted.text
    place = submitted.headers["Location"]
    within(120, lambda: client.get(place).json()["finished_at"] is not None)
    rows = client.get(f"{place}/result").text.splitlines()
    return JobAnswer.model_validate(client.get(place).json()), [json.loads(row)["assessment"] for row in rows]


@contextmanager
def server(model: Path, place: Path, **settings: Any) -> Iterator[TestClient]:
    """A server with a database of its own."""
    of_its_own = Settings(
        model=model,
        database_url=f"sqlite:///{place / 'h.db'}",
        jobs=place / "jobs",
        max_queue_ms=PATIENT_MS,
        **settings,
    )
    with client_of(of_its_own) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)
        yield client


def test_a_job_in_two_tiers_says_which_answers_are_the_screens_and_keeps_them_apart(
    screened_dir: Path, tmp_path: Path
) -> None:
    listings = listings_of([*SAFE, *DANGEROUS])
    with server(screened_dir, tmp_path) as client:
        told, two = jobs_done(client, listings, tiers="two")
        plain_told, full = jobs_done(client, listings)
        assert (told.tiers, plain_told.tiers) == ("two", "full")
        tiers = [answer.get("tier", "full") for answer in two]
        assert tiers.count("screen") >= len(SAFE) - 2
        assert tiers[len(SAFE) :] == ["full"] * len(DANGEROUS)
        assert not any("tier" in answer for answer in full)
        for one, other in zip(two, full, strict=True):
            assert (one["id"] == other["id"]) == ("tier" not in one), "kept under ids of their own"
            kept = client.get(f"/v1/assessments/{one['id']}").json()
            assert kept["assessment"]["risk_score"] == one["risk_score"]
            assert kept["assessment"].get("tier") == one.get("tier")
        table = client.get(f"/v1/jobs/{told.id}/result", params={"format": "arrow"}).content
        assert pa.ipc.open_stream(table).read_all()["tier"].to_pylist() == tiers
        assert client.post("/v1/assessments", json=json.loads(to_json_line(listings[0]))).json().get("tier") is None
        _, explained = jobs_done(client, listings[:2], tiers="two", explain="tokens")
        assert not any("tier" in answer for answer in explained), "a screen explains nothing"


def test_a_listing_that_a_known_alert_may_be_about_is_for_the_whole_model(screened_dir: Path, tmp_path: Path) -> None:
    mug = Alert(
        "safety-gate", "1", "Ceramic coffee mug Zarvox", brand="Zarvox", models=("KX-204",), risk_types=("burns",)
    )
    known = Listing(id="known", title=SAFE[0], brand="Zarvox", model="KX-204")
    other = Listing(id="other", title=SAFE[1])
    with server(screened_dir, tmp_path, job_tiers="two") as client:
        services = client.app.state.services
        _, before = jobs_done(client, [known, other])
        put_alert(services.store.engine, mug)
        services.engine.in_force.recalls.refresh()
        _, after = jobs_done(client, [known, other])
    assert [answer.get("tier", "full") for answer in before] == ["screen", "screen"]
    assert [answer.get("tier", "full") for answer in after] == ["full", "screen"]
    assert after[0]["matches"][0]["alert_id"] == "a1"
    assert after[1]["recall_match"] is not None, "it was compared with the alerts"


def test_two_tiers_are_refused_where_the_model_has_no_screen_and_no_default_asks_for_them(
    small_model_dir: Path, tmp_path: Path
) -> None:
    with server(small_model_dir, tmp_path, job_tiers="two") as client:
        refused = client.post(
            "/v1/jobs", content="{}\n", headers={"Content-Type": "application/x-ndjson"}, params={"tiers": "two"}
        )
        assert check(refused, 422).type == INVALID_PARAMETER.uri
        assert "no screen" in refused.json()["detail"]
        told, answers = jobs_done(client, listings_of(SAFE[:2]))
    assert told.tiers == "two"
    assert not any("tier" in answer for answer in answers)

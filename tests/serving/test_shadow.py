"""Plan and model on trial: they see live traffic, are compared with it, and have no effect on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from models.plan.reading import default_plan_file, load_plan, plan_file_text
from models.simulation.replay import recount
from models.simulation.summary import Compared, summary
from serving.engine import AssessmentEngine
from serving.settings import Settings
from serving.shadow.runner import ShadowRunner, Trial, sampled
from serving.shadow.store import ShadowStore, shadow_row
from serving.store.assessments import Answered, AssessmentStore
from tests.serving.conftest import BAG, StartApp, post

LASER = {"id": "laser", "title": "Green laser pointer pen 5000 mW", "description": "Burns paper. Fun gift for kids."}

STRICT = plan_file_text(default_plan_file()).replace("action: hold_for_review", "action: block")


@pytest.fixture
def strict_plan(tmp_path: Path) -> Path:
    """A plan that blocks what the live one holds."""
    file = tmp_path / "strict.yaml"
    file.write_text(STRICT, encoding="utf-8")
    return file


def runner_of(client: TestClient) -> ShadowRunner:
    """The trial of a running app."""
    found: ShadowRunner = client.app.state.services.shadow  # type: ignore[attr-defined]
    return found


def settled(client: TestClient) -> dict[str, Any]:
    """What /v1/shadow says once everything handed over is done."""
    runner_of(client).drain()
    answer = client.get("/v1/shadow")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class TestOnLiveTraffic:
    def test_without_a_trial_nothing_is_tried(self, client: TestClient) -> None:
        post(client, {"listings": [LASER]})
        found = settled(client)

        assert (found["state"], found["taken"], found["comparison"]["n"]) == ("off", 0, 0)
        assert found["comparison"]["agreement"] is None

    def test_a_plan_on_trial_is_compared_and_has_no_effect(
        self, start_app: StartApp, settings: Settings, strict_plan: Path
    ) -> None:
        live = post(start_app(replace(settings, database_url=f"{settings.database_url}2")), [LASER, BAG])
        client = start_app(replace(settings, shadow_plan=strict_plan))
        answer = post(client, [LASER, BAG])
        found = settled(client)

        assert answer == live
        assert (found["state"], found["done"], found["failed"]) == ("running", 2, 0)
        assert found["plan"] == load_plan(strict_plan).id
        assert found["comparison"]["actions"] == [
            {"live": "publish", "trial": "publish", "n": 1},
            {"live": "hold_for_review", "trial": "block", "n": 1},
        ]
        assert (found["comparison"]["agreement"], found["comparison"]["stricter"]) == (0.5, 1)
        assert found["comparison"]["mean_score"]["distance"] == 0

        (row,) = client.get("/v1/shadow/differences").json()["differences"]
        assert (row["listing_id"], row["live_action"], row["action"]) == ("laser", "hold_for_review", "block")

    def test_a_model_on_trial_decides_by_the_live_plan(
        self, start_app: StartApp, settings: Settings, small_model_dir: Path
    ) -> None:
        client = start_app(replace(settings, shadow_model=small_model_dir))
        post(client, [LASER, BAG])
        found = settled(client)

        assert found["model"] == client.get("/v1/model").json()["version"]
        assert found["plan"] is None
        assert (found["comparison"]["n"], found["comparison"]["agreement"]) == (2, 1.0)

    def test_the_same_listing_is_kept_once(self, start_app: StartApp, settings: Settings, strict_plan: Path) -> None:
        client = start_app(replace(settings, shadow_plan=strict_plan))
        for _ in range(3):
            post(client, [LASER])
        assert settled(client)["comparison"]["n"] == 1

    def test_a_rate_of_nought_takes_nothing(self, start_app: StartApp, settings: Settings, strict_plan: Path) -> None:
        client = start_app(replace(settings, shadow_plan=strict_plan, shadow_rate=0.0))
        post(client, [LASER])
        assert settled(client)["state"] == "off"

    @pytest.mark.parametrize("broken", ["missing.yaml", "no plan"])
    def test_a_plan_that_cannot_be_loaded_fails_alone(
        self, start_app: StartApp, settings: Settings, tmp_path: Path, broken: str
    ) -> None:
        file = tmp_path / "broken.yaml"
        if broken == "no plan":
            file.write_text("name: x\nmitigate: 7\n", encoding="utf-8")
        client = start_app(replace(settings, shadow_plan=file))
        post(client, [LASER])
        found = settled(client)

        assert found["state"] == "failed"
        assert str(file) in found["last_failure"]
        assert client.get("/readyz").status_code == 200

    def test_counts_can_be_read_for_one_plan(self, start_app: StartApp, settings: Settings, strict_plan: Path) -> None:
        client = start_app(replace(settings, shadow_plan=strict_plan))
        post(client, [LASER])
        (tried,) = settled(client)["tried"]

        assert client.get("/v1/shadow", params={"plan": tried["plan"]}).json()["comparison"]["n"] == 1
        assert client.get("/v1/shadow", params={"plan": "another"}).json()["comparison"]["n"] == 0


@pytest.fixture
def answers(engine: AssessmentEngine) -> list[Answered]:
    """Two answers as the live path hands them over."""
    from models.domain.listing import Listing

    listings = [Listing.model_validate(raw) for raw in (LASER, BAG)]
    return [Answered(listing, engine.model.assess(listing, engine.plan)) for listing in listings]


class TestFailure:
    @pytest.fixture
    def runner(self, engine: AssessmentEngine, store: AssessmentStore, strict_plan: Path) -> ShadowRunner:
        return ShadowRunner(Trial(plan=strict_plan), ShadowStore(store.engine), engine)

    def test_one_listing_that_fails_loses_no_other(
        self, runner: ShadowRunner, answers: list[Answered], monkeypatch: pytest.MonkeyPatch, store: AssessmentStore
    ) -> None:
        judge = runner.judge

        def fails_on_the_first(listing: Any, live: Any) -> Any:
            if listing.id == "laser":
                raise RuntimeError("no luck")
            return judge(listing, live)

        monkeypatch.setattr(runner, "judge", fails_on_the_first)
        run(runner, answers)

        assert (runner.state.done, runner.state.failed) == (1, 1)
        assert runner.state.last_failure == "listing 'laser' could not be tried: RuntimeError: no luck"
        assert ShadowStore(store.engine).comparison()["n"] == 1

    def test_a_store_that_fails_is_told(
        self, runner: ShadowRunner, answers: list[Answered], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Any) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(runner._store, "save", refuse)
        run(runner, answers)

        assert (runner.state.done, runner.state.failed) == (0, 2)
        assert "disk full" in (runner.state.last_failure or "")

    def test_what_waits_holds_no_explanation(
        self, runner: ShadowRunner, engine: AssessmentEngine, answers: list[Answered]
    ) -> None:
        full = engine.model.assess(answers[0].listing, engine.plan, "full")
        assert full.explanation
        runner.state.state = "running"
        runner.offer([Answered(answers[0].listing, full, "full")])
        waiting = runner._waiting.get_nowait()

        assert waiting is not None
        assert waiting.assessment == full.model_copy(update={"explanation": []})

    def test_a_full_queue_passes_over_and_never_waits(self, runner: ShadowRunner, answers: list[Answered]) -> None:
        runner.state.state = "running"  # its thread is not there, as if it were stuck
        runner.offer(answers * 1_500)

        assert (runner.state.taken, runner.state.passed_over) == (2_000, 1_000)
        runner.end()


def run(runner: ShadowRunner, answers: list[Answered]) -> None:
    """Let the trial see some answers."""
    runner.begin()
    runner.offer(answers)
    runner.drain()
    runner.end()


class TestStore:
    def test_what_was_tried_can_be_reported_like_a_simulation(
        self, engine: AssessmentEngine, store: AssessmentStore, answers: list[Answered], strict_plan: Path
    ) -> None:
        store.save(answers)
        runner = ShadowRunner(Trial(plan=strict_plan), ShadowStore(store.engine), engine)
        run(runner, answers)
        plan = load_plan(strict_plan)
        figures = summary(recount(ShadowStore(store.engine).records(), plan), Compared(plan))

        assert (figures["n"], figures["actions"]["stricter"]) == (2, 1)
        assert figures["harm"][0]["missed"] == figures["harm"][1]["missed"]
        (change,) = figures["changes"]
        assert change["after"] == "block"

    def test_differences_are_newest_first_and_limited(self, store: AssessmentStore, answers: list[Answered]) -> None:
        from models.domain.action import Action

        store.save(answers)
        shadow = ShadowStore(store.engine)
        for i, answer in enumerate(answers):
            decision = answer.assessment.decision.model_copy(update={"action": Action.BLOCK})
            trial = answer.assessment.model_copy(update={"id": f"{i:032}", "decision": decision})
            shadow.save([shadow_row(answer.assessment, trial)])

        assert [row.listing_id for row in shadow.differences(5)] == ["bag", "laser"]
        assert len(shadow.differences(1)) == 1


@given(st.binary(min_size=32, max_size=32), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_rate_only_adds_listings(content: bytes, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert not sampled(content.hex(), low) or sampled(content.hex(), high)
    assert sampled(content.hex(), 1.0)
    assert not sampled(content.hex(), 0.0)


def test_the_rate_is_the_share() -> None:
    from hashlib import sha256

    hashes = [sha256(str(i).encode()).hexdigest() for i in range(4_000)]
    assert 0.22 < sum(sampled(content, 0.25) for content in hashes) / 4_000 < 0.28

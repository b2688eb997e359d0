"""Plans by API: stored as they are, checked first, live by an explicit act of another person, back in one call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.api.plan_schemas import PlanActAnswer, PlanList, PlanStored, StoredPlanAnswer
from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import BAG, StartApp, post
from tests.serving.test_error_shape import check

STRICT = "name: strict\nversion: {version}\nmitigate:\n  otherwise: {action}\n  rules: []\n"
ACTS = ("/v1/plans", "/v1/plans/rollback", "/v1/plans/strict@1+00000000/activate")


def plan(version: int = 1, action: str = "block") -> dict[str, str]:
    return {"content": STRICT.format(version=version, action=action), "author": "Ada", "reason": "A trial."}


def by(person: str) -> dict[str, str]:
    return {"person": person, "reason": "Agreed."}


@pytest.fixture
def admin(start_app: StartApp, settings: Settings) -> TestClient:
    """An app that lets its plan be changed."""
    return start_app(replace(settings, plan_admin=True))


@pytest.fixture(scope="module")
def shared_admin(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The same, for tests that store and change nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'h.db'}"
    with TestClient(create_app(Settings(model=small_model_dir, database_url=url, plan_admin=True))) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        yield client


def stored(client: TestClient, body: dict[str, str]) -> str:
    response = client.post("/v1/plans", json=body)
    assert response.status_code == 200, response.text
    return str(PlanStored.model_validate(response.json()).plan.id)


def acted(client: TestClient, path: str, person: str) -> PlanActAnswer:
    response = client.post(f"/v1/plans/{path}", json=by(person))
    assert response.status_code == 200, response.text
    return PlanActAnswer.model_validate(response.json())


def action(client: TestClient) -> tuple[str, str]:
    """Action for a harmless listing, and the plan that its assessment names."""
    answer = post(client, [BAG])
    assessment = answer["results"][0]["assessment"]
    assert assessment["versions"] == answer["versions"]
    return assessment["decision"]["action"], assessment["versions"]["plan"]


def test_the_plan_of_the_file_is_stored_and_live_from_the_start(client: TestClient, plan_id: str) -> None:
    listed = PlanList.model_validate(client.get("/v1/plans").json())
    assert listed.in_force == plan_id
    assert [(row.id, row.live, row.author) for row in listed.plans] == [(plan_id, True, "server")]
    assert [(act.act, act.plan) for act in listed.acts] == [("start", plan_id)]


def test_a_plan_goes_live_and_back(admin: TestClient, plan_id: str) -> None:
    assert action(admin) == ("publish", plan_id)
    name = stored(admin, plan())
    assert action(admin) == ("publish", plan_id)  # stored is not live
    answer = acted(admin, f"{name}/activate", "Grace")
    assert (answer.before, answer.in_force) == (plan_id, name)
    assert action(admin) == ("block", name)
    assert admin.get("/v1/model").json()["plan"]["id"] == name
    assert f'plan="{name}"' in admin.get("/metrics").text
    back = acted(admin, "rollback", "Ada")
    assert (back.before, back.in_force) == (name, plan_id)
    assert action(admin) == ("publish", plan_id)
    acts = PlanList.model_validate(admin.get("/v1/plans").json()).acts
    assert [(act.act, act.plan, act.person) for act in acts] == [
        ("rollback", plan_id, "Ada"),
        ("activate", name, "Grace"),
        ("start", plan_id, "server"),
    ]


def test_rolling_back_twice_goes_back_two_plans(admin: TestClient, plan_id: str) -> None:
    first, second = stored(admin, plan(1)), stored(admin, plan(2, "hold_for_review"))
    for name in (first, second):
        acted(admin, f"{name}/activate", "Grace")
    assert acted(admin, "rollback", "Grace").in_force == first
    assert acted(admin, "rollback", "Grace").in_force == plan_id
    problem = check(admin.post("/v1/plans/rollback", json=by("Grace")), 409)
    assert "none to go back" in problem.detail


def test_a_plan_is_read_back_as_it_was_stored(admin: TestClient) -> None:
    body = plan()
    name = stored(admin, body)
    read = StoredPlanAnswer.model_validate(admin.get(f"/v1/plans/{name}").json())
    assert (read.content, read.author, read.reason, read.live) == (body["content"], "Ada", "A trial.", False)
    assert read.document is not None
    assert read.document["mitigate"]["otherwise"] == "block"
    assert admin.get(f"/v1/plans/{read.digest}").json()["id"] == name


def test_equal_content_is_stored_once_and_its_author_stays(admin: TestClient) -> None:
    first = stored(admin, plan())
    assert stored(admin, {**plan(), "author": "Mallory", "reason": "Mine."}) == first
    assert admin.get(f"/v1/plans/{first}").json()["author"] == "Ada"


def test_a_version_that_is_taken_is_refused(admin: TestClient) -> None:
    stored(admin, plan())
    problem = check(admin.post("/v1/plans", json=plan(1, "publish")), 409)
    assert "raise the version" in problem.detail


def test_four_eyes_by_setting(start_app: StartApp, settings: Settings, admin: TestClient, tmp_path: Path) -> None:
    name = stored(admin, plan())
    problem = check(admin.post(f"/v1/plans/{name}/activate", json=by(" ada ")), 409)
    assert "another person" in problem.detail
    url = f"sqlite:///{tmp_path / 'other.db'}"
    two_eyes = start_app(replace(settings, plan_admin=True, plan_four_eyes=False, database_url=url))
    assert acted(two_eyes, f"{stored(two_eyes, plan())}/activate", "Ada").in_force == name


@pytest.mark.parametrize("path", ACTS)
def test_acts_are_off_by_default(shared_client: TestClient, plan_id: str, path: str) -> None:
    problem = check(shared_client.post(path, json=plan() if path == "/v1/plans" else by("Grace")), 403)
    assert "HAZARDLENS_PLAN_ADMIN" in problem.detail
    assert action(shared_client)[1] == plan_id


def test_a_broken_plan_is_refused_with_every_place(shared_admin: TestClient) -> None:
    body = {**plan(), "content": "name: p\nversion: 1\nmitigate:\n  otherwise: publsh\n  rules: [{}]\n"}
    problem = check(shared_admin.post("/v1/plans", json=body), 422)
    assert problem.type.endswith("invalid-plan")
    first = problem.errors[0]
    assert (first.field, first.value) == ("content, line 4, column 14", "otherwise: publsh")
    assert "did you mean 'publish'?" in first.hint
    assert len(problem.errors) == 5


def test_words_that_the_model_does_not_know_are_refused(shared_admin: TestClient) -> None:
    content = STRICT.format(version=1, action="publish").replace(
        "rules: []", 'rules: [{id: a, when: hazard("boredom") > 0.1, action: block, reason: R}]'
    )
    assert (
        "'boredom' is not a risk type"
        in check(shared_admin.post("/v1/plans", json={**plan(), "content": content}), 422).detail
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({**plan(), "author": " "}, "author"),
        ({**plan(), "reason": ""}, "reason"),
        ({**plan(), "author": 5}, "author"),
        ({**plan(), "author": "a\x00"}, "author"),
        ({**plan(), "who": "me"}, "who"),
        ([], ""),
    ],
)
def test_a_body_of_another_shape_is_told_by_field(shared_admin: TestClient, body: Any, field: str) -> None:
    assert check(shared_admin.post("/v1/plans", json=body), 422).errors[0].field == field


@pytest.mark.parametrize("name", ["none@1+00000000", "x" * 3_000, "a%00b", "é"])
def test_an_unknown_plan_is_404(shared_admin: TestClient, name: str) -> None:
    check(shared_admin.get(f"/v1/plans/{name}"), 404)
    check(shared_admin.post(f"/v1/plans/{name}/activate", json=by("Grace")), 404)


def test_a_plan_cannot_be_put_in_force_twice(admin: TestClient) -> None:
    name = stored(admin, plan())
    acted(admin, f"{name}/activate", "Grace")
    assert "live already" in check(admin.post(f"/v1/plans/{name}/activate", json=by("Grace")), 409).detail


def test_another_server_on_the_same_store_follows(start_app: StartApp, settings: Settings, admin: TestClient) -> None:
    other = start_app(settings)
    name = stored(admin, plan())
    acted(admin, f"{name}/activate", "Grace")
    other.app.state.services.live_plan.refresh()  # type: ignore[attr-defined]
    assert action(other) == ("block", name)


def test_what_was_activated_stays_live_after_a_restart(
    start_app: StartApp, settings: Settings, admin: TestClient
) -> None:
    name = stored(admin, plan())
    acted(admin, f"{name}/activate", "Grace")
    restarted = start_app(settings)
    assert action(restarted) == ("block", name)
    acts = PlanList.model_validate(restarted.get("/v1/plans").json()).acts
    assert [act.act for act in acts] == ["activate", "start"]


def test_no_answer_mixes_plans_while_they_are_swapped(admin: TestClient, plan_id: str) -> None:
    """Each plan has an action of its own; an answer's action must be that of the plan it names."""
    name = stored(admin, plan())
    expected = {plan_id: "publish", name: "block"}
    over = threading.Event()

    def answered(number: int) -> list[tuple[str, str]]:
        answer = post(admin, [{"id": str(i), "title": f"Cotton tote bag {number}"} for i in range(3)])
        made = [result["assessment"] for result in answer["results"]]
        assert {assessment["versions"]["plan"] for assessment in made} == {answer["versions"]["plan"]}
        return [(assessment["versions"]["plan"], assessment["decision"]["action"]) for assessment in made]

    def ask(number: int) -> list[tuple[str, str]]:
        seen = []
        while not over.is_set():
            seen += answered(number)
        return seen

    with ThreadPoolExecutor(3) as pool:
        asked: list[Any] = [pool.submit(ask, number) for number in range(3)]
        seen = set()
        for i in range(12):
            acted(admin, f"{name}/activate" if i % 2 == 0 else "rollback", "Grace")
            seen.update(answered(3))  # on a busy machine twelve acts may fit between two answers
        over.set()
    seen.update(pair for future in asked for pair in future.result())
    assert all(expected[plan] == action for plan, action in seen)
    assert {plan for plan, _ in seen} == set(expected)


def test_acts_at_once_are_done_one_after_the_other(admin: TestClient) -> None:
    names = [stored(admin, plan(version)) for version in range(1, 7)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: acted(admin, f"{name}/activate", "Grace"), names))
    listed = PlanList.model_validate(admin.get("/v1/plans").json())
    assert listed.acts[0].plan == next(row.id for row in listed.plans if row.live) == listed.in_force
    for _ in names:
        acted(admin, "rollback", "Grace")
    assert admin.post("/v1/plans/rollback", json=by("Grace")).status_code == 409

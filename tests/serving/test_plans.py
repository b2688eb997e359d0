"""Plans by API: stored as they are, checked first, live by an explicit act of another person, back in one call."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.principal import Role
from serving.api.plan_schemas import PlanActAnswer, PlanList, PlanStored, StoredPlanAnswer
from serving.settings import Settings
from tests.serving.conftest import BAG, StartApp, bearer, post
from tests.serving.test_error_shape import check

STRICT = "name: strict\nversion: {version}\nmitigate:\n  otherwise: {action}\n  rules: []\n"


def plan(version: int = 1, action: str = "block") -> dict[str, str]:
    return {"content": STRICT.format(version=version, action=action), "reason": "A trial."}


REASON = {"reason": "Agreed."}


@pytest.fixture
def admin(start_app: StartApp, settings: Settings) -> TestClient:
    """An app and Grace, who may put plans in force."""
    return start_app(settings, Role.ADMIN, name="Grace")


@pytest.fixture
def ada(settings: Settings) -> dict[str, str]:
    """Header with the key of Ada, who writes plans and may put none in force."""
    return bearer(settings, Role.SCIENTIST, name="Ada")


def stored(client: TestClient, body: dict[str, str], who: dict[str, str]) -> str:
    response = client.post("/v1/plans", json=body, headers=who)
    assert response.status_code == 200, response.text
    return str(PlanStored.model_validate(response.json()).plan.id)


def acted(client: TestClient, path: str, who: dict[str, str] | None = None) -> PlanActAnswer:
    response = client.post(f"/v1/plans/{path}", json=REASON, headers=who)
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


def test_a_plan_goes_live_and_back(admin: TestClient, ada: dict[str, str], plan_id: str) -> None:
    assert action(admin) == ("publish", plan_id)
    name = stored(admin, plan(), ada)
    assert action(admin) == ("publish", plan_id)  # stored is not live
    answer = acted(admin, f"{name}/activate")
    assert (answer.before, answer.in_force) == (plan_id, name)
    assert action(admin) == ("block", name)
    assert admin.get("/v1/model").json()["plan"]["id"] == name
    assert f'plan="{name}"' in admin.get("/metrics").text
    back = acted(admin, "rollback", ada)
    assert (back.before, back.in_force) == (name, plan_id)
    assert action(admin) == ("publish", plan_id)
    acts = PlanList.model_validate(admin.get("/v1/plans").json()).acts
    assert [(act.act, act.plan, act.person) for act in acts] == [
        ("rollback", plan_id, "Ada"),
        ("activate", name, "Grace"),
        ("start", plan_id, "server"),
    ]


def test_rolling_back_twice_goes_back_two_plans(admin: TestClient, ada: dict[str, str], plan_id: str) -> None:
    first, second = stored(admin, plan(1), ada), stored(admin, plan(2, "hold_for_review"), ada)
    for name in (first, second):
        acted(admin, f"{name}/activate")
    assert acted(admin, "rollback").in_force == first
    assert acted(admin, "rollback").in_force == plan_id
    problem = check(admin.post("/v1/plans/rollback", json=REASON), 409)
    assert "none to go back" in problem.detail


def test_a_plan_is_read_back_as_it_was_stored(admin: TestClient, ada: dict[str, str]) -> None:
    body = plan()
    name = stored(admin, body, ada)
    read = StoredPlanAnswer.model_validate(admin.get(f"/v1/plans/{name}").json())
    assert (read.content, read.author, read.reason, read.live) == (body["content"], "Ada", "A trial.", False)
    assert read.document is not None
    assert read.document["mitigate"]["otherwise"] == "block"
    assert admin.get(f"/v1/plans/{read.digest}").json()["id"] == name


def test_equal_content_is_stored_once_and_its_author_stays(
    settings: Settings, admin: TestClient, ada: dict[str, str]
) -> None:
    first = stored(admin, plan(), ada)
    mallory = bearer(settings, Role.SCIENTIST, name="Mallory")
    assert stored(admin, {**plan(), "reason": "Mine."}, mallory) == first
    assert admin.get(f"/v1/plans/{first}").json()["author"] == "Ada"


def test_a_version_that_is_taken_is_refused(admin: TestClient, ada: dict[str, str]) -> None:
    stored(admin, plan(), ada)
    problem = check(admin.post("/v1/plans", json=plan(1, "publish")), 409)
    assert "raise the version" in problem.detail


def test_four_eyes_are_those_of_two_keys(start_app: StartApp, settings: Settings, tmp_path: Path) -> None:
    grace, ada = start_app(settings, Role.ADMIN, name="Grace"), bearer(settings, Role.ADMIN, name="Ada")
    name = stored(grace, plan(), ada)
    problem = check(grace.post(f"/v1/plans/{name}/activate", json=REASON, headers=ada), 409)
    assert "another person" in problem.detail
    assert acted(grace, f"{name}/activate").in_force == name
    assert grace.get("/v1/plans").json()["acts"][0]["person"] == "Grace"


def test_a_second_key_of_the_same_name_is_the_same_person(
    start_app: StartApp, settings: Settings, ada: dict[str, str]
) -> None:
    client = start_app(settings, Role.ADMIN, name="Grace")
    name = stored(client, plan(), {})
    keys = client.app.state.services.keyring.store  # type: ignore[attr-defined]
    second = {"Authorization": f"Bearer {keys.rotate('Grace', timedelta(days=1))[0].secret}"}
    assert "Grace wrote" in check(client.post(f"/v1/plans/{name}/activate", json=REASON, headers=second), 409).detail


def test_two_eyes_are_enough_by_setting(start_app: StartApp, settings: Settings) -> None:
    client = start_app(replace(settings, plan_four_eyes=False))
    name = stored(client, plan(), {})
    assert acted(client, f"{name}/activate").in_force == name


def test_who_acts_is_never_taken_from_the_body(shared_client: TestClient) -> None:
    given = {**plan(), "author": "Ada"}
    assert check(shared_client.post("/v1/plans", json=given), 422).errors[0].field == "author"
    given = {**REASON, "person": "Ada"}
    assert check(shared_client.post("/v1/plans/rollback", json=given), 422).errors[0].field == "person"


def test_a_broken_plan_is_refused_with_every_place(shared_client: TestClient) -> None:
    body = {**plan(), "content": "name: p\nversion: 1\nmitigate:\n  otherwise: publsh\n  rules: [{}]\n"}
    problem = check(shared_client.post("/v1/plans", json=body), 422)
    assert problem.type.endswith("invalid-plan")
    first = problem.errors[0]
    assert (first.field, first.value) == ("content, line 4, column 14", "otherwise: publsh")
    assert "did you mean 'publish'?" in first.hint
    assert len(problem.errors) == 5


def test_words_that_the_model_does_not_know_are_refused(shared_client: TestClient) -> None:
    content = STRICT.format(version=1, action="publish").replace(
        "rules: []", 'rules: [{id: a, when: hazard("boredom") > 0.1, action: block, reason: R}]'
    )
    assert (
        "'boredom' is not a risk type"
        in check(shared_client.post("/v1/plans", json={**plan(), "content": content}), 422).detail
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({**plan(), "reason": ""}, "reason"),
        ({**plan(), "reason": 5}, "reason"),
        ({**plan(), "reason": "a\x00"}, "reason"),
        ({**plan(), "who": "me"}, "who"),
        ([], ""),
    ],
)
def test_a_body_of_another_shape_is_told_by_field(shared_client: TestClient, body: Any, field: str) -> None:
    assert check(shared_client.post("/v1/plans", json=body), 422).errors[0].field == field


@pytest.mark.parametrize("name", ["none@1+00000000", "x" * 3_000, "a%00b", "é"])
def test_an_unknown_plan_is_404(shared_client: TestClient, name: str) -> None:
    check(shared_client.get(f"/v1/plans/{name}"), 404)
    check(shared_client.post(f"/v1/plans/{name}/activate", json=REASON), 404)


def test_a_plan_cannot_be_put_in_force_twice(admin: TestClient, ada: dict[str, str]) -> None:
    name = stored(admin, plan(), ada)
    acted(admin, f"{name}/activate")
    assert "live already" in check(admin.post(f"/v1/plans/{name}/activate", json=REASON), 409).detail


def test_another_server_on_the_same_store_follows(
    start_app: StartApp, settings: Settings, admin: TestClient, ada: dict[str, str]
) -> None:
    other = start_app(settings)
    name = stored(admin, plan(), ada)
    acted(admin, f"{name}/activate")
    other.app.state.services.live_plan.refresh()  # type: ignore[attr-defined]
    assert action(other) == ("block", name)


def test_what_was_activated_stays_live_after_a_restart(
    start_app: StartApp, settings: Settings, admin: TestClient, ada: dict[str, str]
) -> None:
    name = stored(admin, plan(), ada)
    acted(admin, f"{name}/activate")
    restarted = start_app(settings)
    assert action(restarted) == ("block", name)
    acts = PlanList.model_validate(restarted.get("/v1/plans").json()).acts
    assert [act.act for act in acts] == ["activate", "start"]


def test_no_answer_mixes_plans_while_they_are_swapped(admin: TestClient, ada: dict[str, str], plan_id: str) -> None:
    """Each plan has an action of its own; an answer's action must be that of the plan it names."""
    name = stored(admin, plan(), ada)
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
            acted(admin, f"{name}/activate" if i % 2 == 0 else "rollback")
            seen.update(answered(3))  # on a busy machine twelve acts may fit between two answers
        over.set()
    seen.update(pair for future in asked for pair in future.result())
    assert all(expected[plan] == action for plan, action in seen)
    assert {plan for plan, _ in seen} == set(expected)


def test_acts_at_once_are_done_one_after_the_other(admin: TestClient, ada: dict[str, str]) -> None:
    names = [stored(admin, plan(version), ada) for version in range(1, 7)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: acted(admin, f"{name}/activate"), names))
    listed = PlanList.model_validate(admin.get("/v1/plans").json())
    assert listed.acts[0].plan == next(row.id for row in listed.plans if row.live) == listed.in_force
    for _ in names:
        acted(admin, "rollback")
    assert admin.post("/v1/plans/rollback", json=REASON).status_code == 409

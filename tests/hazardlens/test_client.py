"""The client against a real server that misbehaves on purpose, and against the real one."""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardlens import Client, ItemError
from hazardlens.client import parts
from hazardlens.client_errors import (
    AccessError,
    ConnectionFailedError,
    DeadlineError,
    InvalidRequestError,
    NotFoundError,
    ServerFaultError,
    TooBusyError,
    UnavailableError,
    UnexpectedAnswerError,
)
from hazardlens.retrying import Patience
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from tests.hazardlens.conftest import Unruly, assesses, cuts, drips, problem, replies, slowly

LAMP = {"id": "1", "title": "Lamp"}


@pytest.fixture
def client(unruly: Unruly, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client with short waits."""
    monkeypatch.setattr(Patience, "back_off", lambda self, attempt: 0.01)
    with Client(unruly.url, timeout=5, retries=3, deadline=20) as client:
        yield client


def test_a_single_listing_gives_an_assessment(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses())

    assessment = client.assess(Listing(id="7", title="Lamp"), explain="tokens")

    assert isinstance(assessment, Assessment)
    assert (assessment.listing_id, assessment.risk_level) == ("7", RiskLevel.NONE)
    (request,) = unruly.received
    assert (request.method, request.path, request.query) == ("POST", "/v1/assessments", "explain=tokens")
    assert request.headers["content-type"] == "application/json"


def test_an_item_that_is_refused_stands_in_its_place_and_loses_no_other(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses())

    first, second, third = client.assess([LAMP, {"id": "2"}, {"id": "3", "title": "Bag"}])

    assert isinstance(first, Assessment)
    assert isinstance(third, Assessment)
    assert isinstance(second, ItemError)
    assert (second.index, second.listing_id, second.problem.detail) == (1, "2", "title: is missing")


def test_a_single_listing_that_is_refused_raises(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses())

    with pytest.raises(ItemError, match="title: is missing"):
        client.assess({"id": "2"})


def test_an_empty_list_needs_no_request(client: Client, unruly: Unruly) -> None:
    unruly.will(problem(500))

    assert client.assess([]) == []
    assert unruly.received == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_refusal_is_retried(client: Client, unruly: Unruly, status: int) -> None:
    unruly.will(problem(status), problem(status), assesses())

    assert client.assess(LAMP).listing_id == "1"
    assert len(unruly.received) == 3
    assert len({request.body for request in unruly.received}) == 1


def test_a_cut_connection_is_retried(client: Client, unruly: Unruly) -> None:
    unruly.will(cuts, assesses())

    assert client.assess(LAMP).listing_id == "1"
    assert len(unruly.received) == 2


def test_a_slow_answer_is_given_up_after_the_timeout_and_asked_for_again(client: Client, unruly: Unruly) -> None:
    unruly.will(slowly(5, assesses()), assesses())

    with Client(unruly.url, timeout=0.3, retries=1) as hasty:
        assert hasty.assess(LAMP).listing_id == "1"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AccessError),
        (403, AccessError),
        (404, NotFoundError),
        (409, InvalidRequestError),
        (413, InvalidRequestError),
        (422, InvalidRequestError),
        (500, ServerFaultError),
    ],
)
def test_a_lasting_refusal_is_not_retried_and_keeps_the_servers_words(
    client: Client, unruly: Unruly, status: int, kind: type[InvalidRequestError]
) -> None:
    unruly.will(problem(status, "these words"))

    with pytest.raises(kind, match="these words") as caught:
        client.assess(LAMP)

    assert (caught.value.status, caught.value.problem.detail) == (status, "these words")
    assert len(unruly.received) == 1


@pytest.mark.parametrize(("status", "kind"), [(429, TooBusyError), (503, UnavailableError)])
def test_retries_end(client: Client, unruly: Unruly, status: int, kind: type[Exception]) -> None:
    unruly.will(problem(status))

    with pytest.raises(kind):
        client.assess(LAMP)

    assert len(unruly.received) == 4


def test_retry_after_in_seconds_is_honoured(client: Client, unruly: Unruly) -> None:
    unruly.will(problem(429, retry_after="1"), assesses())

    client.assess(LAMP)

    first, second = unruly.received
    assert second.at - first.at >= 0.95


def test_retry_after_as_a_date_is_honoured(client: Client, unruly: Unruly) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    unruly.will(problem(503, retry_after=format_datetime(later, usegmt=True)), assesses())

    client.assess(LAMP)

    first, second = unruly.received
    assert second.at - first.at >= 0.9


def test_a_wait_beyond_the_deadline_is_not_begun(client: Client, unruly: Unruly) -> None:
    unruly.will(problem(429, retry_after="3600"))
    begun = time.monotonic()

    with pytest.raises(DeadlineError, match="3600"):
        client.assess(LAMP)

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("step", [drips, slowly(5, replies(200))], ids=["dripping", "silent"])
def test_the_deadline_bounds_an_answer_that_never_ends(unruly: Unruly, step: Any) -> None:
    unruly.will(step)
    begun = time.monotonic()

    with Client(unruly.url, timeout=30, deadline=0.5) as client, pytest.raises(DeadlineError):
        client.assess(LAMP)

    assert time.monotonic() - begun < 3


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with Client(url, retries=1, deadline=10) as client, pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1"):
            client.assess(LAMP)


@pytest.mark.parametrize(
    "answer",
    [
        replies(200, b"<html>a proxy speaks</html>"),
        replies(200, {"results": [], "versions": {"model": "m", "plan": "p", "taxonomy": "t"}}),
        replies(200, {"anything": "else"}),
    ],
    ids=["html", "too few results", "other json"],
)
def test_an_answer_of_another_kind_is_told_apart(client: Client, unruly: Unruly, answer: Any) -> None:
    unruly.will(answer)

    with pytest.raises(UnexpectedAnswerError):
        client.assess(LAMP)


def test_a_refusal_without_problem_details_keeps_its_text(client: Client, unruly: Unruly) -> None:
    unruly.will(replies(403, b"no entry"))

    with pytest.raises(AccessError, match="403 Forbidden: no entry"):
        client.model()


def test_a_long_list_is_sent_in_parts_and_keeps_its_order(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses())
    listings = [{"id": str(i), "title": "x"} if i != 1_500 else {"id": "1500"} for i in range(2_300)]

    outcomes = client.assess(listings)

    assert [len(request.ids) for request in unruly.received] == [1_000, 1_000, 300]
    assert [outcome.listing_id for outcome in outcomes] == [str(i) for i in range(2_300)]
    assert [outcome.index for outcome in outcomes if isinstance(outcome, ItemError)] == [1_500]


def test_parts_are_smaller_where_everything_is_to_be_explained(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses())

    client.assess([{"id": str(i), "title": "x"} for i in range(101)], explain="full")

    assert [len(request.ids) for request in unruly.received] == [100, 1]


def test_a_server_with_a_lower_limit_gets_smaller_parts(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses(limit=3))
    listings = [{"id": str(i), "title": "x"} if i != 8 else {"id": "8"} for i in range(10)]

    outcomes = client.assess(listings)

    assert [outcome.listing_id for outcome in outcomes] == [str(i) for i in range(10)]
    assert [outcome.index for outcome in outcomes if isinstance(outcome, ItemError)] == [8]


@given(st.lists(st.binary(max_size=30)), st.integers(1, 5), st.integers(1, 60))
def test_parts_hold_everything_in_order_within_both_limits(texts: list[bytes], most: int, longest: int) -> None:
    found = list(parts(texts, most, longest))

    assert [text for part in found for text in part] == texts
    assert all(1 <= len(part) <= most for part in found)
    assert all(len(part) == 1 or sum(map(len, part)) <= longest for part in found)


@given(st.integers(0, 200), st.floats(0.01, 5), st.floats(0.01, 60))
def test_back_off_grows_and_stays_within_its_bounds(attempt: int, base: float, longest: float) -> None:
    wait = Patience(base=base, longest=longest).back_off(attempt)

    bound = min(longest, base * 2.0 ** min(attempt, 30))
    assert bound / 2 <= wait <= bound


@pytest.mark.parametrize("field", ["timeout", "deadline"])
def test_times_must_be_above_zero(field: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Client("http://127.0.0.1", **{field: 0})


def test_the_key_is_sent_and_only_where_there_is_one(client: Client, unruly: Unruly) -> None:
    unruly.will(assesses())
    with Client(unruly.url, api_key="secret") as keyed:
        keyed.assess(LAMP)
    client.assess(LAMP)

    with_key, without = unruly.received
    assert with_key.headers["authorization"] == "Bearer secret"
    assert "authorization" not in without.headers


def test_the_key_of_the_environment_is_sent_where_none_is_given(
    unruly: Unruly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAZARDLENS_API_KEY", "of the environment")
    unruly.will(assesses())
    for key in (None, "given"):
        with Client(unruly.url, key) as keyed:
            keyed.assess(LAMP)

    sent = [request.headers["authorization"] for request in unruly.received]
    assert sent == ["Bearer of the environment", "Bearer given"]


@pytest.mark.parametrize("step", [problem(503), cuts, replies(404, b"")], ids=["loading", "cut", "another server"])
def test_a_server_that_cannot_answer_is_not_ready_and_is_asked_once(client: Client, unruly: Unruly, step: Any) -> None:
    unruly.will(step)

    assert client.ready() is False
    assert len(unruly.received) == 1


@pytest.mark.parametrize("value", [float("nan"), {1, 2}])
def test_a_value_that_json_does_not_know_names_the_listing(client: Client, unruly: Unruly, value: object) -> None:
    unruly.will(assesses())

    with pytest.raises(InputError, match="listing 1"):
        client.assess([LAMP, {"id": "2", "title": value}])

    assert unruly.received == []


def test_an_id_is_one_segment_of_the_path(client: Client, unruly: Unruly) -> None:
    unruly.will(problem(404))

    with pytest.raises(NotFoundError):
        client.assessment("../model?x=1")

    assert unruly.received[0].path == "/v1/assessments/../model?x=1"


def test_importing_the_package_brings_no_http_library() -> None:
    code = "import hazardlens, sys; print([m for m in ('httpx', 'pydantic', 'numpy') if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


class TestAgainstTheRealServer:
    """The same client, the real application, a real model."""

    def test_it_waits_for_the_model_by_itself(self, real: Client) -> None:
        assert real.assess(LAMP).listing_id == "1"
        assert real.ready() is True

    def test_an_assessment_is_kept_and_can_be_read_again(self, real: Client) -> None:
        listing = Listing(id="kept", title="Green laser pointer pen 5000 mW")

        assessment = real.assess(listing, explain="tokens")
        stored = real.assessment(assessment.id)
        why = real.explanation(assessment.id, "tokens")

        assert stored.assessment == assessment
        assert stored.listing == listing
        assert assessment.explanation
        assert (why.assessment_id, why.risk_level) == (assessment.id, assessment.risk_level)

    def test_a_mapping_and_a_listing_give_the_same_answer(self, real: Client) -> None:
        assert real.assess(LAMP) == real.assess(Listing(id="1", title="Lamp"))

    def test_every_kind_of_bad_listing_is_an_item_error(self, real: Client) -> None:
        outcomes = real.assess(
            [LAMP, {"id": "2"}, {"id": "3", "title": "half \ud83d"}, {"id": "4", "title": 5}, {"id": "5", "title": ""}]
        )

        assert [type(outcome) for outcome in outcomes] == [Assessment, ItemError, ItemError, ItemError, Assessment]

    def test_the_model_says_what_it_is(self, real: Client) -> None:
        model = real.model()

        assert model.version == real.assess(LAMP).versions.model
        assert "choking" in model.labels

    def test_an_unknown_id_is_not_found(self, real: Client) -> None:
        with pytest.raises(NotFoundError):
            real.assessment("f" * 32)

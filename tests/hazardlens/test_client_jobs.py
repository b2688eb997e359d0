"""Jobs from Python: one job a submission however the line behaves, rows that stream, and the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hazardlens import Client, ItemError, Job
from hazardlens.client_errors import (
    ConnectionFailedError,
    DeadlineError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    UnexpectedAnswerError,
)
from hazardlens.retrying import Patience
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.api.problems import JOB_UNFINISHED, KEY_IN_USE, KEY_REUSED, NO_SUCH_RANGE, ProblemType
from tests.hazardlens.conftest import Received, Send, Step, Unruly, an_assessment, cuts, problem, replies

LAMP = {"id": "1", "title": "Lamp"}
NIGHT = [{"id": str(i), "title": f"Night light {i}"} for i in range(300)]


@pytest.fixture
def client(unruly: Unruly, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client with short waits."""
    monkeypatch.setattr(Patience, "back_off", lambda self, attempt: 0.01)
    with Client(unruly.url, timeout=5, retries=3, deadline=20) as client:
        yield client


def a_job(state: str = "queued", failure: str | None = None) -> Step:
    ended = None if state in ("queued", "running") else "2026-11-26T12:00:00Z"
    job = {
        "id": "0f" * 16, "state": state, "format": "jsonl", "explain": "none", "store": True, "priority": "normal",
        "progress": {"total": 3, "read": 1, "assessed": 1, "refused": 0, "rate": None, "seconds_left": None},
        "versions": [], "failure": failure, "result_bytes": 0, "created_at": "2026-11-26T12:00:00Z",
        "started_at": None, "finished_at": ended, "kept_until": None,
    }  # fmt: skip
    return replies(200, job)


def refuses(kind: ProblemType, **headers: str) -> Step:
    content = {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": "so it is", "instance": "/"}
    return replies(kind.status, content, **headers)


ROWS = b"".join(
    json.dumps({"index": i, "listing_id": str(i), "assessment": an_assessment(str(i)), "error": None}).encode() + b"\n"
    for i in range(5)
)


def rows(until: int | None = None) -> Step:
    """Send the rows from the byte that is asked for, and break off before the byte `until`."""

    async def step(request: Received, send: Send) -> None:
        start = int(request.headers.get("range", "bytes=0-")[len("bytes=") : -1])
        length = str(len(ROWS) - start).encode()
        headers = [(b"content-length", length)]
        await send({"type": "http.response.start", "status": 206 if start else 200, "headers": headers})
        await send({"type": "http.response.body", "body": ROWS[start:until], "more_body": until is not None})

    return step


@pytest.mark.parametrize(
    "hindrance",
    [cuts, problem(503), problem(429), refuses(KEY_IN_USE, retry_after="0")],
    ids=["cut", "503", "429", "under way"],
)
def test_a_submission_is_sent_again_under_its_key(client: Client, unruly: Unruly, hindrance: Step) -> None:
    unruly.will(hindrance, hindrance, a_job())

    job = client.submit([LAMP, Listing(id="2", title="Bag")], "tokens", store=False, priority="high")

    assert job.id == "0f" * 16
    assert len(unruly.received) == 3
    assert len({request.headers["idempotency-key"] for request in unruly.received}) == 1
    (body,) = {request.body for request in unruly.received}
    assert [json.loads(line) for line in body.splitlines()] == [LAMP, {"id": "2", "title": "Bag"}]
    assert unruly.received[0].query == "explain=tokens&store=false&priority=high"
    assert unruly.received[0].headers["content-type"] == "application/x-ndjson"


def test_retry_after_is_waited_for_while_the_first_request_is_under_way(client: Client, unruly: Unruly) -> None:
    unruly.will(refuses(KEY_IN_USE, retry_after="1"), a_job())

    client.submit([LAMP])

    first, second = unruly.received
    assert second.at - first.at >= 0.95


def test_every_submission_has_a_key_of_its_own_unless_one_is_given(client: Client, unruly: Unruly) -> None:
    unruly.will(a_job())
    for given in (None, None, "nightly"):
        client.submit([LAMP], idempotency_key=given)

    first, second, third = (request.headers["idempotency-key"] for request in unruly.received)
    assert first != second
    assert third == "nightly"


def test_a_key_that_was_used_for_another_list_is_not_tried_again(client: Client, unruly: Unruly) -> None:
    unruly.will(refuses(KEY_REUSED))

    with pytest.raises(InvalidRequestError, match="so it is"):
        client.submit([LAMP])

    assert len(unruly.received) == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jsonl", "application/x-ndjson"),
        ("a.ARROW", "application/vnd.apache.arrow.stream"),
        ("a.parquet", "application/vnd.apache.parquet"),
    ],
)
def test_a_file_is_sent_as_it_is(client: Client, unruly: Unruly, tmp_path: Path, name: str, kind: str) -> None:
    content = b"not looked at here\n" * 10_000
    (tmp_path / name).write_bytes(content)
    unruly.will(problem(503), a_job())

    client.submit(tmp_path / name)

    assert [request.body for request in unruly.received] == [content, content]
    headers = unruly.received[0].headers
    assert (headers["content-type"], headers["content-length"]) == (kind, str(len(content)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("listings.csv", r"listings\.csv: has no known ending .known are \.jsonl"),
        (Path("missing.jsonl"), r"missing\.jsonl: cannot be opened: No such file"),
        ([LAMP, {"id": "2", "title": float("nan")}], "listing 1: cannot be written as JSON"),
    ],
)
def test_what_cannot_be_sent_is_told_before_anything_is(client: Client, unruly: Unruly, given: Any, said: str) -> None:
    unruly.will(a_job())

    with pytest.raises(InputError, match=said):
        client.submit(given)

    assert unruly.received == []


@pytest.mark.parametrize("place", [0, 1, 100, len(ROWS) // 2, len(ROWS) - 1])
def test_a_download_that_breaks_off_goes_on_behind_its_last_row(client: Client, unruly: Unruly, place: int) -> None:
    unruly.will(rows(place), rows())

    found = list(client.job("7").results())

    assert [outcome.listing_id for outcome in found] == list("01234")
    first, second = unruly.received
    whole = ROWS[:place].rfind(b"\n") + 1
    assert "range" not in first.headers
    assert second.headers.get("range") == (f"bytes={whole}-" if whole else None)


def test_a_download_that_breaks_off_behind_its_last_row_is_whole(client: Client, unruly: Unruly) -> None:
    async def one_byte_short(request: Received, send: Send) -> None:
        headers = [(b"content-length", str(len(ROWS) + 1).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": ROWS, "more_body": True})

    unruly.will(one_byte_short, refuses(NO_SUCH_RANGE))

    assert len(list(client.job("7").results())) == 5


def test_a_download_is_not_begun_anew_where_the_range_is_passed_over(client: Client, unruly: Unruly) -> None:
    unruly.will(rows(len(ROWS) // 2), replies(200, ROWS))

    with pytest.raises(UnexpectedAnswerError, match="all of them came"):
        list(client.job("7").results())


def test_a_download_gives_up_where_no_row_comes_any_more(client: Client, unruly: Unruly) -> None:
    unruly.will(rows(100))

    with pytest.raises(ConnectionFailedError, match="peer closed connection"):
        list(client.job("7").results())

    assert len(unruly.received) == 4


def test_waiting_ends_with_the_job_or_with_its_time(client: Client, unruly: Unruly) -> None:
    unruly.will(a_job("queued"), a_job("running"), a_job("done"))
    assert client.job("7").wait().state == "done"

    unruly.will(a_job("running"))
    with pytest.raises(DeadlineError, match=r"running after 0\.2 s, with 1 of 3 rows"):
        client.job("7").wait(0.2)


def test_a_job_that_failed_says_why(client: Client, unruly: Unruly) -> None:
    unruly.will(a_job("failed", "The upload cannot be read: it is gone"))

    with pytest.raises(JobFailedError, match="cannot be read: it is gone"):
        client.job("7").wait()


class TestAgainstTheRealServer:
    """The same client, the real application, a real model."""

    def test_a_list_comes_back_row_by_row_in_its_order(self, real: Client) -> None:
        given: list[Any] = [*NIGHT, {"id": "bad"}, Listing(id="last", title="Green laser pointer pen 5000 mW")]

        job = real.submit(iter(given), "tokens")
        ended = job.wait(120)
        outcomes = list(job.results())

        assert (ended.state, ended.progress.refused) == ("done", 1)
        assert [outcome.listing_id for outcome in outcomes] == [*map(str, range(300)), "bad", "last"]
        (bad,) = [outcome for outcome in outcomes if isinstance(outcome, ItemError)]
        assert (bad.index, bad.problem.detail) == (300, "title: is missing")
        last = outcomes[-1]
        assert isinstance(last, Assessment)
        assert last == real.assess(given[-1], explain="tokens")
        assert real.assessment(last.id).assessment == last

    def test_a_parquet_file_gives_what_the_list_gives(self, real: Client, tmp_path: Path) -> None:
        pq.write_table(pa.Table.from_pylist(NIGHT[:5]), tmp_path / "night.parquet")

        by_file, by_list = real.submit(tmp_path / "night.parquet"), real.submit(NIGHT[:5])
        by_file.wait(60), by_list.wait(60)

        assert list(by_file.results()) == list(by_list.results()) == real.assess(NIGHT[:5])

    def test_one_key_is_one_job(self, real: Client) -> None:
        first = real.submit([LAMP], idempotency_key="once")

        assert real.submit([LAMP], idempotency_key="once").id == first.id
        with pytest.raises(InvalidRequestError, match="another request"):
            real.submit([LAMP, LAMP], idempotency_key="once")

    def test_a_cancelled_job_keeps_the_rows_it_has(self, real: Client) -> None:
        job = real.submit({"id": str(i), "title": f"Hot water bottle {i}"} for i in range(20_000))
        with pytest.raises(InvalidRequestError) as unfinished:
            list(job.results())
        stopped = job.cancel()

        assert unfinished.value.problem.name == JOB_UNFINISHED.name
        assert stopped.state == "cancelled"
        assert job.wait(5).state == "cancelled"
        read = job.state().progress.read
        assert read < 20_000
        assert [outcome.listing_id for outcome in job.results()] == [str(i) for i in range(read)]

    def test_an_unknown_job_is_not_found(self, real: Client) -> None:
        job = Job(real._connection, "f" * 32)

        for ask in (job.state, job.cancel, lambda: list(job.results())):
            with pytest.raises(NotFoundError):
                ask()

"""Jobs and idempotency keys over HTTP."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from serving.access.principal import Role
from serving.api.job_schemas import JobAnswer, JobList
from serving.api.schemas import ListingResult
from serving.settings import Settings
from tests.serving.conftest import BAG, HEATER, StartApp, bearer, post
from tests.serving.test_error_shape import check

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, jobs=tmp_path / "jobs", job_max_mb=1, max_body_mb=1)


def lines(*listings: Any) -> bytes:
    return b"".join(json.dumps(listing).encode() + b"\n" for listing in listings)


def submit(client: TestClient, content: bytes, headers: dict[str, str] = NDJSON, **options: Any) -> Any:
    response = client.post("/v1/jobs", content=content, headers=headers, params=options)
    assert response.status_code == 202, response.text
    assert response.headers["Location"] == f"/v1/jobs/{response.json()['id']}"
    return JobAnswer.model_validate(response.json()).id


def ended(client: TestClient, job_id: str) -> JobAnswer:
    deadline = time.monotonic() + 120
    while True:
        job = JobAnswer.model_validate(client.get(f"/v1/jobs/{job_id}").json())
        if job.finished_at:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)


def result(client: TestClient, job_id: str, **headers: str) -> list[ListingResult]:
    response = client.get(f"/v1/jobs/{job_id}/result", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    return [ListingResult.model_validate_json(line) for line in response.text.splitlines()]


def test_a_job_answers_as_the_synchronous_route_does(client: TestClient) -> None:
    listings = [HEATER, {"id": "x"}, BAG, HEATER]
    job_id = submit(client, lines(*listings))
    job = ended(client, job_id)
    assert (job.state, job.progress.total, job.progress.assessed, job.progress.refused) == ("done", 4, 3, 1)
    rows = result(client, job_id)
    expected = [ListingResult.model_validate(row) for row in post(client, listings)["results"]]
    assert [row.assessment for row in rows] == [row.assessment for row in expected]
    assert [row.index for row in rows] == [0, 1, 2, 3]
    assert rows[1].error is not None
    assert expected[1].error is not None
    assert rows[1].error.errors == expected[1].error.errors
    assert rows[1].error.instance == f"/v1/jobs/{job_id}#/listings/1"
    assert rows[0].assessment is not None
    assert [(v.first_row, v.model) for v in job.versions] == [(0, rows[0].assessment.versions.model)]


def arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("application/json", lambda rows: json.dumps({"listings": rows}).encode()),
        ("application/vnd.apache.arrow.stream", lambda rows: arrow(pa.Table.from_pylist(rows))),
        ("application/vnd.apache.parquet", lambda rows: parquet(pa.Table.from_pylist(rows))),
    ],
)
def test_every_kind_of_upload_gives_the_same_result(
    client: TestClient, kind: str, write: Callable[[list[dict[str, str]]], bytes]
) -> None:
    job_id = submit(client, write([HEATER, BAG]), {"Content-Type": kind})
    assert ended(client, job_id).state == "done"
    expected = [row["assessment"] for row in post(client, [HEATER, BAG])["results"]]
    assert [row.assessment and row.assessment.model_dump(mode="json") for row in result(client, job_id)] == expected


def test_a_result_can_be_a_table(client: TestClient) -> None:
    job_id = submit(client, lines(HEATER, {"id": "x"}, BAG))
    ended(client, job_id)
    rows = result(client, job_id)
    accept = {"Accept": "application/vnd.apache.arrow.stream"}
    stream = client.get(f"/v1/jobs/{job_id}/result", headers=accept).content
    stored = client.get(f"/v1/jobs/{job_id}/result", params={"format": "parquet"}).content
    for table in (pa.ipc.open_stream(stream).read_all(), pq.read_table(io.BytesIO(stored))):
        flat = table.to_pylist()
        assert [row["index"] for row in flat] == [0, 1, 2]
        assert [row["id"] for row in flat] == ["heater", "x", "bag"]
        assert flat[1]["error"] == "title: is missing"
        assert flat[1]["risk_score"] is None
        heater = rows[0].assessment
        assert heater is not None
        assert flat[0]["risk_score"] == heater.risk_score
        assert flat[0]["hazards"] == {hazard.risk_type: hazard.probability for hazard in heater.hazards}
        assert (flat[0]["assessment_id"], flat[0]["plan"]) == (heater.id, heater.versions.plan)


def test_a_job_stores_its_assessments_only_where_it_is_to(client: TestClient) -> None:
    ended(client, submit(client, lines(HEATER), store=False))
    assert client.get("/v1/assessments").json()["total"] == 0
    ended(client, submit(client, lines(HEATER, HEATER, BAG), explain="tokens"))
    kept = client.get("/v1/assessments").json()
    assert kept["total"] == 2
    stored = client.get(f"/v1/assessments/{kept['assessments'][0]['id']}").json()
    assert stored["assessment"]["explanation"]


def test_a_download_goes_on_where_it_broke_off(client: TestClient) -> None:
    job_id = submit(client, lines(HEATER, BAG))
    ended(client, job_id)
    whole = client.get(f"/v1/jobs/{job_id}/result").content
    cut = len(whole) // 3
    rest = client.get(f"/v1/jobs/{job_id}/result", headers={"Range": f"bytes={cut}-"})
    assert (rest.status_code, rest.content) == (206, whole[cut:])
    assert rest.headers["Content-Range"] == f"bytes {cut}-{len(whole) - 1}/{len(whole)}"
    some = client.get(f"/v1/jobs/{job_id}/result", headers={"Range": "bytes=10-19"})
    assert some.content == whole[10:20]
    check(client.get(f"/v1/jobs/{job_id}/result", headers={"Range": f"bytes={len(whole)}-"}), 416)


def test_a_job_is_cancelled_and_keeps_the_rows_it_has(client: TestClient) -> None:
    job_id = submit(client, lines(*({"id": str(i), "title": f"lamp {i}"} for i in range(5_000))))
    problem = check(client.get(f"/v1/jobs/{job_id}/result"), 409)
    assert "of 5,000 rows" in problem.detail
    assert client.get(f"/v1/jobs/{job_id}/result", params={"partial": True}).status_code == 200
    told = client.post(f"/v1/jobs/{job_id}/cancel").json()
    assert told["state"] == "cancelled"
    assert client.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    rows = result(client, job_id)
    assert [row.index for row in rows] == list(range(told["progress"]["read"]))
    after = submit(client, lines(BAG))  # the worker is free again
    assert ended(client, after).state == "done"
    assert len(result(client, job_id)) == len(rows)


def test_a_job_is_removed_with_its_files(client: TestClient, settings: Settings) -> None:
    job_id = submit(client, lines(BAG))
    ended(client, job_id)
    assert (settings.jobs / job_id).is_dir()
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert not (settings.jobs / job_id).exists()
    for method, path in (("GET", ""), ("GET", "/result"), ("DELETE", ""), ("POST", "/cancel")):
        check(client.request(method, f"/v1/jobs/{job_id}{path}"), 404)


def test_jobs_are_listed_newest_first(client: TestClient) -> None:
    made = [submit(client, lines(BAG), priority=priority) for priority in ("low", "high")]
    listed = JobList.model_validate(client.get("/v1/jobs").json()).jobs
    assert [job.id for job in listed] == made[::-1]
    assert [job.priority for job in listed] == ["high", "low"]


def test_uploads_that_cannot_be_read_are_refused_and_leave_nothing(client: TestClient, settings: Settings) -> None:
    table = arrow(pa.Table.from_pylist([HEATER] * 50))
    stream = {"Content-Type": "application/vnd.apache.arrow.stream"}
    broken = check(client.post("/v1/jobs", content=table[: len(table) // 2], headers=stream), 422)
    assert broken.type.endswith("unreadable-file")
    assert broken.errors[0].hint == "send it again whole"
    odd = check(client.post("/v1/jobs", content=arrow(pa.table({"id": ["1"], "titel": ["x"]})), headers=stream), 422)
    assert (odd.errors[0].field, odd.errors[0].hint) == ("titel", "did you mean 'title'?")
    assert "at least one" in check(client.post("/v1/jobs", content=b"\n\n", headers=NDJSON), 422).detail
    assert "at least one" in check(client.post("/v1/jobs", content=b"", headers=NDJSON), 422).detail
    check(client.post("/v1/jobs", json={"listings": []}), 422)
    check(client.post("/v1/jobs", content=b"{", headers={"Content-Type": "application/json"}), 400)
    check(client.post("/v1/jobs", content=b"a,b", headers={"Content-Type": "text/csv"}), 415)
    check(client.post("/v1/jobs", content=b"x", headers=NDJSON | {"Content-Encoding": "gzip"}), 415)
    check(client.post("/v1/jobs?explain=full", content=lines(BAG), headers=NDJSON), 422)
    long = lines(*({"id": str(i), "title": "x" * 900} for i in range(1_200)))
    assert "1,000,000 bytes" in check(client.post("/v1/jobs", content=long, headers=NDJSON), 413).detail
    chunked = (long[i : i + 9_999] for i in range(0, len(long), 9_999))  # no Content-Length
    check(client.post("/v1/jobs", content=chunked, headers=NDJSON), 413)
    assert client.get("/v1/jobs").json() == {"jobs": []}
    assert list(settings.jobs.glob("**/*")) == [settings.jobs / "incoming"]


def test_a_caller_may_have_so_many_jobs_open(start_app: StartApp, settings: Settings) -> None:
    client = start_app(replace(settings, job_max_open=1))
    first = submit(client, lines(*({"id": str(i), "title": f"lamp {i}"} for i in range(3_000))))
    refused = client.post("/v1/jobs", content=lines(BAG), headers=NDJSON)
    check(refused, 429)
    assert refused.headers["Retry-After"]
    client.post(f"/v1/jobs/{first}/cancel")
    submit(client, lines(BAG))


def test_each_caller_sees_its_own_jobs_and_an_admin_all(client: TestClient, settings: Settings) -> None:
    one, other = (bearer(settings, Role.UPLOADER, name=name) for name in ("one", "other"))
    mine = submit(client, lines(BAG), NDJSON | one)
    ended(client, mine)
    assert [job["id"] for job in client.get("/v1/jobs", headers=one).json()["jobs"]] == [mine]
    assert client.get(f"/v1/jobs/{mine}/result", headers=one).status_code == 200
    assert client.get("/v1/jobs", headers=other).json() == {"jobs": []}
    for method, path in (("GET", ""), ("GET", "/result"), ("DELETE", ""), ("POST", "/cancel")):
        check(client.request(method, f"/v1/jobs/{mine}{path}", headers=other), 404)
    assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == [mine]


def test_half_a_character_costs_one_row_of_a_json_upload(client: TestClient) -> None:
    body = b'[{"id": "1", "title": "\\ud800"}, {"id": "2", "title": "Bag"}]'
    job_id = submit(client, body, {"Content-Type": "application/json"})
    ended(client, job_id)
    broken, whole = result(client, job_id)
    assert broken.error is not None
    assert broken.error.errors[0].message == "holds half a character (\\ud800)"
    assert whole.assessment is not None


def keyed(client: TestClient, key: str, body: Any, path: str = "/v1/assessments", **options: str) -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key}, params=options)


def test_a_request_that_is_sent_again_is_answered_again(client: TestClient) -> None:
    first, again = keyed(client, "k1", [HEATER, {}]), keyed(client, '"k1"', [HEATER, {}])
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    other = check(keyed(client, "k1", [BAG]), 422)
    assert other.type.endswith("idempotency-key-reused")
    check(keyed(client, "k1", [HEATER, {}], explain="tokens"), 422)
    assert keyed(client, "k2", [BAG]).json()["results"][0]["listing_id"] == "bag"


def test_a_job_that_is_submitted_again_is_one_job(client: TestClient) -> None:
    first, again = (keyed(client, "k", [BAG], "/v1/jobs") for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json() == first.json()
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1
    check(keyed(client, "k", [HEATER], "/v1/jobs"), 422)


def test_a_request_that_failed_can_be_sent_again_under_its_key(client: TestClient) -> None:
    check(keyed(client, "k", {"listing": []}), 422)
    assert keyed(client, "k", [BAG]).status_code == 200


def test_a_key_whose_request_is_under_way_is_409_with_retry_after(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = client.app.state.services.store  # type: ignore[attr-defined]
    save, saving, go_on = store.save, threading.Event(), threading.Event()

    def slowly(answers: Any) -> None:
        saving.set()
        assert go_on.wait(60)
        save(answers)

    monkeypatch.setattr(store, "save", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keyed, client, "k", [BAG])
        assert saving.wait(60)
        meanwhile = keyed(client, "k", [BAG])
        other = keyed(client, "k", [HEATER])
        go_on.set()
        answered = first.result()
    assert check(meanwhile, 409).type.endswith("idempotency-key-in-use")
    assert meanwhile.headers["Retry-After"] == "1"
    check(other, 422)
    assert keyed(client, "k", [BAG]).content == answered.content


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, '"', '"\x7f"'])
def test_a_key_that_is_none_is_400(client: TestClient, key: str) -> None:
    problem = check(keyed(client, key, [BAG]), 400)
    assert problem.errors[0].field == "Idempotency-Key"


def test_more_listings_than_a_job_takes_are_refused(start_app: StartApp, settings: Settings) -> None:
    client = start_app(replace(settings, job_max_listings=2))
    response = client.post("/v1/jobs", content=lines(HEATER, BAG, HEATER), headers=NDJSON)
    refused = check(response, 413)
    assert (refused.name, "at most 2 listings" in refused.detail) == ("too-many-listings", True)
    submit(client, lines(HEATER, BAG))


def test_a_small_upload_that_unpacks_beyond_the_limit_is_refused(start_app: StartApp, settings: Settings) -> None:
    client = start_app(settings)
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2", "3"], "title": ["x" * 600_000] * 3}), file)
    assert len(file.getvalue()) < 100_000
    headers = {"Content-Type": "application/vnd.apache.parquet"}
    response = client.post("/v1/jobs", content=file.getvalue(), headers=headers)
    refused = check(response, 413)
    assert (refused.name, "Unpacked" in refused.detail) == ("body-too-large", True)
    assert list((settings.jobs / "incoming").iterdir()) == []

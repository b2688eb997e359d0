"""Pictures from the request to the second assessment, in a running app and over a crash."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import text

from models.domain.listing import Caption
from models.pictures.decoding import Picture
from serving.access.principal import Role
from serving.settings import Settings
from serving.store.database import open_database
from tests.benchmarks.drawn_pictures import EDITS, drawn
from tests.serving.conftest import StartApp, bearer, within
from tests.serving.test_job_crashes import Server

WORDS = "Green laser pointer 5000 mW"


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def coded(image: Image.Image) -> str:
    return base64.b64encode(jpeg(image)).decode()


def says_laser(picture: Picture, given: Sequence[str]) -> list[Caption]:
    """A captioner that finds the same words in every picture."""
    told = [Caption(text=words, picture=picture.sha256) for words in given]
    return [*told, Caption(text=WORDS, source="ocr", confidence=0.9, picture=picture.sha256)]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(
        settings, pictures=tmp_path / "pictures", jobs=tmp_path / "jobs", picture_max=3, review_learn_daily=0
    )


@pytest.fixture
def client(start_app: StartApp, settings: Settings) -> TestClient:
    client = start_app(settings)
    reader = client.app.state.services.pictures.reader  # type: ignore[attr-defined]
    reader.eyes = replace(reader.eyes, captioners=says_laser)
    return client


def assess(client: TestClient, **listing: Any) -> Any:
    response = client.post("/v1/assessments", json={"listings": [{"id": "l1", "title": "Gift pen", **listing}]})
    assert response.status_code == 200, response.text
    return response.json()["results"][0]


def read(client: TestClient, assessment_id: str) -> Any:
    """Wait until the pictures of an assessment are read, and return what is told of them."""

    def told() -> Any:
        return client.get(f"/v1/assessments/{assessment_id}/pictures").json()

    within(60, lambda: told()["state"] == "done")
    return told()


def test_a_listing_is_answered_on_its_text_and_again_with_what_its_picture_says(client: TestClient) -> None:
    first = assess(client, images=[{"data": coded(drawn(3)), "alt": "a pen"}])
    assert first["assessment"]["risk_level"] in ("none", "low")
    assert [picture["state"] for picture in first["pictures"]] == ["waiting"]
    told = read(client, first["assessment"]["id"])
    (picture,) = told["pictures"]
    assert (picture["state"], picture["format"], picture["width"]) == ("read", "JPEG", 320)
    assert [caption["text"] for caption in picture["captions"]] == ["a pen", WORDS]
    change = told["change"]
    assert change["before"]["assessment_id"] == first["assessment"]["id"]
    assert change["after"]["level"] in ("high", "serious")
    after = client.get(f"/v1/assessments/{told['outcome_id']}").json()
    assert [caption["text"] for caption in after["listing"]["captions"]] == ["a pen", WORDS]
    assert after["assessment"]["risk_level"] == change["after"]["level"]
    services = client.app.state.services  # type: ignore[attr-defined]
    with services.store.engine.connect() as connection:
        row = connection.execute(text("SELECT kind, body FROM hook_events WHERE kind = 'listing.reassessed'")).one()
        item = connection.execute(text("SELECT assessment_id, level FROM review_items")).one()
    assert json.loads(row.body)["after"] == change["after"]
    assert (item.assessment_id, item.level) == (told["outcome_id"], change["after"]["level"])
    page = client.get("/review/items/1/pictures").text
    assert f'src="/v1/pictures/{picture["id"]}"' in page
    assert 'class="card column blurred"' in client.get("/review/items/1").text
    assert WORDS in page
    again = assess(client, images=[{"data": coded(drawn(3)), "alt": "a pen"}])
    assert again["assessment"]["id"] == told["outcome_id"], "what was read before counts at once"


def test_pictures_come_as_parts_beside_the_listings(client: TestClient) -> None:
    listings = [
        {"id": "a", "title": "Lamp", "images": [{"part": "front"}, {"part": "back"}]},
        {"id": "b", "title": "Bag", "images": [{"part": "side"}]},
    ]
    files = {"listings": (None, json.dumps(listings)), "front": jpeg(drawn(1)), "back": jpeg(drawn(2))}
    answer = client.post("/v1/assessments", files=files)
    assert answer.status_code == 200, answer.text
    lamp, bag = answer.json()["results"]
    assert [picture["state"] for picture in lamp["pictures"]] == ["waiting", "waiting"]
    assert bag["error"]["errors"][0] == {
        "field": "images[0].part",
        "value": "side",
        "message": "names no part of the request",
        "hint": "the parts are front, back",
    }


def test_pictures_of_a_job_are_read_behind_it_and_change_what_is_kept(client: TestClient) -> None:
    listings = [
        {"id": "j1", "title": "Gift pen", "images": [{"data": coded(drawn(5)), "alt": "a pen"}]},
        {"id": "j2", "title": "Gift pen", "images": [{"url": "https://elsewhere.example/1.jpg"}]},
        {"id": "j3", "title": "Gift pen"},
    ]
    content = b"\n".join(json.dumps(listing).encode() for listing in listings)
    rows = rows_of_job(client, content, store=True)
    assert [row["error"] is None for row in rows] == [True, False, True]
    assert rows[1]["error"]["errors"][0]["message"] == "is a URL, and this server fetches none"
    assert "pictures" not in rows[2]
    assert [picture["state"] for picture in rows[0]["pictures"]] == ["waiting"]
    assert rows[0]["assessment"]["risk_level"] in ("none", "low"), "the row is of the text alone"
    told = read(client, rows[0]["assessment"]["id"])
    assert [caption["text"] for caption in told["pictures"][0]["captions"]] == ["a pen", WORDS]
    assert told["change"]["after"]["level"] in ("high", "serious")
    again = rows_of_job(client, content, store=True)
    assert again[0]["assessment"]["id"] == told["outcome_id"], "what was read before counts at once"


def test_a_job_that_stores_nothing_takes_no_pictures_and_says_so(client: TestClient) -> None:
    listing = {"id": "j1", "title": "Gift pen", "images": [{"data": coded(drawn(5))}]}
    (row,) = rows_of_job(client, json.dumps(listing).encode(), store=False)
    (error,) = row["error"]["errors"]
    assert (error["field"], error["value"]) == ("images", "1 pictures")
    assert error["hint"] == "submit the job with store=true, or leave the pictures out"


def rows_of_job(client: TestClient, content: bytes, *, store: bool) -> list[Any]:
    """Submit JSON Lines as a job, and return its rows when it has ended."""
    headers = {"Content-Type": "application/x-ndjson"}
    submitted = client.post("/v1/jobs", params={"store": store}, content=content, headers=headers)
    assert submitted.status_code == 202, submitted.text
    place = submitted.headers["Location"]
    within(60, lambda: client.get(place).json()["finished_at"] is not None)
    return [json.loads(line) for line in client.get(f"{place}/result").text.splitlines()]


def test_a_multipart_body_without_listings_is_refused_as_a_whole(client: TestClient) -> None:
    answer = client.post("/v1/assessments", files={"front": jpeg(drawn(1))})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "listings")
    broken = client.post("/v1/assessments", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 422


@pytest.mark.parametrize(
    ("images", "field", "message"),
    [
        ("x", "images", "is no array"),
        ([{}] * 4, "images", "has more than 3 items"),
        ([7], "images[0]", "is no object"),
        ([{}], "images[0]", "needs one of data, url and part"),
        ([{"data": "%%%"}], "images[0].data", "is not base64"),
        ([{"data": ""}], "images[0].data", "holds no bytes"),
        ([{"data": 5}], "images[0].data", "is no text"),
        ([{"data": "QQ==", "alt": []}], "images[0].alt", "is no text"),
        ([{"date": "QQ=="}], "images[0].date", "is not a known field"),
        ([{"url": "https://img.shop.example/1.jpg"}], "images[0].url", "is a URL, and this server fetches none"),
    ],
)
def test_what_is_wrong_with_a_picture_is_the_listing_s_error(
    shared_client: TestClient, images: object, field: str, message: str
) -> None:
    room = shared_client.app.state.services.pictures  # type: ignore[attr-defined]
    room.rules = replace(room.rules, most=3)
    good = {"id": "g", "title": "Bag"}
    body = {"listings": [{"id": "l", "title": "Pen", "images": images}, good]}
    wrong, right = shared_client.post("/v1/assessments", json=body).json()["results"]
    error = wrong["error"]["errors"][0]
    assert (error["field"], error["message"]) == (field, message)
    assert error["hint"]
    assert right["assessment"]["listing_id"] == "g"


def test_a_picture_that_cannot_be_read_is_told_and_costs_nothing_else(client: TestClient) -> None:
    images = [{"data": base64.b64encode(b"%PDF-1.7 no picture").decode()}, {"data": coded(drawn(4))}]
    first = assess(client, images=images)
    told = read(client, first["assessment"]["id"])
    assert [picture["state"] for picture in told["pictures"]] == ["failed", "read"]
    assert told["pictures"][0]["error"].startswith("is PDF, no picture that is read here")
    assert told["outcome_id"] is not None
    assert 'outcome="unreadable"} 1.0' in client.get("/metrics").text


def test_a_known_picture_is_seen_when_it_comes_again(client: TestClient) -> None:
    body = {"kind": "alert", "subject": "A12/00001/24", "data": coded(drawn(7)), "note": "laser"}
    known = client.post("/v1/known-pictures", json=body)
    assert known.status_code == 201, known.text
    first = assess(client, images=[{"data": coded(EDITS["watermark"](drawn(7)))}])
    (picture,) = read(client, first["assessment"]["id"])["pictures"]
    assert [(match["subject"], match["note"]) for match in picture["matches"]] == [("A12/00001/24", "laser")]
    assert client.get("/v1/known-pictures").json()["pictures"] == [known.json()]
    assert client.delete(f"/v1/known-pictures/{known.json()['id']}").status_code == 204
    assert client.delete(f"/v1/known-pictures/{known.json()['id']}").status_code == 404
    for data, complaint in (("%", "is not base64"), (base64.b64encode(b"GIF89a").decode(), "cannot be read")):
        refused = client.post("/v1/known-pictures", json=body | {"data": data})
        assert refused.status_code == 422
        assert complaint in refused.json()["detail"]
    blank = client.post("/v1/known-pictures", json=body | {"data": coded(Image.new("RGB", (90, 90)))})
    assert "too little" in blank.json()["detail"]


def test_a_reviewer_sees_a_clean_copy_until_it_is_kept_no_longer(client: TestClient, settings: Settings) -> None:
    sent = jpeg(drawn(4)) + b"<script>alert(1)</script>"
    first = assess(client, images=[{"data": base64.b64encode(sent).decode()}])
    (picture,) = read(client, first["assessment"]["id"])["pictures"]
    path = f"/v1/pictures/{picture['id']}"
    copy = client.get(path)
    assert copy.headers["content-type"] == "image/jpeg"
    assert copy.headers["x-content-type-options"] == "nosniff"
    assert copy.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert b"script" not in copy.content
    assert Image.open(io.BytesIO(copy.content)).size == (320, 240)
    assert client.get(path, headers=bearer(settings, Role.UPLOADER)).status_code == 403
    room = client.app.state.services.pictures  # type: ignore[attr-defined]
    assert room.files.drop_copies(-1.0) == 1
    assert client.get(path).status_code == 404
    room.files.drop_waiting([picture["sha256"]])
    assert list(settings.pictures.glob("waiting/*/*")) == []


def test_a_captioner_that_breaks_ends_nothing_but_its_attempt(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.pictures.reader._AFTER_FAILURE", 0.1)
    room = client.app.state.services.pictures  # type: ignore[attr-defined]
    room.store.lease = dt.timedelta(seconds=0.3)
    broken: list[str] = []

    def breaks_once(picture: Picture, given: Sequence[str]) -> list[Caption]:
        if not broken:
            broken.append(picture.sha256)
            raise RuntimeError("broken")
        return says_laser(picture, given)

    room.reader.eyes = replace(room.reader.eyes, captioners=breaks_once)
    first = assess(client, images=[{"data": coded(drawn(9))}])
    assert read(client, first["assessment"]["id"])["pictures"][0]["state"] == "read"
    assert len(broken) == 1


def test_a_listing_that_changed_meanwhile_is_not_put_back(client: TestClient) -> None:
    services = client.app.state.services  # type: ignore[attr-defined]
    reader = services.pictures.reader
    looked: list[str] = []

    def edited_meanwhile(picture: Picture, given: Sequence[str]) -> list[Caption]:
        if not looked:
            looked.append(picture.sha256)
            time.sleep(1.0)
        return says_laser(picture, given)

    reader.eyes = replace(reader.eyes, captioners=edited_meanwhile)
    first = assess(client, images=[{"data": coded(drawn(8))}])
    within(30, lambda: bool(looked))
    assess(client, title="Cotton bag")
    told = read(client, first["assessment"]["id"])
    assert (told["outcome_id"], told["change"]) == (None, None)


def test_pictures_are_read_after_the_server_was_killed(
    small_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAZARDLENS_PICTURES", str(tmp_path / "pictures"))
    database = f"sqlite:///{tmp_path / 'h.db'}"
    first = Server(small_model_dir, database, tmp_path / "jobs", tmp_path / "log").ready()
    images = [{"data": coded(drawn(number))} for number in range(3)]
    body = {"listings": [{"id": f"l{i}", "title": f"Pen {i}", "images": images} for i in range(5)]}
    answers = first.http.post("/v1/assessments", json=body).json()["results"]
    first.kill()
    with open_database(database).connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM picture_readings WHERE state <> 'done'")).scalar_one()
        # A lease that lapses on its own takes half a minute.
        connection.execute(text("UPDATE picture_readings SET leased_until = '2020-01-01' WHERE state = 'running'"))
        connection.commit()
    assert left > 0, "it was killed too late to show anything"
    second = Server(small_model_dir, database, tmp_path / "jobs", tmp_path / "log").ready()
    try:
        for answer in answers:
            path = f"/v1/assessments/{answer['assessment']['id']}/pictures"
            within(90, lambda path=path: second.http.get(path).json()["state"] == "done")  # type: ignore[misc]
            assert [one["state"] for one in second.http.get(path).json()["pictures"]] == ["read"] * 3
    finally:
        first.close()
        second.close()

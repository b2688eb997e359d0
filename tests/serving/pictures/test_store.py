"""Pictures in both databases: who reads them, what was read before, what is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from models.pictures.identity import Fingerprint, fingerprint
from serving.erasure.listings import ListingErasure, Which
from serving.pictures.entries import Entry, with_captions
from serving.pictures.known import KnownPictures
from serving.pictures.store import PictureStore, reading_id
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import writing
from tests.benchmarks.drawn_pictures import EDITS, drawn
from tests.serving.review.conftest import BLOCK, NOW, Desk, answered, desk  # noqa: F401

SHA, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def pictures(store: AssessmentStore) -> PictureStore:
    kept = PictureStore(store.engine)
    store.also = kept.keep_within
    return kept


def with_pictures(listing_id: str, *entries: Entry, title: str = "Pen") -> Answered:
    return replace(answered(listing_id, title=title), pictures=entries)


def test_pictures_are_kept_with_their_assessment_and_once(store: AssessmentStore, pictures: PictureStore) -> None:
    answer = with_pictures("l1", Entry(0, "a pen", sha256=SHA), Entry(1, url="https://img.example/1.jpg"))
    store.save([answer])
    store.save([answer])
    assert pictures.backlog() == 1
    reading = pictures.of_assessment(answer.assessment.id)
    assert reading is not None
    assert (reading.state, reading.listing_id) == ("queued", "l1")
    found = pictures.entries(reading.id)
    assert [(e.position, e.alt, e.sha256, e.url, e.state) for e in found] == [
        (0, "a pen", SHA, None, "waiting"),
        (1, "", None, "https://img.example/1.jpg", "waiting"),
    ]
    assert pictures.awaited([SHA, OTHER]) == {SHA}
    assert pictures.entry(found[1].id) == found[1]
    assert pictures.entry("f" * 32) is None


def test_what_breaks_while_it_is_kept_keeps_nothing(store: AssessmentStore, pictures: PictureStore) -> None:
    def breaks(_: object) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        store.save([with_pictures("l1", Entry(0, sha256=SHA))], breaks)
    assert (store.count(), pictures.backlog()) == (0, 0)


def test_one_worker_has_a_reading_until_its_lease_lapses(store: AssessmentStore, pictures: PictureStore) -> None:
    store.save([with_pictures("l1", Entry(0, sha256=SHA))])
    first = pictures.claim()
    assert first is not None
    assert pictures.claim() is None
    assert pictures.renew(first)
    pictures.lease = dt.timedelta(seconds=-1)
    assert pictures.renew(first)
    second = pictures.claim()
    assert second is not None
    assert (second.id, second.epoch, second.attempts) == (first.id, 2, 2)
    with writing(pictures.engine) as connection:
        assert not pictures.finish(connection, first, 0)
        assert pictures.finish(connection, second, 0, "c" * 32, {"before": {}, "after": {}})
    done = pictures.of_assessment("c" * 32)
    assert done is not None
    assert (done.id, done.state, done.change) == (first.id, "done", {"before": {}, "after": {}})
    assert pictures.backlog() == 0


def test_a_reading_that_is_put_back_waits_again(store: AssessmentStore, pictures: PictureStore) -> None:
    store.save([with_pictures("l1", Entry(0, sha256=SHA))])
    first = pictures.claim()
    assert first is not None
    assert pictures.release(first)
    again = pictures.claim()
    assert again is not None
    assert again.id == first.id


def read(pictures: PictureStore, entry: Entry, **values: object) -> None:
    now = dt.datetime.now(dt.UTC)
    pictures.note(replace(entry, state="read", read_at=now, hashes=[], captions=[], matches=[], **values))  # type: ignore[arg-type]


def test_pictures_that_were_read_before_are_not_read_again(store: AssessmentStore, pictures: PictureStore) -> None:
    url = "https://img.example/1.jpg"
    store.save([with_pictures("l1", Entry(0, sha256=SHA), Entry(1, url=url))])
    first, second = pictures.entries(pictures.claim().id)  # type: ignore[union-attr]
    words = [{"text": "5000 mW", "source": "ocr"}, {"text": "old words", "source": "given"}]
    now = dt.datetime.now(dt.UTC)
    pictures.note(replace(first, state="read", read_at=now, hashes=["0" * 64], captions=words, matches=[]))
    wanted = [Entry(0, "new words", sha256=SHA)]
    assert pictures.read_before([*wanted, Entry(1, sha256=OTHER)], "l2") is None
    found = pictures.read_before(wanted, "l2")
    assert found is not None
    given = {"text": "new words", "source": "given", "picture": SHA}
    assert (found[0].alt, found[0].captions, found[0].state) == ("new words", [given, *words[:1]], "read")
    read(pictures, second, sha256=OTHER)
    assert pictures.hashes_of(["l1", "l9"]) == {"l1": [["0" * 64], []]}
    assert pictures.read_before([Entry(0, url=url)], "l2") is None, "what another listing's URL led to says nothing"
    assert pictures.read_before([Entry(0, url=url)], "l1") is not None
    answer = with_pictures("l3", *found)
    store.save([answer])
    done = pictures.of_assessment(answer.assessment.id)
    assert done is not None
    assert (done.state, done.outcome_id) == ("done", answer.assessment.id)


def test_pictures_that_failed_are_tried_again_when_they_are_sent_again(
    store: AssessmentStore, pictures: PictureStore
) -> None:
    answer = with_pictures("l1", Entry(0, url="https://img.example/1.jpg"))
    store.save([answer])
    reading = pictures.claim()
    assert reading is not None
    pictures.note(pictures.entries(reading.id)[0].failed("answers 404", dt.datetime.now(dt.UTC)))
    with writing(pictures.engine) as connection:
        pictures.finish(connection, reading, 1)
    assert pictures.claim() is None
    store.save([answer])
    again = pictures.claim()
    assert again is not None
    assert again.id == reading_id(answer.assessment.id, ["https://img.example/1.jpg"])
    assert pictures.entries(again.id)[0].state == "waiting"


def test_pictures_of_an_erased_listing_are_forgotten(store: AssessmentStore, pictures: PictureStore) -> None:
    gone, stays = (with_pictures(name, Entry(0, sha256=SHA)) for name in ("l1", "l2"))
    store.save([gone, stays])
    ListingErasure(store.engine).erase(Which(listing="l1"), "ada")
    assert pictures.of_assessment(gone.assessment.id) is None
    assert pictures.hashes_of(["l1"]) == {}
    assert pictures.of_assessment(stays.assessment.id) is not None
    assert pictures.backlog() == 1


def test_the_words_of_all_pictures_find_room_in_turn() -> None:
    listing = answered("l1").listing
    many = [{"text": f"line {i}", "source": "ocr", "picture": SHA} for i in range(60)]
    one = [{"text": "keep away from children", "source": "ocr", "picture": OTHER}]
    captions = with_captions(listing, [Entry(0, captions=many), Entry(1, captions=one)]).captions
    assert len(captions) == 50
    assert captions[1].text == "keep away from children"


# ---- known pictures


def test_a_known_picture_is_found_when_it_comes_edited(store: AssessmentStore) -> None:
    known = KnownPictures(store.engine)
    for i in range(6):
        known.add("alert", f"A{i}", f"{i}" * 64, fingerprint(drawn(i)).texts, "laser", "grace")
    found = known.matches(fingerprint(EDITS["white border"](drawn(4))))
    assert [(match["kind"], match["subject"], match["note"]) for match in found] == [("alert", "A4", "laser")]
    assert known.matches(fingerprint(drawn(40))) == []
    again = known.add("alert", "A4", "4" * 64, [], "", "ada")
    assert (again.added_by, len(known.newest(10))) == ("grace", 6)
    assert known.remove(again.id)
    assert not known.remove(again.id)
    assert known.matches(fingerprint(drawn(4))) == []
    assert set(known.of_alerts(["A1", "A4"])) == {"A1"}


def test_pictures_of_removed_listings_are_known_until_a_complaint_brings_the_listing_back(
    desk: Desk,  # noqa: F811
    store: AssessmentStore,
    pictures: PictureStore,
) -> None:
    answer = with_pictures("l1", Entry(0, sha256=SHA), title="Laser")
    store.save([answer])
    entry = pictures.entries(pictures.claim().id)[0]  # type: ignore[union-attr]
    looks = fingerprint(drawn(3))
    pictures.note(replace(entry, state="read", read_at=NOW, hashes=looks.texts, captions=[], matches=[]))
    desk.take(answer)
    desk.decide("ada", BLOCK)
    assert removed(store, looks) == [], "a second person has not looked yet"
    desk.decide("grace", BLOCK)
    assert removed(store, looks) == ["l1"]
    item = desk.browsing.item(1)
    later = NOW + dt.timedelta(days=1)
    appeal = desk.appeals.receive(item.id, "It is a toy.", "ada", later)
    desk.appeals.rule(appeal.id, "barbara", "overturned", "It is.", later)
    assert removed(store, looks) == []


def removed(store: AssessmentStore, looks: Fingerprint) -> list[str]:
    """Return the removed listings that a server which starts now knows a picture of."""
    known = KnownPictures(store.engine)
    known.follow_decisions()
    return [match["subject"] for match in known.matches(looks)]

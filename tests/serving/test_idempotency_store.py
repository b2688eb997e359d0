"""Idempotency keys in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from serving.store.assessments import AssessmentStore
from serving.store.idempotency import IdempotencyStore, Kept, Mine, OtherRequest, UnderWay

DAY = timedelta(days=1)
NOW = timedelta(0)


@pytest.fixture
def keys(store: AssessmentStore) -> IdempotencyStore:
    return IdempotencyStore(store.engine, DAY)


def taken(keys: IdempotencyStore, principal: str = "shop", key: str = "k", fingerprint: str = "a") -> Mine:
    found = keys.begin(principal, key, fingerprint)
    assert isinstance(found, Mine)
    return found


def test_the_answer_of_the_first_request_is_kept(keys: IdempotencyStore) -> None:
    mine = taken(keys)
    assert keys.begin("shop", "k", "a") == UnderWay()
    keys.finish(mine, 202, {"location": "/v1/jobs/1"}, b"\x00\xff{}")
    assert keys.begin("shop", "k", "a") == Kept(202, {"location": "/v1/jobs/1"}, b"\x00\xff{}")


def test_another_request_under_the_key_is_told_apart_before_and_after_the_answer(keys: IdempotencyStore) -> None:
    mine = taken(keys)
    assert keys.begin("shop", "k", "b") == OtherRequest()
    keys.finish(mine, 200, {}, b"")
    assert keys.begin("shop", "k", "b") == OtherRequest()


def test_each_caller_has_keys_of_its_own(keys: IdempotencyStore) -> None:
    taken(keys)
    taken(keys, principal="other shop", fingerprint="b")
    taken(keys, key="k2", fingerprint="b")


def test_a_request_that_failed_can_be_tried_again_also_in_another_form(keys: IdempotencyStore) -> None:
    keys.give_up(taken(keys))
    taken(keys, fingerprint="b")


def test_a_worker_that_died_does_not_lock_a_key_for_ever(store: AssessmentStore) -> None:
    keys = IdempotencyStore(store.engine, DAY, lease=NOW)
    dead = taken(keys)
    successor = taken(keys)
    assert successor.since == dead.since
    keys.finish(dead, 200, {}, b"of the dead")  # it was only slow
    keys.give_up(dead)
    keys.finish(successor, 200, {}, b"of the successor")
    assert keys.begin("shop", "k", "a") == Kept(200, {}, b"of the successor")


def test_a_long_request_holds_its_key_by_renewing_it(store: AssessmentStore) -> None:
    mine = taken(IdempotencyStore(store.engine, DAY, lease=NOW))
    patient = IdempotencyStore(store.engine, DAY)
    patient.renew(mine)
    assert patient.begin("shop", "k", "a") == UnderWay()


def test_an_answer_is_kept_for_a_set_time(store: AssessmentStore) -> None:
    brief = IdempotencyStore(store.engine, keep=NOW)
    first = taken(brief)
    brief.finish(first, 200, {}, b"")
    again = taken(brief, fingerprint="b")
    assert again.since > first.since
    assert brief.forget_old() == 1
    assert brief.forget_old() == 0


def test_of_requests_at_once_one_runs(keys: IdempotencyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keys.begin("shop", "k", "a"), range(16)))
    assert sum(isinstance(one, Mine) for one in found) == 1
    assert sum(one == UnderWay() for one in found) == 15

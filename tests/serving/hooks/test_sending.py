"""Webhooks to a real receiver: signed, in order, tried again, given up, and never asked for what is private."""

from __future__ import annotations

import datetime as dt
import time

import orjson

from serving.hooks.delivery_log import Figures, State
from serving.hooks.outbox import Outbox, event_id_of
from serving.hooks.schedule import Schedule
from serving.hooks.sender import SendingRules
from serving.hooks.signing import verify_webhook
from serving.outgoing.addresses import AddressRules
from serving.store.database import writing
from tests.serving.hooks.conftest import FAST, Answer, Hooks, Target, ahead


class TestWhatIsSent:
    def test_an_event_arrives_signed_and_whole(self, hooks: Hooks, target: Target) -> None:
        endpoint = hooks.endpoint(f"{target.url}/in?x=1")
        hooks.tell(7, subject="alert:7")
        hooks.run(hooks.settled)
        (came,) = target.came
        assert came.path == "/in?x=1"
        assert came.headers["Content-Type"] == "application/json"
        event_id = event_id_of("alert.received", "7")
        assert came.event == {
            "id": event_id, "kind": "alert.received", "subject": "alert:7",
            "created_at": came.event["created_at"], "body": {"number": 7},
        }  # fmt: skip
        assert came.headers["Hazardlens-Event-Id"] == event_id
        signed_at = verify_webhook(endpoint.secrets[0].text, came.headers["Hazardlens-Signature"], came.content)
        assert came.headers["Hazardlens-Timestamp"] == str(signed_at)
        assert hooks.observed == ["delivered"]

    def test_each_endpoint_hears_of_its_kinds(self, hooks: Hooks, target: Target, other_target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.endpoint(other_target.url, "case.takedown_ordered")
        hooks.tell(1)
        hooks.tell(2, kind="case.takedown_ordered")
        hooks.run(hooks.settled)
        assert sorted(target.keys) == [1, 2]
        assert other_target.keys == [2]

    def test_what_happened_before_an_endpoint_was_there_is_not_told_to_it(self, hooks: Hooks, target: Target) -> None:
        hooks.tell(1)
        hooks.run(lambda: hooks.settled())
        hooks.endpoint(target.url)
        hooks.tell(2)
        hooks.run(lambda: bool(target.came) and hooks.settled())
        assert target.keys == [2]

    def test_while_a_secret_is_replaced_both_fit(self, hooks: Hooks, target: Target) -> None:
        first = hooks.endpoint(target.url)
        second = hooks.hooks.endpoints.rotate(first.id, dt.timedelta(hours=1))
        hooks.tell(1)
        hooks.run(hooks.settled)
        (came,) = target.came
        for secret in (first.secrets[0].text, second.secrets[0].text):
            verify_webhook(secret, came.headers["Hazardlens-Signature"], came.content)
        assert second.secrets[0].text != first.secrets[0].text

    def test_a_secret_that_was_replaced_at_once_signs_no_more(self, hooks: Hooks, target: Target) -> None:
        first = hooks.endpoint(target.url)
        hooks.hooks.endpoints.rotate(first.id, dt.timedelta())
        hooks.tell(1)
        hooks.run(hooks.settled)
        assert target.came[0].headers["Hazardlens-Signature"].count("v1=") == 1


class TestTime:
    def test_an_event_waits_for_its_moment(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        moment = time.time() + 0.7
        hooks.tell(1, not_before=dt.datetime.fromtimestamp(moment, dt.UTC))
        hooks.run(lambda: bool(target.came))
        assert int(target.came[0].headers["Hazardlens-Timestamp"]) >= int(moment)

    def test_an_event_that_is_taken_back_never_leaves(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.tell(1, not_before=ahead(0.3))
        hooks.tell(2, not_before=ahead(0.6))
        with writing(hooks.engine) as connection:
            assert Outbox.withdraw(connection, "alert.received", "1")
        hooks.run(hooks.settled)
        assert target.keys == [2]

    def test_an_event_does_not_overtake_an_earlier_one_of_its_subject(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.tell(1, subject="listing:a", not_before=ahead(0.6))
        hooks.tell(2, subject="listing:a")
        hooks.tell(3, subject="listing:b")
        hooks.run(hooks.settled)
        assert target.keys == [3, 1, 2]


class TestOrder:
    def test_a_subject_is_told_in_order_whatever_fails(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        target.answers = [Answer(500)]
        hooks.tell(*range(6), subject="case:1")
        hooks.run(hooks.settled, senders=2)
        assert target.keys == [0, 0, 1, 2, 3, 4, 5]

    def test_a_dead_letter_does_not_hold_up_what_follows(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        target.answers = [Answer(500)] * FAST.tries
        hooks.tell(1, 2, subject="case:1")
        hooks.run(hooks.settled)
        assert hooks.states() == ["dead", "delivered"]
        assert target.keys == [1] * FAST.tries + [2]

    def test_several_go_at_once_but_only_a_few(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        target.otherwise = Answer(delay=0.15)
        hooks.tell(*range(12))
        hooks.run(hooks.settled)
        assert sorted(target.keys) == list(range(12))
        assert target.most_at_once == 4


class TestFailure:
    def test_a_delivery_is_tried_again_under_the_same_id(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        target.answers = [Answer(503), Answer(302, {"Location": "http://127.0.0.1:9/"}), Answer(200)]
        hooks.tell(1)
        hooks.run(hooks.settled)
        assert len(target.came) == 3
        assert len({came.content for came in target.came}) == 1
        assert hooks.observed == ["failed", "failed", "delivered"]
        whole = hooks.hooks.log.get(hooks.hooks.log.page(1)[0].id)
        assert [(each.number, each.status) for each in whole.tries] == [(1, 503), (2, 302), (3, 200)]
        assert "redirects are not followed" in whole.tries[1].failure
        assert whole.tries[2].answer == "thank you"

    def test_after_its_last_try_it_is_a_dead_letter_that_can_be_sent_again(self, hooks: Hooks, target: Target) -> None:
        endpoint = hooks.endpoint(target.url)
        target.otherwise = Answer(500, content=b"no\x00 room")
        hooks.tell(1)
        hooks.run(hooks.settled)
        assert hooks.states() == ["dead"]
        assert len(target.came) == FAST.tries
        assert hooks.observed[-1] == "dead"
        assert hooks.hooks.log.figures() == Figures(0, 0.0, 1)
        target.otherwise = Answer()
        assert hooks.hooks.log.resend_dead(endpoint.id) == 1
        hooks.run(hooks.settled)
        assert hooks.states() == ["delivered"]
        assert len({came.event["id"] for came in target.came}) == 1
        assert hooks.hooks.log.resend_dead(endpoint.id) == 0

    def test_what_was_delivered_can_be_sent_again(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.tell(1)
        hooks.run(hooks.settled)
        (delivery,) = hooks.hooks.log.page(1)
        assert hooks.hooks.log.resend(delivery.id).state is State.WAITING
        hooks.run(hooks.settled)
        assert [came.event["id"] for came in target.came] == [delivery.event_id] * 2

    def test_an_answer_that_takes_too_long_is_a_failure(self, hooks: Hooks, target: Target) -> None:
        hooks.rules = SendingRules(timeout=0.2, looks_every=0.05)
        hooks.hooks = hooks.another()
        hooks.endpoint(target.url)
        target.answers = [Answer(delay=1.0)]
        hooks.tell(1)
        hooks.run(hooks.settled)
        whole = hooks.hooks.log.get(hooks.hooks.log.page(1)[0].id)
        assert whole.tries[0].failure == "no answer within 0.2 s"
        assert whole.tries[0].status is None

    def test_of_a_long_answer_only_the_beginning_is_read(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        target.answers = [Answer(content=b"x" * 5_000_000)]
        hooks.tell(1)
        hooks.run(hooks.settled)
        whole = hooks.hooks.log.get(hooks.hooks.log.page(1)[0].id)
        assert whole.tries[0].answer == "x" * 500

    def test_nobody_there_is_a_failure_with_its_reason(self, hooks: Hooks) -> None:
        hooks.endpoint("http://127.0.0.1:9/")
        hooks.tell(1)
        hooks.run(hooks.settled)
        assert hooks.states() == ["dead"]
        assert (
            "refused" in hooks.hooks.log.get(1).tries[0].failure or "failed" in hooks.hooks.log.get(1).tries[0].failure
        )

    def test_an_endpoint_that_asks_for_time_gets_it(self, hooks: Hooks, target: Target) -> None:
        endpoint = hooks.endpoint(target.url)
        target.answers = [Answer(429, {"Retry-After": "1"})]
        hooks.tell(1)
        hooks.run(hooks.settled)
        first, second = (int(came.headers["Hazardlens-Timestamp"]) for came in target.came)
        assert second - first >= 1
        assert hooks.hooks.endpoints.get(endpoint.id).rests_until is None


class TestOutage:
    def test_an_endpoint_that_fails_is_asked_by_one_delivery_at_a_time(self, hooks: Hooks, target: Target) -> None:
        """So that an outage costs a few tries in all, however many deliveries wait."""
        hooks.schedule = Schedule(tries=50, base=0.1, longest=1.0, failures=3)
        hooks.hooks = hooks.another()
        endpoint = hooks.endpoint(target.url)
        target.otherwise = Answer(500)
        hooks.tell(*range(40))
        begun = time.monotonic()
        hooks.run(lambda: len(target.came) >= 11)
        assert time.monotonic() - begun > 1.5, "seven may come before it rests, then one after each half second"
        assert hooks.hooks.endpoints.get(endpoint.id).failures >= 10
        target.otherwise = Answer()
        hooks.run(hooks.settled)
        assert sorted(set(target.keys)) == list(range(40))
        assert hooks.hooks.endpoints.get(endpoint.id).failures == 0

    def test_it_does_not_hold_up_other_endpoints(self, hooks: Hooks, target: Target, other_target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.endpoint(other_target.url)
        target.otherwise = Answer(delay=1.5)
        hooks.tell(*range(8))
        hooks.run(lambda: len(other_target.came) == 8 and len(target.came) <= 4)

    def test_while_it_is_disabled_events_are_collected(self, hooks: Hooks, target: Target) -> None:
        endpoint = hooks.endpoint(target.url)
        hooks.hooks.endpoints.change(endpoint.id, enabled=False)
        hooks.tell(1)
        hooks.run(lambda: hooks.states() == ["waiting"])
        assert hooks.hooks.log.figures().backlog == 0
        assert target.came == []
        hooks.hooks.endpoints.change(endpoint.id, enabled=True)
        hooks.run(hooks.settled)
        assert target.keys == [1]

    def test_what_waits_for_one_that_is_removed_is_dropped(self, hooks: Hooks) -> None:
        endpoint = hooks.endpoint("http://127.0.0.1:9/")
        hooks.hooks.endpoints.change(endpoint.id, enabled=False)
        hooks.tell(1)
        hooks.run(lambda: hooks.states() == ["waiting"])
        hooks.hooks.endpoints.remove(endpoint.id)
        assert hooks.states() == ["dropped"]
        assert hooks.hooks.endpoints.known() == []


class TestSeveralSenders:
    def test_each_delivery_is_made_by_one(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.tell(*range(60))
        hooks.run(hooks.settled, senders=3)
        assert sorted(target.keys) == list(range(60))

    def test_what_a_sender_leaves_behind_is_made_when_its_lease_ends(self, hooks: Hooks, target: Target) -> None:
        hooks.rules = SendingRules(timeout=0.3, looks_every=0.05)
        hooks.hooks = hooks.another()
        hooks.endpoint(target.url)
        hooks.tell(1)
        store = hooks.hooks.sender.store
        store.dispatch()
        (claimed,) = store.claim({}, 4, 16)
        assert store.claim({}, 4, 16) == []
        hooks.run(hooks.settled)
        assert target.keys == [1]
        # The one that was taken for dead comes back: it changes nothing.
        from serving.hooks.deliveries import Tried

        assert store.note(claimed, Tried(dt.datetime.now(dt.UTC), 1.0, failure="late")) == "lost"
        assert hooks.states() == ["delivered"]

    def test_a_sender_that_ends_puts_back_what_it_was_sending(self, hooks: Hooks, target: Target) -> None:
        hooks.rules = SendingRules(timeout=30.0, looks_every=0.05)
        hooks.hooks = hooks.another()
        hooks.endpoint(target.url)
        target.answers = [Answer(delay=4.0)]
        hooks.tell(1)
        hooks.run(lambda: bool(target.came))
        begun = time.monotonic()
        hooks.hooks = hooks.another()
        hooks.run(hooks.settled)
        assert time.monotonic() - begun < 20, "it had to wait for the lease"
        assert target.keys == [1, 1]


class TestTargets:
    def test_a_private_address_is_never_asked(self, hooks: Hooks, target: Target) -> None:
        hooks.endpoint(target.url)
        hooks.addresses = AddressRules()
        hooks.hooks = hooks.another()
        hooks.tell(1)
        hooks.run(hooks.settled)
        assert target.came == []
        assert "127.0.0.1, which is not public" in hooks.hooks.log.get(1).tries[0].failure


def test_the_log_is_forgotten_in_time_and_what_waits_is_not(hooks: Hooks, target: Target) -> None:
    asleep = hooks.endpoint("http://127.0.0.1:9/")
    hooks.hooks.endpoints.change(asleep.id, enabled=False)
    hooks.tell(1)
    hooks.run(lambda: hooks.states() == ["waiting"])
    hooks.endpoint(target.url)
    hooks.hooks.endpoints.change(asleep.id, kinds=["hook.ping"])
    hooks.tell(2)
    hooks.run(lambda: bool(target.came) and hooks.states() == ["waiting", "delivered"])
    assert hooks.hooks.log.sweep(ahead(-60)) == 0
    assert hooks.hooks.log.sweep(ahead(60)) == 1
    assert [delivery.state for delivery in hooks.hooks.log.page(10)] == [State.WAITING]


def test_a_ping_goes_to_its_endpoint_only(hooks: Hooks, target: Target, other_target: Target) -> None:
    endpoint = hooks.endpoint(target.url, "review.decided")
    hooks.endpoint(other_target.url)
    event_id = hooks.hooks.ping(endpoint, "grace")
    hooks.run(hooks.settled)
    assert orjson.loads(target.came[0].content)["body"] == {"asked_by": "grace"}
    assert target.came[0].event["id"] == event_id
    assert other_target.came == []

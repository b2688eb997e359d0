"""What tells who somebody is: erased where they ask for it, or kept long enough; the log is whole afterwards."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, select, text

from models.domain.errors import InputError
from serving.access.principal import Role
from serving.console.dossier import dossier_of
from serving.erasure.listings import ListingErasure, Which
from serving.erasure.names import ERASED_PREFIX
from serving.erasure.persons import PersonErasure
from serving.erasure.retention import Keep, Retention
from serving.review.desk import DeskRules, ReviewDesk
from serving.review.events import Head, breaks, head
from serving.review.words import State
from serving.store.accounts import AccountStore
from serving.store.assessments import AssessmentStore
from serving.store.database import writing
from serving.store.keys import KeyStore
from serving.store.preferences import Preferences
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered

SELLER = "Müller & Söhne"
TITLE = "Grandmother's silver heater"
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
STEMS = ("Müller", "Grandmother", "my cousin", "it never burnt", "looks home-made")


@pytest.fixture
def desk(store: AssessmentStore) -> Desk:
    return Desk(store.engine)


@pytest.fixture
def worked(desk: Desk, store: AssessmentStore) -> Desk:
    """A seller's listings: one decided and complained of, one waiting, one never reviewed; and another seller's."""
    own = [
        answered("decided", seller=SELLER, title=TITLE),
        answered("waits", seller=SELLER, title=TITLE),
        answered("quiet", "low", queue=None, seller=SELLER, title=TITLE),
    ]
    other = answered("other", seller="s2", title="Garden hose")
    store.save([*own, other])
    desk.take(*own, other)
    first, second = (desk.browsing.of_listing(name)[0].id for name in ("decided", "waits"))
    item = desk.claims.claim(first, "grace@shop.example", NOW)
    verdict = ASK.__class__(**{**vars(ASK), "note": "looks home-made"})
    desk.decisions.decide(first, "grace@shop.example", item.assessment_id, verdict, NOW)
    desk.appeals.receive(first, "it never burnt anybody", "portal", NOW)
    desk.claims.claim(second, "u_0a1b2c3d", NOW)
    desk.claims.skip(second, "u_0a1b2c3d", "the seller is my cousin", NOW)
    desk.decide("grace@shop.example", RELEASE, desk.browsing.of_listing("other")[0].id)
    return desk


def everything(engine: Engine) -> str:
    """Every text that the database holds."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return "\n".join(str(connection.execute(text(f'SELECT * FROM "{name}"')).all()) for name in tables)


def whole(engine: Engine, known: Head | None = None) -> bool:
    with engine.connect() as connection:
        return list(breaks(connection, known)) == []


def noted(engine: Engine) -> Head:
    with engine.connect() as connection:
        return head(connection)


class TestListings:
    """Everything of a seller, or one listing."""

    def test_nothing_of_a_seller_is_left_and_the_log_is_whole(self, worked: Desk) -> None:
        assert all(stem in everything(worked.engine) for stem in STEMS)
        before = noted(worked.engine)
        done = ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line")
        assert (done["items"], done["assessments removed"]) == (2, 1)
        left = everything(worked.engine)
        assert [stem for stem in STEMS if stem in left] == []
        assert "Garden hose" in left
        assert whole(worked.engine, before)

    def test_what_was_decided_stays_and_can_still_be_shown(self, worked: Desk, store: AssessmentStore) -> None:
        (item,) = worked.browsing.of_listing("decided")
        ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line")
        page = dossier_of(ReviewDesk(worked.engine, DeskRules(worked.intake.rules)), store, item.id, "ben")
        (made,) = page.decisions
        assert (made.reviewer, made.action, made.level, made.note) == ("grace@shop.example", ASK.action, "high", "")
        assert (page.item.state, page.item.title, page.item.seller) == (State.DECIDED, "", "")
        assert page.item.listing_id.startswith(ERASED_PREFIX)
        assert [event.kind for event in page.history] == ["claimed", "decided", "appealed"]
        assert page.assessment.risk_level == "high"

    def test_what_waited_waits_for_nobody(self, worked: Desk) -> None:
        (item,) = worked.browsing.of_listing("waits")
        ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line")
        assert worked.browsing.item(item.id).state is State.ERASED
        assert worked.claims.next("ben", NOW) is None
        with pytest.raises(Exception, match="waits for nobody"):
            worked.claims.claim(item.id, "ben", NOW)

    def test_one_listing_leaves_the_sellers_others(self, worked: Desk) -> None:
        ListingErasure(worked.engine).erase(Which(listing="decided"), "command line")
        assert worked.browsing.of_listing("decided") == []
        assert worked.browsing.of_listing("waits")[0].seller == SELLER
        assert whole(worked.engine)

    def test_a_dry_run_counts_and_changes_nothing(self, worked: Desk) -> None:
        before = everything(worked.engine)
        counted = ListingErasure(worked.engine).count(Which(seller=SELLER))
        assert counted == {"assessments": 3, "items": 2}
        assert everything(worked.engine) == before

    def test_a_second_time_there_is_nothing_to_erase(self, worked: Desk) -> None:
        ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line")
        before = everything(worked.engine)
        assert ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line") == {}
        assert everything(worked.engine) == before

    def test_the_same_listing_can_be_sent_again_and_is_kept(self, worked: Desk, store: AssessmentStore) -> None:
        again = answered("decided", seller=SELLER, title=TITLE)
        ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line")
        store.save([again])
        kept = store.get(again.assessment.id)
        assert kept is not None
        assert kept.listing["title"] == TITLE
        assert kept.assessment["listing_id"] == "decided"


class TestPersons:
    """An account, or a key that was a person's."""

    def test_an_account_is_gone_and_its_acts_stay_under_the_id(self, worked: Desk) -> None:
        accounts = AccountStore(worked.engine)
        ada, _ = accounts.add("ada", [Role.REVIEWER], "command line", "Ada Byron")
        accounts.link("https://id.example", "sub-ject", "bell", "Bell", [Role.ADMIN])
        KeyStore(worked.engine).open_session(None, FOREVER, ada.id)
        preferences = Preferences(worked.engine)
        preferences.choose_default(ada.id, preferences.save_view(ada.id, "Mine", "queue=toys", True))
        worked.take(answered("by ada"))
        worked.decide(ada.id, RELEASE, worked.browsing.of_listing("by ada")[0].id)
        before = noted(worked.engine)

        assert PersonErasure(worked.engine).erase("ADA", "command line")["accounts"] == 1
        left = everything(worked.engine)
        assert [word for word in ("Byron", "'ada'", "Mine", "argon2id$v=19$" + "x") if word in left] == []
        (made,) = worked.browsing.decisions(worked.browsing.of_listing("by ada")[0].id)
        assert made.reviewer == ada.id
        assert KeyStore(worked.engine).usable().sessions == []
        found = accounts.find(ada.id)
        assert found is not None
        assert (found.state, found.name, found.password) == ("erased", None, None)
        assert whole(worked.engine, before)
        with pytest.raises(InputError, match="called"):
            accounts.reset(ada.id, "command line")

    def test_a_keys_name_is_replaced_by_the_same_other_name_everywhere(self, worked: Desk) -> None:
        keys = KeyStore(worked.engine)
        keys.create("grace@shop.example", [Role.REVIEWER])
        persons, before = PersonErasure(worked.engine), noted(worked.engine)
        with pytest.raises(InputError, match="still valid"):
            persons.erase("grace@shop.example", "command line")
        keys.revoke("grace@shop.example")
        counted = persons.count("grace@shop.example")
        assert (counted["records under another name"], counted["texts in the log"]) == (2, 4)
        assert persons.erase("grace@shop.example", "command line") == counted
        assert "grace" not in everything(worked.engine)
        deciders = {
            made.reviewer
            for name in ("decided", "other")
            for made in worked.browsing.decisions(worked.browsing.of_listing(name)[0].id)
        }
        assert len(deciders) == 1
        assert re.fullmatch(ERASED_PREFIX + "[0-9a-f]{12}", deciders.pop())
        assert whole(worked.engine, before)

    def test_nobody_of_that_name_is_said_so(self, worked: Desk) -> None:
        with pytest.raises(InputError, match="no account and no key"):
            PersonErasure(worked.engine).count("nobody")

    def test_the_last_admin_cannot_vanish(self, worked: Desk) -> None:
        AccountStore(worked.engine).add("boss", [Role.ADMIN], "command line")
        with pytest.raises(InputError, match="last admin"):
            PersonErasure(worked.engine).erase("boss", "command line")


class TestRetention:
    """What settings say, done by one worker at a time."""

    LATER = datetime.now(UTC) + timedelta(days=400)
    YEAR = timedelta(days=365)

    def test_without_settings_everything_is_kept(self, worked: Desk) -> None:
        before = everything(worked.engine)
        assert not any(Retention(worked.engine, Keep()).sweep(self.LATER).values())
        assert everything(worked.engine) == before

    def test_assessments_without_a_review_go_after_their_time(self, worked: Desk, store: AssessmentStore) -> None:
        sweep = Retention(worked.engine, Keep(assessments=self.YEAR)).sweep
        assert sweep(datetime.now(UTC) + timedelta(days=364))["assessments"] == 0
        assert sweep(self.LATER)["assessments"] == 1
        assert store.count() == 3

    def test_decided_items_lose_the_seller_and_waiting_ones_do_not(self, worked: Desk) -> None:
        sweep = Retention(worked.engine, Keep(reviews=self.YEAR)).sweep
        assert sweep(NOW + timedelta(days=364))["reviewed listings"] == 0
        assert sweep(NOW + timedelta(days=366))["reviewed listings"] == 2
        assert worked.browsing.of_listing("decided") == []
        assert worked.browsing.of_listing("waits")[0].seller == SELLER
        assert sweep(NOW + timedelta(days=366))["reviewed listings"] == 0
        assert whole(worked.engine)

    def test_names_in_the_log_go_after_their_time_and_the_log_is_whole(self, worked: Desk) -> None:
        before = noted(worked.engine)
        sweep = Retention(worked.engine, Keep(names=self.YEAR)).sweep
        assert sweep(NOW + timedelta(days=364))["names in the log"] == 0
        assert sweep(NOW + timedelta(days=366))["names in the log"] == 6
        with worked.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM review_event_personal")).scalar_one() == 0
        assert whole(worked.engine, before)
        assert sweep(NOW + timedelta(days=366))["names in the log"] == 0

    def test_one_worker_sweeps_and_the_others_leave_it_for_an_hour(self, worked: Desk) -> None:
        workers = [Retention(worked.engine, Keep()) for _ in range(3)]
        assert [worker.sweep_if_due(NOW) for worker in workers] == [True, False, False]
        assert workers[1].sweep_if_due(NOW + timedelta(minutes=61))

    def test_sessions_that_are_over_go(self, worked: Desk) -> None:
        account, _ = AccountStore(worked.engine).add("ada", [Role.ADMIN], "command line")
        KeyStore(worked.engine).open_session(None, FOREVER, account.id)
        assert Retention(worked.engine, Keep()).sweep(FOREVER - timedelta(days=1))["sessions"] == 0
        assert Retention(worked.engine, Keep()).sweep(FOREVER)["sessions"] == 1


def test_a_block_by_two_people_survives_the_erasure_of_both(desk: Desk, store: AssessmentStore) -> None:
    """Who they were is gone; that they were two is not."""
    store.save([answered("a", "serious", seller=SELLER)])
    desk.take(answered("a", "serious", seller=SELLER))
    (item,) = desk.browsing.of_listing("a")
    for name in ("ann", "bob"):
        KeyStore(desk.engine).create(name, [Role.REVIEWER])
        desk.decide(name, BLOCK, item.id)
        KeyStore(desk.engine).revoke(name)
        PersonErasure(desk.engine).erase(name, "command line")
    assert len({made.reviewer for made in desk.browsing.decisions(item.id)}) == 2
    assert desk.browsing.item(item.id).state is State.DECIDED
    assert whole(desk.engine)


def test_a_step_that_fails_can_be_done_again(worked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from serving.erasure import listings

    monkeypatch.setattr(listings, "_AT_ONCE", 1)
    erasure, calls = ListingErasure(worked.engine), 0
    usual = erasure.erase_items

    def failing(*arguments: Any) -> dict[str, int]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("the power went")
        return usual(*arguments)

    monkeypatch.setattr(erasure, "erase_items", failing)
    with pytest.raises(OSError, match="power"):
        erasure.erase(Which(seller=SELLER), "command line")
    ListingErasure(worked.engine).erase(Which(seller=SELLER), "command line")
    left = everything(worked.engine)
    assert [stem for stem in STEMS if stem in left] == []
    with writing(worked.engine) as connection:
        assert connection.execute(select(1)).scalar() == 1

"""Accounts as they are kept: passwords, roles, sessions, and what the log says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from models.domain.errors import InputError
from serving.access.passwords import check_new, hash_of, is_outdated, is_password, new_password
from serving.access.principal import Role, account_ids_in
from serving.review.events import breaks, events
from serving.store.account_tables import AccountRow
from serving.store.accounts import Account, AccountStore
from serving.store.assessments import AssessmentStore
from serving.store.database import writing
from serving.store.keys import KeyStore
from serving.store.sign_in_failures import OF_ADDRESS, OF_NAME, SignInFailures, network_of

PASSWORD = "four words by chance"
OTHER = "entirely different words"
SOON = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def accounts(store: AssessmentStore) -> AccountStore:
    """No accounts yet, in a database of each kind."""
    return AccountStore(store.engine)


def add(accounts: AccountStore, name: str = "Ada", *roles: Role) -> Account:
    return accounts.add(name, roles or [Role.REVIEWER], "command line", "Ada Byron", PASSWORD)[0]


def sessions_of(accounts: AccountStore, account: Account) -> int:
    return sum(each.account_id == account.id for each in KeyStore(accounts.engine).usable().sessions)


class TestPasswords:
    """What is kept, and what is refused."""

    def test_only_a_salted_argon2id_hash_is_kept_by_parameters_that_owasp_names(self) -> None:
        kept = hash_of(PASSWORD)
        found = extract_parameters(kept)
        assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == ("ID", 19_456, 2, 1)
        assert kept != hash_of(PASSWORD)
        assert is_password(PASSWORD, kept)
        assert not is_password(PASSWORD + " ", kept)
        assert not is_password(PASSWORD, None)

    def test_the_same_letters_typed_otherwise_are_the_same_password(self) -> None:
        assert is_password("Ångström-ﬁsh-and-chips", hash_of("Ångström-fish-and-chips"))

    def test_a_hash_by_other_parameters_is_known_as_outdated(self) -> None:
        assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD))
        assert not is_outdated(hash_of(PASSWORD))

    @pytest.mark.parametrize(
        ("password", "why"),
        [("short", "5 characters"), ("x" * 257, "257 characters"), ("ada is my first name", "your name"),
         ("adalovelace18", "your name"), ("onehazardlensamongmany", "this program"),
         ("hazardlens-forever", "this program"), ("aaaaaaaabbbb", "hardly differs"), ("abcdefghijkl", "hardly differs"),
         ("012345678901", "hardly differs")],
    )  # fmt: skip
    def test_what_is_guessed_first_is_refused_with_a_mend(self, password: str, why: str) -> None:
        with pytest.raises(InputError, match=why) as refused:
            check_new(password, "ada")
        assert "four words" in refused.value.hint

    @pytest.mark.parametrize(("password", "name"), [("xkanc-kiada-gigs2-z88dy", "ada"), ("a lake in winter", "a"),
                                                    ("four unrelated words", "")])  # fmt: skip
    def test_letters_of_a_name_that_are_there_by_chance_are_no_fault(self, password: str, name: str) -> None:
        check_new(password, name)

    def test_a_made_password_is_long_and_never_the_same(self) -> None:
        made = {new_password() for _ in range(100)}
        assert len(made) == 100
        for password in made:
            check_new(password, "ada")


class TestAccounts:
    """What can be done with one."""

    def test_the_name_is_for_signing_in_and_the_id_for_records(self, accounts: AccountStore) -> None:
        account = add(accounts, "  Ada  Byron ")
        assert (account.name, account.display_name) == ("ada-byron", "Ada Byron")
        assert account_ids_in(account.id) == [account.id]
        assert accounts.find("ADA-byron") == accounts.find(account.id) == account

    def test_a_first_password_is_for_one_sign_in_of_the_next_days(self, accounts: AccountStore) -> None:
        account, password = accounts.add("ben", [Role.REVIEWER], "command line")
        assert account.password_until is not None
        assert timedelta(days=6) < account.password_until - datetime.now(UTC) < timedelta(days=8)
        assert is_password(password, account.password)
        (person,) = KeyStore(accounts.engine).usable().people
        assert person.password_due
        accounts.choose_password(account.id, OTHER, "")
        (person,) = KeyStore(accounts.engine).usable().people
        assert not person.password_due

    @pytest.mark.parametrize("name", ["", "\x00", "server", "command line", "u_0a1b2c3d", "sealed", "x" * 101])
    def test_what_is_no_name_is_refused(self, accounts: AccountStore, name: str) -> None:
        with pytest.raises(InputError, match="name"):
            add(accounts, name)

    def test_two_accounts_have_two_names(self, accounts: AccountStore) -> None:
        add(accounts, "ada")
        with pytest.raises(InputError, match="called 'ada' already"):
            add(accounts, "ADA")

    def test_a_reset_ends_every_session_and_a_choice_every_other(self, accounts: AccountStore) -> None:
        account, keys = add(accounts), KeyStore(accounts.engine)
        kept = keys.open_session(None, SOON, account.id).rpartition("_")[0]
        keys.open_session(None, SOON, account.id)
        accounts.choose_password(account.id, OTHER, kept)
        assert sessions_of(accounts, account) == 1
        accounts.reset("ada", "command line")
        assert sessions_of(accounts, account) == 0

    def test_an_account_has_at_most_twenty_sessions_and_the_oldest_end_first(self, accounts: AccountStore) -> None:
        account, keys = add(accounts), KeyStore(accounts.engine)
        tokens = [keys.open_session(None, SOON, account.id).rpartition("_")[0] for _ in range(23)]
        left = {each.prefix for each in keys.usable().sessions}
        assert left == set(tokens[3:])

    def test_who_is_disabled_is_signed_out_and_comes_back_by_signing_in(self, accounts: AccountStore) -> None:
        account = add(accounts)
        KeyStore(accounts.engine).open_session(None, SOON, account.id)
        assert not accounts.disable("ada", "command line").active
        assert sessions_of(accounts, account) == 0
        KeyStore(accounts.engine).open_session(None, SOON, account.id)  # between the check and the act
        assert KeyStore(accounts.engine).usable().sessions == []
        assert accounts.enable("ada", "command line").active

    def test_the_last_admin_stays_one(self, accounts: AccountStore) -> None:
        add(accounts, "ada", Role.ADMIN)
        for act in (
            lambda: accounts.disable("ada", "command line"),
            lambda: accounts.set_roles("ada", [Role.REVIEWER], "command line"),
        ):
            with pytest.raises(InputError, match="last admin"):
                act()
        add(accounts, "ben", Role.ADMIN)
        assert accounts.set_roles("ada", [Role.REVIEWER], "command line").roles == {Role.REVIEWER}

    def test_every_change_is_in_the_log_under_the_id(self, accounts: AccountStore) -> None:
        account = add(accounts, "Hugo")  # no hash in the log can spell that
        accounts.set_roles("hugo", [Role.SCIENTIST], "u_00000000")
        accounts.choose_password(account.id, OTHER, "")
        with accounts.engine.connect() as connection:
            assert list(breaks(connection)) == []
            kept = list(events(connection))
        told = [(event.actor, orjson.loads(event.new)["what"]) for event in kept]
        assert told == [("command line", "added"), ("u_00000000", "roles"), (account.id, "password")]
        assert not any(word in str(kept) for word in ("hugo", "Byron", PASSWORD, OTHER))

    def test_a_rehash_does_not_undo_a_change(self, accounts: AccountStore) -> None:
        account = add(accounts)
        assert account.password is not None
        accounts.choose_password(account.id, OTHER, "")
        accounts.rehash(account.id, PASSWORD, account.password)
        found = accounts.find("ada")
        assert found is not None
        assert is_password(OTHER, found.password)

    def test_a_provider_never_takes_over_a_name(self, accounts: AccountStore) -> None:
        own = add(accounts, "ada")
        linked = accounts.link("https://id.example", "1", "ada", "Ada L.", [Role.REVIEWER])
        assert (linked.id != own.id, linked.name, linked.password) == (True, "ada-2", None)
        again = accounts.link("https://id.example", "1", "renamed", "x", [Role.SCIENTIST])
        assert (again.id, again.name, again.roles) == (linked.id, "ada-2", {Role.SCIENTIST})
        assert accounts.linked("https://other.example", "1") is None


class TestSignInFailures:
    """Guessing grows slower."""

    NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    @pytest.fixture
    def failures(self, store: AssessmentStore) -> SignInFailures:
        return SignInFailures(store.engine)

    def test_some_failures_are_free_and_then_the_wait_doubles(self, failures: SignInFailures) -> None:
        now, waits = self.NOW, []
        for _ in range(8):
            while wait := failures.begin("ada", "192.0.2.1", now):
                waits.append(wait.total_seconds())
                now += wait
        assert waits == [1, 2, 4]
        assert failures.begin("ben", "192.0.2.2", now) == timedelta(0)

    def test_attempts_at_once_count_each_other(self, failures: SignInFailures) -> None:
        begun = [failures.begin("ada", "192.0.2.1", self.NOW) for _ in range(50)]
        assert sum(wait == timedelta(0) for wait in begun) == OF_NAME.free + 1

    def test_one_address_that_tries_many_names_waits_too(self, failures: SignInFailures) -> None:
        begun = [failures.begin(f"name {n}", f"2001:db8::{n:x}", self.NOW) for n in range(50)]
        assert sum(wait == timedelta(0) for wait in begun) == OF_ADDRESS.free + 1

    def test_success_is_no_failure_and_old_ones_are_forgotten(self, failures: SignInFailures) -> None:
        for _ in range(OF_NAME.free + 5):
            assert failures.begin("ada", "192.0.2.1", self.NOW) == timedelta(0)
            failures.succeeded("ada", "192.0.2.1")
        failures.begin("ada", "192.0.2.1", self.NOW)
        assert failures.forget_old(self.NOW + timedelta(hours=25)) == 2

    def test_neither_names_nor_addresses_are_kept(self, failures: SignInFailures) -> None:
        failures.begin("my secret in the wrong field", "192.0.2.77", self.NOW)
        with failures.engine.connect() as connection:
            kept = str(connection.exec_driver_sql("SELECT * FROM sign_in_failures").all())
        assert "secret" not in kept
        assert "192.0.2" not in kept

    @given(st.integers(0, 10_000))
    def test_the_wait_never_shrinks_and_ends_at_a_quarter_of_an_hour(self, failures: int) -> None:
        assert OF_NAME.wait_after(failures) <= OF_NAME.wait_after(failures + 1) <= timedelta(minutes=15)

    def test_an_ipv4_address_written_as_ipv6_is_itself(self) -> None:
        assert network_of("::ffff:192.0.2.1") == "192.0.2.1"


def test_a_hash_of_yesterday_is_made_anew_at_the_next_sign_in(accounts: AccountStore) -> None:
    from serving.access.sign_in import PasswordSignIn

    account, old = add(accounts), PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    with writing(accounts.engine) as connection:
        connection.execute(update(AccountRow).values(password=old))
    assert PasswordSignIn(accounts.engine)._check("ada", PASSWORD) is not None
    with accounts.engine.connect() as connection:
        kept = connection.execute(select(AccountRow.password).where(AccountRow.id == account.id)).scalar_one()
    assert kept is not None
    assert not is_outdated(kept)
    assert is_password(PASSWORD, kept)

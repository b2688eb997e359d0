"""API keys: made, rotated, revoked and kept, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from models.domain.errors import InputError
from serving.access.principal import Allowance, Role
from serving.access.tokens import KEY, digest_of, is_secret, new_token, prefix_of
from serving.store.database import open_database
from serving.store.keys import KeyStore

DAY = timedelta(days=1)


@pytest.fixture
def keys(database_url: str) -> Iterator[KeyStore]:
    store = KeyStore(open_database(database_url))
    yield store
    store.engine.dispose()


def ahead(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def states(keys: KeyStore) -> dict[str, str]:
    return {key.prefix: key.state(datetime.now(UTC)) for key in keys.known()}


class TestSecrets:
    """What a key looks like, and what is kept of it."""

    def test_two_are_never_alike(self) -> None:
        assert len({new_token(KEY).secret for _ in range(1_000)}) == 1_000

    def test_the_prefix_may_be_shown_and_the_rest_is_long(self) -> None:
        token = new_token(KEY)
        assert token.secret.startswith(f"{token.prefix}_")
        assert prefix_of(token.secret) == token.prefix
        assert len(token.secret) - len(token.prefix) - 1 == 40

    @given(st.text())
    def test_no_other_text_is_taken_for_one(self, given: str) -> None:
        assert prefix_of(given) is None

    @given(st.integers(0, 50), st.characters(codec="ascii"))
    def test_one_changed_character_makes_another_key(self, place: int, letter: str) -> None:
        token = new_token(KEY)
        changed = token.secret[:place] + letter + token.secret[place + 1 :]
        assert is_secret(changed, token.digest) is (changed == token.secret)


class TestLife:
    """From the first day of a key to its last."""

    def test_a_key_is_kept_with_all_but_its_secret(self, keys: KeyStore) -> None:
        ends, some = ahead(30), Allowance(requests=10, listings=500)
        made = keys.create("upload  pipeline", [Role.UPLOADER, Role.SCIENTIST], ends, some)

        (kept,) = keys.known()
        assert kept == made.key
        assert (kept.name, kept.roles, kept.allowance) == ("upload pipeline", {Role.UPLOADER, Role.SCIENTIST}, some)
        assert (kept.expires_at, kept.revoked_at, kept.last_used_at) == (ends, None, None)
        assert made.secret not in repr(kept)
        assert kept.digest == digest_of(made.secret)

    def test_a_name_has_one_key_at_a_time(self, keys: KeyStore) -> None:
        keys.create("Ada", [Role.REVIEWER])
        with pytest.raises(InputError, match="keys rotate"):
            keys.create(" ADA ", [Role.ADMIN])
        keys.revoke("ada")
        assert keys.create("Ada", [Role.REVIEWER]).key.name == "Ada"

    def test_after_a_rotation_two_are_valid_until_the_overlap_ends(self, keys: KeyStore) -> None:
        few = Allowance(listings=9)
        first = keys.create("p", [Role.UPLOADER], None, few)
        second, old = keys.rotate("P", 2 * DAY)

        assert states(keys) == {first.key.prefix: "valid", second.key.prefix: "valid"}
        assert (second.key.name, second.key.roles, second.key.allowance) == (
            "p",
            {Role.UPLOADER},
            Allowance(listings=9),
        )
        assert second.key.expires_at is None
        assert old.expires_at is not None
        assert abs(old.expires_at - ahead(2)) < timedelta(minutes=1)
        assert old.state(ahead(3)) == "expired"

    def test_a_rotated_key_lives_as_long_as_the_old_one_was_to(self, keys: KeyStore) -> None:
        old = keys.create("p", [Role.UPLOADER], ahead(30)).key
        new, ended = keys.rotate("p", 90 * DAY)

        assert new.key.expires_at is not None
        assert abs(new.key.expires_at - ahead(30)) < timedelta(minutes=1)
        assert ended.expires_at == old.expires_at, "an overlap makes no key live longer"

    def test_there_are_never_three(self, keys: KeyStore) -> None:
        keys.create("p", [Role.UPLOADER])
        keys.rotate("p", DAY)
        with pytest.raises(InputError, match="two keys"):
            keys.rotate("p", DAY)

    def test_an_overlap_of_nothing_ends_the_old_key_at_once(self, keys: KeyStore) -> None:
        first = keys.create("p", [Role.UPLOADER])
        second, _ = keys.rotate("p", 0 * DAY)
        assert states(keys) == {first.key.prefix: "expired", second.key.prefix: "valid"}

    def test_a_prefix_revokes_one_key_and_a_name_all(self, keys: KeyStore) -> None:
        first, second = keys.create("p", [Role.UPLOADER]), keys.rotate("p", DAY)[0]
        assert [key.prefix for key in keys.revoke(first.key.prefix)] == [first.key.prefix]
        assert states(keys) == {first.key.prefix: "revoked", second.key.prefix: "valid"}
        assert [key.prefix for key in keys.revoke("p")] == [second.key.prefix]
        with pytest.raises(InputError, match="no valid key"):
            keys.revoke("p")

    def test_the_key_of_the_demo_is_replaced_and_never_piles_up(self, keys: KeyStore) -> None:
        made = [keys.replace("demo", [Role.UPLOADER]) for _ in range(3)]
        assert [key.prefix for key in keys.known()] == [made[-1].key.prefix]

    def test_only_valid_keys_and_their_sessions_are_usable(self, keys: KeyStore) -> None:
        one, two = keys.create("one", [Role.REVIEWER]).key, keys.create("two", [Role.REVIEWER]).key
        for key in (one, two):
            keys.open_session(key.prefix, ahead(1))
        keys.revoke("two")
        usable = keys.usable()
        found, sessions = usable.keys, usable.sessions
        assert [key.prefix for key in found] == [one.prefix]
        assert [session.key_prefix for session in sessions] == [one.prefix]
        keys.close_session(sessions[0].prefix)
        assert keys.usable().sessions == []

    def test_use_is_noted(self, keys: KeyStore) -> None:
        prefix, when = keys.create("p", [Role.UPLOADER]).key.prefix, datetime.now(UTC)
        keys.note_use({prefix: when})
        assert keys.known()[0].last_used_at == when

    @pytest.mark.parametrize("name", ["", " ", "a\x00b", "x" * 101, "server", "Anyone", "a\nb\x1b"])
    def test_a_name_that_is_none_is_refused(self, keys: KeyStore, name: str) -> None:
        with pytest.raises(InputError, match="name"):
            keys.create(name, [Role.UPLOADER])

    def test_a_key_without_a_role_or_a_future_is_refused(self, keys: KeyStore) -> None:
        with pytest.raises(InputError, match="uploader, reviewer, scientist, admin"):
            keys.create("p", [])
        with pytest.raises(InputError, match="in the past"):
            keys.create("p", [Role.UPLOADER], ahead(-1))


def test_no_secret_is_in_the_database(keys: KeyStore, tmp_path: Path) -> None:
    made = keys.create("p", [Role.UPLOADER])
    session = keys.open_session(made.key.prefix, ahead(1))
    rotated = keys.rotate("p", DAY)[0]
    with keys.engine.connect() as connection:
        kept = repr([connection.execute(text(f"SELECT * FROM {table}")).all() for table in ("api_keys", "sessions")])
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    for secret in (made.secret, session, rotated.secret):
        hidden = secret.rpartition("_")[2]
        assert hidden not in kept
        assert hidden.encode() not in files
    assert made.key.prefix in kept

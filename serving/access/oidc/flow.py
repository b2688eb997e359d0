"""One sign-in by a provider, from the browser that begins it to the account that it leads to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.domain.errors import InputError
from serving.access.oidc.failure import SignInError
from serving.access.oidc.provider import Client, Provider
from serving.access.principal import Role
from serving.settings import Settings
from serving.store.accounts import Account, AccountStore

_log = logging.getLogger("hazardlens.access")
_FORM = re.compile(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}")
_WORDS = re.compile(r"[^\w.@+-]+")


@dataclass(frozen=True)
class Begun:
    """What the browser keeps while the person signs in elsewhere, in a cookie that no script can read.

    The provider gives `state` and `nonce` back, so that nobody can pass off an answer of their own as this browser's;
    `verifier` proves to the provider that who has begun also ends (PKCE, RFC 7636).
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Begun:
        """Return one from the system's random numbers."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def read(cls, cookie: str) -> Begun | None:
        """Return what a cookie holds, None where it is none of ours."""
        return cls(*cookie.split(".")) if _FORM.fullmatch(cookie) else None

    def __str__(self) -> str:
        return f"{self.state}.{self.nonce}.{self.verifier}"

    @property
    def challenge(self) -> str:
        """The digest of the verifier, which the provider is told at the beginning."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True)
class Reading:
    """How an account is made of what the provider says.

    Parameters
    ----------
    roles_claim : str
        Where the roles stand; dots lead into objects, as in ``realm_access.roles``.
    roles : mapping
        Role by the value that stands there.
    name_claim : str
        Where the name for records of sign-ins stands.
    """

    roles_claim: str
    roles: Mapping[str, Role]
    name_claim: str

    def roles_of(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        """Return the roles of a person; values that nothing is said about give none."""
        found: Any = claims.get(self.roles_claim)
        if found is None:
            found = claims
            for part in self.roles_claim.split("."):
                found = found.get(part) if isinstance(found, Mapping) else None
        given = found if isinstance(found, list) else [found]
        return frozenset(self.roles[value] for value in given if isinstance(value, str) and value in self.roles)

    def name_of(self, claims: Mapping[str, Any]) -> str:
        """Return what an account is first called for signing in."""
        for claim in (self.name_claim, "email", "sub"):
            found = claims.get(claim)
            if isinstance(found, str) and (form := _WORDS.sub("-", found).strip("-")[:60]):
                return form
        return "person"

    def display_of(self, claims: Mapping[str, Any]) -> str:
        """Return what others first call the person."""
        found = claims.get("name")
        return found[:100] if isinstance(found, str) and found.isprintable() else ""


class ProviderSignIn:
    """Signs people in by one provider. Used from the event loop only.

    Parameters
    ----------
    provider : Provider
    reading : Reading
    accounts : AccountStore
    """

    def __init__(self, provider: Provider, reading: Reading, accounts: AccountStore) -> None:
        self.provider = provider
        self.reading = reading
        self.accounts = accounts

    @classmethod
    def of(cls, settings: Settings, accounts: AccountStore) -> ProviderSignIn | None:
        """Return what the settings ask for; None where they name no provider."""
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            return None
        client = Client(
            settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.oidc_scopes
        )
        roles = {value: Role(role) for value, role in settings.oidc_role_pairs}
        return cls(Provider(client), Reading(settings.oidc_roles_claim, roles, settings.oidc_name_claim), accounts)

    async def begin(self, redirect_uri: str) -> tuple[Begun, str]:
        """Return what the browser keeps, and where it is sent.

        Raises
        ------
        ProviderError
            If the provider does not answer, or not as one.
        """
        begun = Begun.new()
        return begun, await self.provider.address(redirect_uri, begun.state, begun.nonce, begun.challenge)

    async def end(self, begun: Begun | None, query: Mapping[str, str], redirect_uri: str) -> Account:
        """Return the account of the person whom the provider has sent back.

        Parameters
        ----------
        begun : Begun or None
            What the browser kept.
        query : mapping
            What the provider sent along.

        Raises
        ------
        SignInError
            If anything is not in order, or the person has no role here.
        ProviderError
            If the provider does not answer, or not as one.
        """
        if begun is None or not hmac.compare_digest(query.get("state", "").encode(), begun.state.encode()):
            raise SignInError("This sign-in was not begun in this browser, or too long ago. Try again.")
        if query.get("iss", self.provider.client.issuer) != self.provider.client.issuer:  # RFC 9207
            raise SignInError("Another provider answered than the one that was asked.")
        code = query.get("code")
        if "error" in query or not code:
            _log.warning("the OpenID provider let somebody not in: %r", query.get("error", "no code")[:80])
            raise SignInError("The provider did not let you in.")
        from serving.access.oidc.id_token import claims_of  # most servers have no provider, and need not load it

        token = await self.provider.id_token(code, redirect_uri, begun.verifier)
        claims = await claims_of(token, begun.nonce, self.provider)
        return await asyncio.to_thread(self._account, claims)

    def _account(self, claims: Mapping[str, Any]) -> Account:
        issuer, subject = self.provider.client.issuer, claims["sub"]
        roles, known = self.reading.roles_of(claims), self.accounts.linked(issuer, subject)
        if not roles:
            raise SignInError("The provider knows you, but gives you no role here. Ask who looks after it.")
        if known is not None and not known.active:
            raise SignInError("Your account here is disabled. Ask an admin.")
        name, display = self.reading.name_of(claims), self.reading.display_of(claims)
        try:
            return self.accounts.link(issuer, subject, name, display, roles)
        except InputError as error:
            raise SignInError(f"No account can be made of what the provider says: {error}.") from error

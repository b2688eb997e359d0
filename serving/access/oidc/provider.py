"""An OpenID provider over HTTP: what it says of itself, its keys, and the tokens that it gives for a code."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx

from serving.access.oidc.failure import ProviderError, SignInError

_log = logging.getLogger("hazardlens.access")
_TIMEOUT = httpx.Timeout(5.0)
_LONGEST = 1_000_000
_KNOWN_FOR = 3_600.0
"""Seconds after which the provider is asked about itself anew."""
_KEYS_AT_MOST_EVERY = 10.0
"""Seconds between two looks for a key that is not known: tokens with made-up keys must not flood the provider."""


@dataclass(frozen=True)
class Client:
    """What this server is to the provider.

    Parameters
    ----------
    issuer : str
        Address of the provider, as its tokens write it.
    client_id : str
    client_secret : str or None
        None for a public client, which PKCE alone protects.
    scopes : str
    """

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str


@dataclass(frozen=True)
class Endpoints:
    """What the provider says of itself (OpenID Connect Discovery 1.0)."""

    authorization: str
    token: str
    keys: str
    algorithms: frozenset[str]
    secret_in_body: bool


class Provider:
    """One provider; used from the event loop only.

    Parameters
    ----------
    client : Client
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._clock = clock
        self._endpoints: Endpoints | None = None
        self._keys: dict[str, Any] = {}
        self._asked_at = self._keys_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def address(self, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Return where the browser is sent to sign in.

        Raises
        ------
        ProviderError
            If the provider does not answer, or not as one.
        """
        endpoints = await self.endpoints()
        query = {
            "response_type": "code", "client_id": self.client.client_id, "redirect_uri": redirect_uri,
            "scope": self.client.scopes, "state": state, "nonce": nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(query)}"

    async def id_token(self, code: str, redirect_uri: str, verifier: str) -> str:
        """Return the ID token that the provider gives for a code.

        Raises
        ------
        SignInError
            If the code is not taken.
        ProviderError
            If the provider does not answer, or not as one.
        """
        endpoints, client = await self.endpoints(), self.client
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier,
        }  # fmt: skip
        proof = None
        if client.client_secret is None or endpoints.secret_in_body:
            form |= {"client_id": client.client_id}
            form |= {"client_secret": client.client_secret} if client.client_secret is not None else {}
        else:  # RFC 6749, section 2.3.1: both are written as in a form first
            proof = httpx.BasicAuth(quote_plus(client.client_id), quote_plus(client.client_secret))
        answer = await self._ask("POST", endpoints.token, data=form, auth=proof)
        body = _object(answer, endpoints.token) if answer.status_code in (200, 400, 401) else {}
        token = body.get("id_token")
        if answer.status_code == 200 and isinstance(token, str):
            return token
        _log.warning("the OpenID provider refused a code: status %d, %s", answer.status_code, body.get("error"))
        raise SignInError("The provider did not take the code that it had given. Try again.")

    async def key(self, kid: str | None) -> Mapping[str, Any]:
        """Return one of the provider's keys; a new one is looked for when a token names it.

        Raises
        ------
        SignInError
            If the provider has no such key.
        ProviderError
            If the provider does not answer, or not as one.
        """
        if (found := self._known_key(kid)) is None:
            async with self._one_at_a_time:
                if self._known_key(kid) is None and self._clock() - self._keys_at >= _KEYS_AT_MOST_EVERY:
                    await self._read_keys()
            found = self._known_key(kid)
        if found is None:
            raise SignInError("The provider's token is signed with a key that the provider does not publish.")
        return found

    async def endpoints(self) -> Endpoints:
        """Return what the provider says of itself.

        Raises
        ------
        ProviderError
            If it does not answer, or not as one.
        """
        async with self._one_at_a_time:
            if self._endpoints is None or self._clock() - self._asked_at > _KNOWN_FOR:
                address = f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration"
                answer = await self._ask("GET", address)
                if answer.status_code != 200:
                    raise ProviderError(f"{address} answers with status {answer.status_code}")
                self._endpoints, self._asked_at = self._read(_object(answer, address)), self._clock()
        return self._endpoints

    def _known_key(self, kid: str | None) -> Mapping[str, Any] | None:
        if kid is None:  # allowed where there is only one
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        found = self._keys.get(kid)
        return found if isinstance(found, dict) else None

    async def _read_keys(self) -> None:
        assert self._endpoints is not None
        answer = await self._ask("GET", self._endpoints.keys)
        keys = _object(answer, self._endpoints.keys).get("keys")
        if answer.status_code != 200 or not isinstance(keys, list):
            raise ProviderError(f"{self._endpoints.keys} gives no keys")
        usable = [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        self._keys = {str(key.get("kid", "")): key for key in usable if key.get("kty") in ("RSA", "EC", "OKP")}
        self._keys_at = self._clock()

    def _read(self, said: Mapping[str, Any]) -> Endpoints:
        if said.get("issuer") != self.client.issuer:
            raise ProviderError(f"it calls itself {said.get('issuer')!r}, not {self.client.issuer!r}")
        authorization, token, keys = (
            _address(said.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        signed = said.get("id_token_signing_alg_values_supported") or ["RS256"]
        in_body = "client_secret_basic" not in ways and "client_secret_post" in ways
        return Endpoints(authorization, token, keys, frozenset(map(str, signed)), in_body)

    async def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as http:
                answer = await http.request(method, address, headers={"Accept": "application/json"}, **more)
        except httpx.HTTPError as error:
            raise ProviderError(f"{address} does not answer: {error or type(error).__name__}") from error
        if len(answer.content) > _LONGEST:
            raise ProviderError(f"{address} answers with {len(answer.content):,} bytes")
        return answer


def is_safe_address(address: str) -> bool:
    """Whether what is sent there cannot be read on the way: HTTPS, or this very machine.

    Examples
    --------
    >>> is_safe_address("https://id.example"), is_safe_address("http://id.example"), is_safe_address("http://127.0.0.1")
    (True, False, True)
    """
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))


def _address(said: object) -> str:
    if not isinstance(said, str) or not is_safe_address(said):
        raise ProviderError(f"it names {said!r} as an address")
    return said


def _object(answer: httpx.Response, address: str) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError as error:
        raise ProviderError(f"{address} answers with something else than JSON") from error
    if not isinstance(found, dict):
        raise ProviderError(f"{address} answers with something else than an object")
    return found

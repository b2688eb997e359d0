"""Checks an ID token: signature, issuer, audience, times, nonce (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import JWKRegistry

from serving.access.oidc.failure import SignInError
from serving.access.oidc.provider import Provider

CLOCK_SKEW = 60
"""Seconds by which the provider's clock may differ from ours."""
_LONGEST_TOKEN = 64_000
_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Signatures with a public key. `none`, and those with the client's secret, are never taken."""


async def claims_of(
    token: str, nonce: str, provider: Provider, now: Callable[[], float] = time.time
) -> Mapping[str, Any]:
    """Return what a provider says of a person, once all of it is proven.

    Raises
    ------
    SignInError
        Naming what does not fit.
    ProviderError
        If the provider does not answer, or not as one.
    """
    if len(token) > _LONGEST_TOKEN:
        raise SignInError("The provider's token is too long.")
    client, endpoints = provider.client, await provider.endpoints()
    try:
        header = jws.extract_compact(token.encode()).headers()
        algorithm = str(header.get("alg"))
        allowed = _ALGORITHMS & endpoints.algorithms
        if algorithm not in allowed:
            raise SignInError(f"The provider's token is signed by {algorithm!r}, which is not taken.")
        kid = header.get("kid")
        key = JWKRegistry.import_key(dict(await provider.key(None if kid is None else str(kid))))
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=CLOCK_SKEW,
            iss={"essential": True, "value": client.issuer},
            aud={"essential": True, "value": client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
    except ExpiredTokenError as error:
        raise SignInError("The provider's token has expired. Try again.") from error
    except (InvalidClaimError, MissingClaimError, ClaimError) as error:
        name = getattr(error, "claim", None) or str(error)
        raise SignInError(f"The provider's token is not for this sign-in: {name}.") from error
    except (JoseError, ValueError, TypeError) as error:
        raise SignInError("The provider's token cannot be trusted: its signature or form is wrong.") from error
    _check_party(claims, client.client_id)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise SignInError("The provider's token is not for this sign-in: sub.")
    return claims


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """Refuse a token that was given to another client, and one for many without saying to whom."""
    party, audience = claims.get("azp"), claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (party is not None and party != client_id) or (several and party is None):
        raise SignInError("The provider's token is not for this sign-in: azp.")

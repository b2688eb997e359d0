"""A small OpenID provider over real HTTP with real keys, which can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "hazardlens client", "s3cret:/+"


@dataclass
class OpenIdProvider:
    """Its state; a test changes it between two steps of a sign-in.

    `claims` are added to those of the next token, None takes one away. `key` signs, `published` are said to sign.
    """

    address: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: new_key("first"))
    published: list[RSAKey] = field(default_factory=list)
    algorithm: str = "RS256"
    discovery: dict[str, Any] = field(default_factory=dict)
    answers: bool = True
    key_looks: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.published = [self.key]

    def rotate(self) -> None:
        """Sign with another key from now on, and publish it."""
        self.key = new_key(f"key-{secrets.token_hex(4)}")
        self.published = [self.key]

    def app(self) -> FastAPI:
        """Its HTTP interface."""
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def configuration() -> Response:
            if not self.answers:
                return Response("down for maintenance", 503)
            said = {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
            return JSONResponse(said | self.discovery)

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
                return Response("unknown client", 400)
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"], "iss": self.address})
            return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            proof = base64.b64encode(f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}".encode())
            if request.headers.get("authorization") != f"Basic {proof.decode()}":
                return JSONResponse({"error": "invalid_client"}, 401)
            asked = self.codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = _part(digest)
            if (
                asked is None
                or asked["redirect_uri"] != form.get("redirect_uri")
                or (asked["code_challenge"], asked["code_challenge_method"]) != (challenge, "S256")
            ):
                return JSONResponse({"error": "invalid_grant"}, 400)
            return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked["nonce"])})

        @app.get("/keys")
        def keys() -> Response:
            self.key_looks += 1
            return JSONResponse({"keys": [key.as_dict(private=False) for key in self.published]})

        return app

    def token(self, nonce: str) -> str:
        """Sign an ID token."""
        now = int(time.time())
        usual = {
            "iss": self.address, "sub": "subject-1", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce,
            "preferred_username": "ada", "name": "Ada Byron", "roles": ["safety-team"],
        }  # fmt: skip
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        if self.algorithm == "none":
            return f"{_part(json.dumps({'alg': 'none'}).encode())}.{_part(json.dumps(claims).encode())}."
        key = self.key
        header = {"alg": self.algorithm, "kid": key.kid}
        if self.algorithm == "HS256":  # signed with the public key as if it were a secret, an old trick
            signed = ".".join(map(_part, (json.dumps(header).encode(), json.dumps(claims).encode())))
            return f"{signed}.{_part(hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest())}"
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_key(kid: str) -> RSAKey:
    """Make an RSA key."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@contextmanager
def running(provider: OpenIdProvider) -> Iterator[OpenIdProvider]:
    """Let a provider listen on a real port."""
    server = uvicorn.Server(uvicorn.Config(provider.app(), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    provider.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield provider
    server.should_exit = True
    thread.join(30)


def asked_of(location: str) -> dict[str, str]:
    """Return what the browser is sent to a provider with."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

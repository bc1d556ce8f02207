"""What the tests of the web layer share: real keys, a real server for them, and an application with every edge."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr

PUBLIC_URL = "https://turnabout.example"


@dataclass(frozen=True)
class EdgeSettings:
    """The few settings that the web layer reads."""

    profiles_url: str
    public_url: str = PUBLIC_URL
    instance: str = "matching-0"
    service_secret: SecretStr = field(default_factory=lambda: SecretStr("between services"))


def a_key(kid: str) -> ECKey:
    """A signing key of profiles."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


def a_token(key: ECKey, *, algorithm: str = "ES256", kid: str | None = None, **claims: Any) -> str:
    """A member's token, valid unless claims say otherwise; a claim of None is left out."""
    now = int(time.time())
    usual = {
        "iss": PUBLIC_URL,
        "aud": "turnabout",
        "sub": "member-1",
        "tid": "demo",
        "roles": ["analyst"],
        "iat": now,
        "exp": now + 600,
    }
    chosen = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": kid or key.kid}, chosen, key)


@dataclass
class Profiles:
    """A stand-in for profiles that publishes keys, hands out service tokens and knows people."""

    keys: list[ECKey]
    names: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    areas: dict[str, str] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    asked_taxonomy: list[tuple[str, str]] = field(default_factory=list)
    fetches: int = 0
    service_tokens: list[dict[str, str]] = field(default_factory=list)
    asked_cards: list[tuple[str, list[str]]] = field(default_factory=list)

    def app(self) -> FastAPI:
        """The application to serve."""
        api = FastAPI()

        @api.get("/.well-known/jwks.json")
        async def jwks() -> dict[str, Any]:
            self.fetches += 1
            return dict(KeySet([*self.keys]).as_dict(private=False))

        @api.post("/api/profiles/v1/service-tokens")
        async def service_token(request: Request) -> dict[str, Any]:
            form = {name: str(value) for name, value in (await request.form()).items()}
            self.service_tokens.append(form)
            return {"access_token": f"token {len(self.service_tokens)}", "expires_in": 61}

        @api.post("/api/profiles/v1/cards")
        async def cards(request: Request) -> dict[str, Any]:
            members = (await request.json())["members"]
            self.asked_cards.append((request.headers["authorization"], members))
            return {"cards": [{"member": each, "name": self.names[each]} for each in members if each in self.names]}

        @api.post("/api/profiles/v1/lookup")
        async def lookup(request: Request) -> dict[str, Any]:
            emails = (await request.json())["emails"]
            return {"members": {each: self.emails[each] for each in emails if each in self.emails}}

        @api.get("/api/profiles/v1/taxonomy")
        async def taxonomy(request: Request) -> dict[str, Any]:
            self.asked_taxonomy.append((request.headers["authorization"], request.headers["accept-language"]))
            areas = [
                {"code": code, "label": label, "retired": code in self.retired} for code, label in self.areas.items()
            ]
            return {"families": [{"code": "all", "label": "All", "areas": areas}], "areas": self.areas}

        return api


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a free port, by real HTTP."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task

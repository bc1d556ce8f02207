"""A small identity provider for the tests: the other party of a sign-in, which can also lie on request."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Header, HTTPException
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "http://idp.example"


@cache
def a_key() -> RSAKey:
    """What every provider signs with; it takes as long to make as a whole sign-in."""
    return RSAKey.generate_key(2048, {"kid": "idp-1"})


@dataclass
class Provider:
    """Who signs in next, and which rule the provider breaks."""

    email: str = ""
    subject: str = ""
    verified: bool = True
    claims: dict[str, Any] = field(default_factory=dict)
    email_in_token: bool = False
    issuer: str = ISSUER
    client_secret: str = "the client secret of the local stack only"
    key: RSAKey = field(default_factory=a_key)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> FastAPI:
        """The provider as an application."""
        app = FastAPI()
        app.get("/.well-known/openid-configuration")(self._configuration)
        app.get("/jwks")(self._jwks)
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/userinfo")(self._userinfo)
        return app

    def _configuration(self) -> dict[str, str]:
        paths = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks",
            **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in paths.items()},
        }

    def _jwks(self) -> dict[str, Any]:
        return {"keys": [{**self.key.as_dict(private=False), "use": "sig"}]}

    def _authorize(
        self, *, state: str, nonce: str, redirect_uri: str, code_challenge: str, scope: str, prompt: str = ""
    ) -> RedirectResponse:
        code = secrets.token_urlsafe()
        self.codes[code] = {"nonce": nonce, "challenge": code_challenge, "redirect": redirect_uri}
        self.asked.append({"scope": scope, "prompt": prompt})
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", status_code=303)

    def _token(
        self,
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        authorization: Annotated[str, Header()],
    ) -> dict[str, str]:
        granted = self.codes.pop(code, {})
        digest = hashlib.sha256(code_verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        client = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        right = f"turnabout:{self.client_secret.replace(' ', '%20')}"
        if (challenge, redirect_uri, client) != (granted.get("challenge"), granted.get("redirect"), right):
            raise HTTPException(400, "invalid_grant")
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "turnabout",
            "sub": self.subject or self.email,
            "nonce": granted["nonce"],
            "iat": now,
            "exp": now + 300,
            **({"email": self.email, "email_verified": self.verified} if self.email_in_token else {}),
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return {"id_token": token, "access_token": "opaque", "token_type": "Bearer"}

    def _userinfo(self, authorization: Annotated[str, Header()]) -> dict[str, Any]:
        if authorization != "Bearer opaque":
            raise HTTPException(401)
        return {"sub": self.subject or self.email, "email": self.email, "email_verified": self.verified}

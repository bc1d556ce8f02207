"""The keys that sign sessions: one set in the database, so every replica signs and verifies alike.

A new key signs from its birth (verifiers fetch the set again when they meet an unknown `kid`); an old one stays
published until the last token it signed has expired.
"""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from chassis.state.aggregate import Aggregate
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict

SIGNING_DAYS: Final = 30
PUBLISHED_DAYS: Final = SIGNING_DAYS + 1  # a session lives 8 hours
KEY_SET_ID: Final = "signing-keys"


class SigningKey(BaseModel):
    """One ES256 key with its private half."""

    model_config = ConfigDict(frozen=True)

    kid: str
    born: str
    private: dict[str, Any]

    def age(self, now: datetime) -> timedelta:
        """How long it exists."""
        return now - datetime.fromisoformat(self.born)


class KeySet(Aggregate):
    """The keys of this deployment, newest last."""

    keys: tuple[SigningKey, ...] = ()

    @classmethod
    def empty(cls, tenant: str) -> Self:
        """Before the first key."""
        return cls(id=KEY_SET_ID, tenant=tenant)

    def due(self, now: datetime) -> bool:
        """No key is young enough to sign."""
        return not self.keys or self.keys[-1].age(now) > timedelta(days=SIGNING_DAYS)

    def rotate(self, fresh: SigningKey, now: datetime) -> None:
        """Add `fresh` when a new key is due, and forget keys that can have no living token."""
        if self.due(now):
            kept = (key for key in self.keys if key.age(now) < timedelta(days=PUBLISHED_DAYS))
            self.keys = (*kept, fresh)

    def signing(self) -> ECKey:
        """The key that signs now."""
        return ECKey.import_key(self.keys[-1].private)

    def all(self) -> list[ECKey]:
        """Every key that may still have signed a living token."""
        return [ECKey.import_key(key.private) for key in self.keys]

    def published(self) -> dict[str, Any]:
        """The JWKS: public halves only."""
        public = (key.as_dict(private=False) for key in self.all())
        return {"keys": [{**key, "use": "sig", "alg": "ES256"} for key in public]}


def new_key(kid: str, now: datetime) -> SigningKey:
    """A fresh key pair on P-256."""
    key = ECKey.generate_key("P-256", {"kid": kid}, private=True)
    return SigningKey(kid=kid, born=now.isoformat(), private=key.as_dict(private=True))

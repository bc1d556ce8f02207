"""What a request may use, composed once in `profiles.app`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from profiles.rosters.uploads import Uploads
from profiles.settings import ProfilesSettings
from profiles.signin import Provider
from profiles.store import Store
from profiles.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Parts:
    """The long-lived objects of this process."""

    settings: ProfilesSettings
    store: Store
    tokens: Tokens
    provider: Provider
    uploads: Uploads
    languages: tuple[str, ...]
    """Those that pages and mails can be written in."""


def _parts(request: Request) -> Parts:
    found: Parts = request.app.state.parts
    return found


HasParts = Annotated[Parts, Depends(_parts)]

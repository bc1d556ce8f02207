"""Members whom somebody names by e-mail address: profiles tells their ids, and matching keeps no address."""

from collections.abc import Sequence
from typing import Final

import httpx
from chassis.errors import UnavailableError
from chassis.translation import gettext as _
from chassis.trust import trusted
from chassis.web.identity import ServiceTokens
from pydantic import BaseModel, ValidationError

from chassis import telemetry
from matching.settings import MatchingSettings

PURPOSE: Final = "lookup"
_PATH: Final = "/api/profiles/v1/lookup"


class _Found(BaseModel):
    members: dict[str, str]


async def members_by_address(settings: MatchingSettings, emails: Sequence[str]) -> dict[str, str]:
    """Ids by address; who is not in the directory is left out.

    Raises:
        UnavailableError: profiles could not be asked.
    """
    tokens = ServiceTokens(settings, PURPOSE)
    try:
        async with httpx.AsyncClient(base_url=settings.profiles_url, timeout=10, verify=trusted()) as client:
            with telemetry.span("call profiles lookup", kind="client"):
                answer = await client.post(_PATH, json={"emails": list(emails)}, headers=await tokens.headers())
        answer.raise_for_status()
        return _Found.model_validate_json(answer.content).members
    except (httpx.HTTPError, ValidationError) as error:
        raise UnavailableError(_("We could not look up e-mail addresses just now. Try again shortly.")) from error
    finally:
        await tokens.aclose()

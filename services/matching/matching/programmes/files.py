"""A programme from a file: read it, find its leads, publish it. Loading the same file again changes nothing."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final

from chassis.errors import InvalidError
from pydantic import ValidationError

from chassis import clock
from matching.addresses import members_by_address
from matching.domain.programme import Plan, Programme, programme_id
from matching.settings import MatchingSettings
from matching.store import Store

TODAY: Final = "today"


def read_file(path: Path) -> tuple[str, dict[str, Any]]:
    """The code and the content of a programme file, in TOML or JSON; without a code the file's name is it.

    Raises:
        InvalidError: it cannot be read; the message says why.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InvalidError(f"We could not read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidError(f"{path} is neither TOML nor JSON: {error}.") from error
    if not isinstance(content, dict):
        raise InvalidError(f"{path} must hold one programme: title, opens_on, closes_on, leads and rules.")
    return str(content.pop("code", path.stem)), content


def make_plan(content: dict[str, Any], before: Programme | None, today: date) -> Plan:
    """The plan that a file describes. An opening "today" is the day on which the file was first loaded.

    Raises:
        InvalidError: it is not a plan; the message says what to correct.
    """
    if content.get("opens_on") == TODAY:
        content = content | {"opens_on": before.plan.opens_on if before else today}
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise InvalidError(f"The file is not a programme yet. {wrong}.") from error


async def find_leads(settings: MatchingSettings, emails: tuple[str, ...]) -> tuple[str, ...]:
    """Member ids of the leads whom a file names by e-mail address.

    Raises:
        InvalidError: somebody is not in the directory.
        UnavailableError: profiles could not be asked.
    """
    found = await members_by_address(settings, emails)
    if missing := [email for email in emails if email not in found]:
        raise InvalidError(
            "Not in the directory: {missing}. Import them first, or correct the file's leads.",
            missing=", ".join(missing),
        )
    return tuple(found[email] for email in emails)


async def load(settings: MatchingSettings, store: Store, path: Path) -> Programme:
    """Publish the programme of a file."""
    code, content = read_file(path)
    name = programme_id(settings.tenant, code)
    plan = make_plan(content, await store.programmes.get(settings.tenant, name), clock.today())
    plan = plan.model_copy(update={"leads": await find_leads(settings, plan.leads)})
    await store.programmes.change(
        settings.tenant,
        name,
        lambda programme: programme.publish(plan),
        create=lambda: Programme.draft(name, settings.tenant, plan),
    )
    return await store.programmes.load(settings.tenant, name)

"""`turnabout access` against a real broker: dry until `--yes`, and what it grants is what works."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from chassis.broker import client_options
from chassis.settings import Settings
from contracts.access import ADMINISTRATOR, OPERATORS, Acl, Operation, Resource
from contracts.topics import DIRECTORY, PROFILE, PROGRAMME
from guarded_broker import Guarded, consume, produce
from pydantic import SecretStr
from restricted_topic import WITH_VOICE
from typer.testing import CliRunner

from operations import cli

pytestmark = [pytest.mark.connected, pytest.mark.timeout(150)]

Turnabout = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def turnabout(guarded: Guarded, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Turnabout]:
    """Runs one command as the operators, with the environment that a local stack writes down for them."""
    monkeypatch.setenv("TURNABOUT_KAFKA", guarded.settings(OPERATORS).kafka)
    monkeypatch.setenv("TURNABOUT_MONGO", database)
    for name, value in guarded.users.of_operators().items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    yield run
    logging.disable(logging.NOTSET)  # the commands silence libraries for their process, which is this one here


async def test_a_subscriber_is_let_in_and_shut_out(guarded: Guarded, turnabout: Turnabout) -> None:
    """Dry first; then the password is shown once and works for outside topics alone; then it works no more."""
    code, text = await turnabout("access", "grant", "crm")
    assert code == 0
    assert text.splitlines() == [
        "allow  crm to read group crm.*",
        "allow  crm to read topic matching.mentorship.v1",
        "allow  crm to read topic matching.programme.v1",
        "allow  crm to read topic profiles.profile.v1",
        "allow  crm to read topic profiles.taxonomy.v1",
        "Nothing is done yet: add --yes.",
    ]
    assert "crm" not in await asyncio.to_thread((await guarded.administrator()).users)

    code, text = await turnabout("access", "grant", "crm", "--yes")
    found = re.search(r"User crm, password (\S+): it is not shown again\.", text)
    assert (code, bool(found)) == (0, True)
    assert found
    crm = _as(guarded, "crm", found[1])
    await produce(guarded.settings("profiles"), PROFILE.name)
    await consume(crm, PROFILE.name, "crm.people")
    with pytest.raises(TopicAuthorizationFailedError):
        await consume(crm, DIRECTORY.name, "crm.people")

    assert await turnabout("access", "grant", "crm", "--yes") == (0, "Everything is as it should be.\n")
    code, text = await turnabout("access", "revoke", "crm")
    assert text.splitlines()[-2:] == ["take   the password of crm", "Nothing is done yet: add --yes."]
    await consume(crm, PROFILE.name, "crm.more")
    assert (await turnabout("access", "revoke", "crm", "--yes"))[0] == 0
    administrator = await guarded.administrator()
    assert "crm" not in await asyncio.to_thread(administrator.users)
    assert not [acl for acl in await asyncio.to_thread(administrator.acls) if acl.principal == "crm"]


async def test_a_new_password_takes_the_place_of_the_old_one(turnabout: Turnabout) -> None:
    """As one does who has lost it."""
    passwords = []
    for more in ((), ("--new-password",)):
        _, text = await turnabout("access", "grant", "bi-tool", "--yes", "--json", *more)
        passwords.append(json.loads(text)["password"])
    await turnabout("access", "revoke", "bi-tool", "--yes")
    assert passwords[0] != passwords[1]
    assert all(len(password) == 32 for password in passwords)


async def test_what_differs_from_the_contracts_is_listed_and_put_right(guarded: Guarded, turnabout: Turnabout) -> None:
    """Too much is taken, too little is given; dry it changes nothing."""
    extra = Acl("notifications", Operation.READ, Resource.TOPIC, PROFILE.name)
    missing = Acl("matching", Operation.WRITE, Resource.TOPIC, PROGRAMME.name)
    administrator = await guarded.administrator()
    await asyncio.to_thread(administrator.add, [extra])
    await asyncio.to_thread(administrator.remove, [missing])
    try:
        _, text = await turnabout("access", "list", "--json")
        notes = {(acl["principal"], acl["operation"], acl["name"]): acl["note"] for acl in json.loads(text)["acls"]}
        assert notes["notifications", "read", PROFILE.name] == "not in the contracts"
        assert notes["matching", "write", PROGRAMME.name] == "missing"
        assert notes["notifications", "write", "notifications.notice.v1"] == ""
        assert (await turnabout("access", "list"))[1].endswith("Put it right with `turnabout access apply`.\n")

        _, text = await turnabout("access", "apply")
        assert "take   notifications to read topic profiles.profile.v1" in text
        assert "allow  matching to write topic matching.programme.v1" in text
        assert extra in await asyncio.to_thread(administrator.acls)
        assert (await turnabout("access", "apply", "--yes"))[1].endswith("Done.\n")
        there = await asyncio.to_thread(administrator.acls)
        assert (extra in there, missing in there) == (False, True)
        assert await turnabout("access", "apply") == (0, "Everything is as it should be.\n")
    finally:
        await asyncio.to_thread(administrator.put_right, WITH_VOICE)


async def test_what_is_not_possible_is_a_sentence(turnabout: Turnabout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of the platform's, a missing or wrong password, a broker without access control."""
    code, text = await turnabout("access", "grant", "matching", "--yes")
    assert (code, text) == (2, "matching belongs to the platform itself. Choose another name, as hr-dashboard.\n")
    monkeypatch.setenv("TURNABOUT_KAFKA_PASSWORD_ADMINISTRATOR", "guessed")
    code, text = await turnabout("access", "list")
    assert (code, text.split(".")[0]) == (2, f"The broker does not accept the password of {ADMINISTRATOR}")
    assert "guessed" not in text
    monkeypatch.delenv("TURNABOUT_KAFKA_PASSWORD_ADMINISTRATOR")
    missing = "This is done as administrator, whose password is missing: set TURNABOUT_KAFKA_PASSWORD_ADMINISTRATOR.\n"
    assert await turnabout("access", "list") == (2, missing)
    monkeypatch.delenv("TURNABOUT_KAFKA_USER")
    monkeypatch.delenv("TURNABOUT_KAFKA_PASSWORD")
    open_to_all = "This broker is used without passwords. Set TURNABOUT_KAFKA_USER to its administrator.\n"
    assert await turnabout("access", "list") == (2, open_to_all)


async def test_a_wrong_password_of_the_operators_is_told(turnabout: Turnabout, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not that the broker is away."""
    monkeypatch.setenv("TURNABOUT_KAFKA_PASSWORD", "guessed")
    told = "The broker does not accept the password of operators. Set TURNABOUT_KAFKA_PASSWORD right.\n"
    assert await turnabout("lag") == (2, told)


async def test_operators_may_verify_everything(turnabout: Turnabout) -> None:
    """They read every topic, every dead letter and every group's offsets, which is all that it needs."""
    code, text = await turnabout("verify")
    assert code in {0, 1}, text  # what other tests left behind may well be a breach
    assert "can't be checked" not in text


def _as(guarded: Guarded, name: str, password: str) -> Settings:
    changes = {"kafka_user": name, "kafka_password": SecretStr(password)}
    settings = guarded.settings(OPERATORS).model_copy(update=changes)
    assert client_options(settings)["sasl_plain_username"] == name
    return settings

"""The local stack's passwords: made once, readable by their owner alone, and shown to nobody."""

import asyncio
from pathlib import Path

import pytest
from contracts.access import ADMINISTRATOR, OPERATORS
from local import kafka, setup
from local.access import FILE, Users
from local.ports import free_range
from local.processes import Child, StackError, running
from local.stack import SERVICES, Stack


def mode(file: Path) -> int:
    """Who may read it."""
    return file.stat().st_mode & 0o777


def shown_by(child: Child, process: int) -> bytes:
    """What everybody on the machine can see of it, and what it logged."""
    return Path(f"/proc/{process}/cmdline").read_bytes() + child.log.read_bytes()


def holding(folder: Path, users: Users) -> dict[str, int]:
    """The files that hold a password, and who may read them."""
    passwords = [password.encode() for password in users.passwords.values()]
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {file.name: mode(file) for file in files if any(each in file.read_bytes() for each in passwords)}


def test_passwords_are_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    """One for the broker, the administrator, the operators and each service; all different, none printed."""
    users = Users.of(tmp_path / "state")
    assert set(users.passwords) == {"broker", ADMINISTRATOR, OPERATORS, *SERVICES}
    assert len(set(users.passwords.values())) == 7
    assert Users.of(tmp_path / "state") == users
    assert mode(tmp_path / "state" / FILE) == 0o600
    assert not any(password in repr(users) for password in users.passwords.values())


def test_data_that_nobody_has_a_password_for_is_said_before_anything_starts(tmp_path: Path) -> None:
    """A broker's data from before, or a file that is gone: what to do, and no new passwords that can't work."""
    (tmp_path / "kafka" / "logs").mkdir(parents=True)
    with pytest.raises(StackError, match="Forget the data with `make reset`"):
        Users.of(tmp_path)
    assert not (tmp_path / FILE).exists()


def test_each_process_gets_its_own_principal_and_no_other(tmp_path: Path) -> None:
    """The two roles of matching are one principal; operators act as others with what only their file holds."""
    stack = Stack(tmp_path, free_range())
    stack.use_environment()
    for role, service in zip(stack.roles(), ("profiles", "matching", "matching", *SERVICES[2:]), strict=True):
        environment = stack.service(role).environment
        assert environment["TURNABOUT_KAFKA_USER"] == service
        assert environment["TURNABOUT_KAFKA_PASSWORD"] == stack.users.passwords[service]
        others = {password for name, password in stack.users.passwords.items() if name != service}
        assert not others & set(environment.values())
        assert not set(stack.users.passwords.values()) & {*map(str, stack.service(role).arguments)}
    told = stack.users.of_operators()
    assert (told["TURNABOUT_KAFKA_USER"], told["TURNABOUT_KAFKA_PASSWORD_MATCHING"]) == (
        OPERATORS,
        stack.users.passwords["matching"],
    )
    assert stack.users.passwords["broker"] not in told.values()


@pytest.mark.connected
async def test_a_broker_with_passwords_shows_none(tmp_path: Path) -> None:
    """Not in its arguments, its log or a file that others can read; the file it was formatted with is gone."""
    setup.prepare()
    users = Users.of(tmp_path)
    child = await asyncio.to_thread(kafka.child, tmp_path, free_range(), users=users)
    async with running(child):
        assert child.process is not None
        shown = shown_by(child, child.process.pid)
    for password in users.passwords.values():
        assert password.encode() not in shown
    assert holding(tmp_path, users) == {FILE: 0o600, "server.properties": 0o600}

"""`python -m profiles import`: what a terminal shows, its exit code, and what reaches the bus."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from chassis.consuming.reader import TopicReader
from chassis.consuming.records import Received
from chassis.ids import new_id
from contracts.profiles import DirectoryUpdated, ProfileUpdated
from contracts.topics import DIRECTORY, PROFILE
from profile_rosters import a_file, a_row
from profiles.app import compose
from profiles.domain import Member
from profiles.settings import ProfilesSettings

pytestmark = pytest.mark.connected
_MANY = 2_000


class Command:
    """The command with its own database."""

    def __init__(self, kafka: str, database: str) -> None:
        self.settings = ProfilesSettings(  # a tenant of its own tells its records from others on the same broker
            kafka=kafka, mongo=database, tenant=f"t-{new_id()}", database_prefix=f"t{new_id()[-12:]}-"
        )
        self._environment = {
            **os.environ,
            "TURNABOUT_KAFKA": kafka,
            "TURNABOUT_MONGO": database,
            "TURNABOUT_DATABASE_PREFIX": self.settings.database_prefix,
            "TURNABOUT_TENANT": self.settings.tenant,
        }

    async def __call__(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and everything that was printed."""
        process = await self.start(*arguments)
        printed, _nothing = await process.communicate()
        return process.returncode or 0, printed.decode()

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """The command as it runs."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "profiles", *arguments),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def members(self) -> list[Member]:
        """Everybody in its database."""
        async with compose(self.settings).opened(relaying=False) as (_delivery, store):
            return await store.members.find(self.settings.tenant, {}, limit=100_000)

    async def has_members(self) -> None:
        """Wait for the first of them, on one connection: an import goes on while somebody looks."""
        async with asyncio.timeout(60), compose(self.settings).opened(relaying=False) as (_delivery, store):
            while not await store.members.find(self.settings.tenant, {}, limit=1):
                await asyncio.sleep(0.01)

    async def heard(self) -> list[Received[Any]]:
        """Everything that its tenant's members have said."""
        seen: list[Received[Any]] = []

        async def keep(event: Received[Any]) -> None:
            if event.tenant == self.settings.tenant:
                seen.append(event)

        async with TopicReader(self.settings, [ProfileUpdated, DirectoryUpdated], keep) as reader:
            await reader.caught_up()
        return seen


@pytest.fixture(scope="module")
async def command(kafka: str, database: str) -> Command:
    """The command on a database that is ready for it."""
    made = Command(kafka, database)
    code, printed = await made("migrate")
    assert code == 0, printed
    return made


async def test_an_import_publishes_before_it_exits_and_again_says_nothing(command: Command, tmp_path: Path) -> None:
    """Two states a person, keyed by opaque ids, without a name; the second import adds none."""
    path = a_file(tmp_path / "r.csv", a_row("E1", name="Zoltan Unmistakable"), a_row("E2", manager_id="E1"))
    first = await command("import", str(path))
    second = await command("import", str(path))
    seen = await command.heard()

    assert (first[0], second[0]) == (0, 0)
    assert "2 new, 0 changed, 0 unchanged, 0 refused." in first[1]
    assert "0 new, 0 changed, 2 unchanged, 0 refused." in second[1]
    assert sorted((event.topic.stream, event.sequence) for event in seen) == [
        ("directory", 1),
        ("directory", 1),
        ("profile", 1),
        ("profile", 1),
    ]
    managers = {event.key: event.data.manager for event in seen if event.topic == DIRECTORY and event.data}
    (person,) = [key for key, manager in managers.items() if manager]
    assert managers[person] in managers
    assert "Unmistakable" not in str(seen)


async def test_an_import_that_was_killed_is_simply_run_again(kafka: str, database: str, tmp_path: Path) -> None:
    """Killed with -9 among its people and run again: everybody is there once, and the bus has heard of everybody."""
    command = Command(kafka, database)
    await command("migrate")
    path = a_file(tmp_path / "r.csv", a_row("E0"), *(a_row(f"E{each}", manager_id="E0") for each in range(1, _MANY)))
    killed = await command.start("import", str(path))
    await command.has_members()
    killed.kill()
    await killed.wait()
    before = len(await command.members())

    code, printed = await command("import", str(path))

    assert before < _MANY
    assert code == 0, printed
    # The database may still have finished what the killed process had sent it when `before` was counted.
    told = re.search(r"(\d+) new, 0 changed, (\d+) unchanged, 0 refused\.", printed)
    assert told is not None
    new, unchanged = int(told[1]), int(told[2])
    assert (new + unchanged, unchanged >= before) == (_MANY, True)
    members = await command.members()
    assert sorted(member.employee_id for member in members) == sorted(f"E{each}" for each in range(_MANY))
    ids = {member.id for member in members}
    seen = await command.heard()
    assert {event.key for event in seen if event.topic == DIRECTORY} == ids
    assert {event.key for event in seen if event.topic == PROFILE} == ids
    assert {event.sequence for event in seen} == {1}


async def test_bad_rows_are_listed_and_the_rest_is_imported(command: Command, tmp_path: Path) -> None:
    """The exit code is good as long as somebody came in."""
    code, printed = await command("import", str(a_file(tmp_path / "r.csv", a_row("E8"), a_row("E9", level="13"))))

    assert code == 0
    assert "must be a whole number from 1 to 12" in " ".join(printed.split())
    assert "1 new, 0 changed, 0 unchanged, 1 refused." in printed


async def test_nothing_imported_is_exit_code_one(command: Command, tmp_path: Path) -> None:
    """A script that imports at night must notice; a person reads one sentence and no traceback."""
    empty, strange = tmp_path / "empty.csv", tmp_path / "strange.csv"
    empty.write_bytes(b"")
    strange.write_bytes(b"name\nAna\n")

    absent, nothing, columns = await asyncio.gather(
        command("import", str(tmp_path / "absent.csv")), command("import", str(empty)), command("import", str(strange))
    )

    assert [code for code, _printed in (absent, nothing, columns)] == [1, 1, 1]
    assert "There is no file" in absent[1]
    assert "The file is empty" in nothing[1]
    assert "columns are missing" in " ".join(columns[1].split())
    assert "Traceback" not in absent[1] + nothing[1] + columns[1]

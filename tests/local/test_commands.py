"""The commands that people type: each is explained, each mistake is answered with what to do."""

import asyncio
import os
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from local import setup
from local.company import write_roster
from local.places import ROOT
from local.ports import Ports, free_range, listening


async def say(*command: str | Path) -> tuple[int, str]:
    """Run a command to its end; returns its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=PIPE, stderr=STDOUT, cwd=ROOT)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def local(*arguments: str | Path) -> tuple[int, str]:
    """`python -m local …`."""
    return await say(sys.executable, "-m", "local", *arguments)


async def test_make_explains_every_target() -> None:
    """`make` alone lists each target that can be typed, with a sentence."""
    named = set(re.findall(r"^\.PHONY: ([a-z-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))

    code, printed = await say("make")

    explained = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", printed, re.MULTILINE))
    assert code == 0
    assert set(explained) == named
    assert {"run", "reset", "test", "lint", "types", "format", "roster", "latency", "fast-db", "setup"} <= named
    assert all(sentence.rstrip()[0].isupper() and len(sentence) > 15 for sentence in explained.values())


async def test_a_roster_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    """Exit code 1, the file's name, and where its columns are described."""
    code, printed = await local("run", "--roster", tmp_path / "nobody.csv", "--state", tmp_path / "state")

    assert code == 1
    assert f"There is no file {tmp_path / 'nobody.csv'}." in printed
    assert "docs/roster.md" in printed
    assert not (tmp_path / "state").exists()


async def test_commands_for_a_running_stack_say_that_none_runs(tmp_path: Path) -> None:
    """`make rebuild` without `make run`."""
    port = str(free_range().gateway)

    code, printed = await local("service", "--port", port, "--state", tmp_path, "analytics", "rebuild")

    assert code == 1
    assert "Start it with `make run` first." in printed


async def test_reset_forgets_the_state(tmp_path: Path) -> None:
    """The folder is gone; doing it twice is no error."""
    state = tmp_path / "state"
    (state / "kafka").mkdir(parents=True)

    first = await local("reset", "--state", state, "--port", str(free_range().gateway))
    second = await local("reset", "--state", state, "--port", str(free_range().gateway))

    assert (first[0], second[0]) == (0, 0)
    assert not state.exists()


@asynccontextmanager
async def running(state: Path, ports: Ports, *more: str | Path) -> AsyncIterator[tuple[Process, str]]:
    """`make run`, up to its ready line; killed if the test left it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", "run", "--state", str(state), "--port", str(ports.gateway)),
        *map(str, more),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=ROOT,
    )
    assert process.stdout is not None
    printed = ""
    try:
        while "ready: " not in printed:
            line = (await process.stdout.readline()).decode()
            assert line, printed
            printed += line
        yield process, printed
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def children() -> set[int]:
    """Processes that any stack of this test folder started, by their arguments or environment."""
    mine = str(os.getpid()).encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"TURNABOUT_TEST_OF=" + mine in (folder / "environ").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


async def gone(seconds: float = 10) -> bool:
    """Whether all of them end in time."""
    end = time.monotonic() + seconds
    while children() and time.monotonic() < end:
        await asyncio.sleep(0.1)
    return not children()


@pytest.mark.connected
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_run_stop_run_again_and_be_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own roster is imported once; Ctrl-C and kill -9 leave no process; a second start keeps the data."""
    setup.prepare()
    monkeypatch.setenv("TURNABOUT_TEST_OF", str(os.getpid()))
    roster, state, ports = tmp_path / "own.csv", tmp_path / "state", free_range()
    write_roster(roster, people=60, seed=3)

    async with running(state, ports, "--roster", roster) as (process, printed):
        assert "importing own.csv" in printed
        assert "60 new" in printed
        assert "junior@demo.example" in printed
        assert f"ready: http://127.0.0.1:{ports.gateway}" in printed
        async with httpx.AsyncClient() as browser:
            page = await browser.get(f"http://127.0.0.1:{ports.gateway}/sign-in")
        assert page.status_code == 200
        code, told = await local("run", "--state", tmp_path / "other", "--port", str(ports.gateway))
        assert code == 1
        assert f"Port {ports.gateway} is in use." in told
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    assert await gone()
    assert not listening(ports.gateway)

    async with running(state, ports) as (process, printed):
        assert "importing" not in printed
        process.kill()
    assert await gone()

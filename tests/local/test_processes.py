"""Child processes: none outlives its supervisor, and a death is told in a sentence."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest
from local.processes import Child, StackError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")


def a_child(tmp_path: Path, code: str, *, ready_seconds: float = 10) -> Child:
    """A Python process that is ready once it has made a file."""
    ready = tmp_path / "ready"
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(ready)]
    return Child("the greeter", arguments, tmp_path / "greeter.log", ready.exists, ready_seconds=ready_seconds)


def lives(pid: int) -> bool:
    """Whether a process of this id runs (a zombie does not)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


SERVES = """
    import pathlib, sys, time
    pathlib.Path(sys.argv[1]).touch()
    time.sleep(60)
"""


async def test_a_child_is_ready_when_it_says_so_and_stops_when_asked(tmp_path: Path) -> None:
    """SIGTERM ends it, and its code tells so."""
    child = a_child(tmp_path, SERVES)
    child.start()
    await child.wait_ready()
    assert child.exit_code is None

    child.ask_to_stop()
    await child.wait_stopped()

    assert child.exit_code == -signal.SIGTERM


async def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    """Patience has an end, and then nothing is left of it."""
    child = a_child(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + textwrap.dedent(SERVES))
    child.start()
    await child.wait_ready()

    child.ask_to_stop()
    await child.wait_stopped(seconds=0.3)

    assert child.exit_code == -signal.SIGKILL


async def test_a_child_that_dies_at_its_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The sentence names it, its exit code and its log, and shows the last lines."""
    child = a_child(tmp_path, "print('the disk is full'); raise SystemExit(3)")
    child.start()

    with pytest.raises(StackError) as told:
        await child.wait_ready()

    message = str(told.value)
    assert message.startswith("the greeter stopped by itself (exit code 3).")
    assert str(tmp_path / "greeter.log") in message
    assert message.endswith("the disk is full")


async def test_a_child_that_never_gets_ready_is_told(tmp_path: Path) -> None:
    """Waiting has an end."""
    child = a_child(tmp_path, "import time; time.sleep(60)", ready_seconds=0.2)
    child.start()

    with pytest.raises(StackError, match=r"the greeter did not get ready in 0 s"):
        await child.wait_ready()
    await child.kill()


SUPERVISES = """
import sys, time
from pathlib import Path
from local.processes import Child
child = Child("the sleeper", ["sleep", "60"], Path(sys.argv[1]), bool)
child.start()
print(child.process.pid, flush=True)
time.sleep(60)
"""


@LINUX
async def test_no_child_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """Kill -9 on the supervisor, which can clean up nothing, ends its children too."""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SUPERVISES,
        str(tmp_path / "log"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert supervisor.stdout is not None
    pid = int(await supervisor.stdout.readline())
    assert lives(pid)

    supervisor.kill()
    await supervisor.wait()

    end = time.monotonic() + 5
    while lives(pid) and time.monotonic() < end:
        await asyncio.sleep(0.02)
    assert not lives(pid)

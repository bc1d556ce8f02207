"""How `python -m matching` begins: whoever only rehearses or operates does not wait for the rest."""

import subprocess
import sys
from typing import Final

import pytest

_TELLS_WHAT_IT_IMPORTED: Final = """
import runpy, sys
sys.argv[1:] = {arguments}
try:
    runpy.run_module("matching", run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end.code
sys.stdout.write("\\n" + " ".join({{name.partition(".")[0] for name in sys.modules}}))
"""
_A_SERVER_NEEDS: Final = {"fastapi", "starlette", "httpx", "motor", "pymongo", "aiokafka", "faststream", "joserfc"}


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (["rehearse", "--help"], _A_SERVER_NEEDS | {"pydantic_settings"}),
        (["ops", "--help"], {"fastapi", "starlette", "numba", "typer"}),
    ],
    ids=["rehearse", "ops"],
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], spared: set[str]) -> None:
    """Half of a rehearsal's start went into a web framework, a database driver and a broker's client."""
    told = subprocess.run(
        [sys.executable, "-c", _TELLS_WHAT_IT_IMPORTED.format(arguments=arguments)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert set(told.stdout.splitlines()[-1].split()) & spared == set()

"""`python -m matching api | engine | migrate | openapi | programme load FILE | programme run PROGRAMME [--wait]`."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from chassis.errors import NotFoundError, TransientError, TurnaboutError

from chassis import clock, logs
from matching.app import compose_api, compose_engine
from matching.commands import queue_run
from matching.domain.programme import Programme, programme_id
from matching.domain.run import ACTIVE, Run, RunState
from matching.programmes.files import load
from matching.settings import EngineSettings, MatchingSettings
from matching.store import Store


def main() -> int:
    """Run one role or one command; 1 when a command was refused, with the reason on stderr."""
    asked = _parser().parse_args()
    match asked.role:
        case "engine":
            compose_engine(EngineSettings()).run()
        case "programme":
            return asyncio.run(_command(asked))
        case _:
            compose_api(MatchingSettings()).carry_out(asked.role)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m matching")
    roles = parser.add_subparsers(dest="role")
    roles.add_parser("api", help="answer people (the default)")
    roles.add_parser("engine", help="propose")
    roles.add_parser("migrate", help="create the indexes; idempotent")
    roles.add_parser("openapi", help="describe the JSON API, in OpenAPI")
    roles.add_parser("ops", help="what operators ask: lag, pending, dead, parked, why")
    roles.add_parser("rehearse", help="try a programme on files, without a server; it has a --help of its own")
    programme = roles.add_parser("programme", help="work on programmes").add_subparsers(dest="command", required=True)
    loading = programme.add_parser("load", help="publish the programme of a file")
    loading.add_argument("file", type=Path)
    running = programme.add_parser("run", help="let the engine propose for everybody")
    running.add_argument("programme", help="its id, or the code in its file")
    running.add_argument("--wait", action="store_true", help="until the run has ended, with its progress")
    return parser


async def _command(asked: argparse.Namespace) -> int:
    # A name of its own: the events of this command must not wait behind, or race with, a server's relay.
    settings = MatchingSettings(instance=f"matching-command-{os.getpid()}", log_level="ERROR")
    logs.configure(settings, "matching")
    logging.disable(logging.ERROR)  # what libraries log about a broker that is away would drown the progress
    clock.configure(settings)
    try:
        async with compose_api(settings).opened() as (_, store):
            if asked.command == "load":
                programme = await load(settings, store, asked.file)
                _say(f"{programme.id} {programme.plan.title}: version {programme.rules_version}")
                return 0
            return await _run(store, await _programme(settings.tenant, store, asked.programme), wait=asked.wait)
    except TurnaboutError as error:
        sys.stderr.write(f"{error.detail}\n")
    except TransientError:
        sys.stderr.write("The database does not answer. Start it and try again: nothing is done twice.\n")
    return 1


async def _programme(tenant: str, store: Store, name: str) -> Programme:
    for candidate in (name, programme_id(tenant, name)):
        if (found := await store.programmes.get(tenant, candidate)) is not None:
            return found
    raise NotFoundError(f"There is no programme {name}. Load its file first: python -m matching programme load FILE.")


async def _run(store: Store, programme: Programme, *, wait: bool) -> int:
    run = await queue_run(store, programme, "operator")
    told = ""
    while wait and run.state in ACTIVE:
        if (line := f"{run.progress:3d} % {run.step}") != told:
            _say(told := line)
        await asyncio.sleep(0.3)
        run = await store.runs.load(run.tenant, run.id)
    _say(_outcome(run))
    return 0 if not wait or run.state is RunState.DONE else 1


def _outcome(run: Run) -> str:
    if run.result is None:
        return f"run {run.id}: {run.state}"
    found = run.result
    return (
        f"run {run.id}: {run.state}, {found.proposed} proposals, "
        f"{found.mentees.paired} of {found.mentees.people} mentees and "
        f"{found.mentors.paired} of {found.mentors.people} mentors have somebody, "
        f"at least {found.certificate / 100:.2f} % of the best possible"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

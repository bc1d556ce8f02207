"""`python -m profiles [migrate | openapi | import FILE]`."""

import argparse
import asyncio
import logging
from pathlib import Path

from chassis import clock, logs
from profiles.app import compose
from profiles.rosters.command import import_file
from profiles.settings import ProfilesSettings


def main() -> int:
    """Serve, prepare the database, or import a roster; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m profiles", description="Who people are and what they allow.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="answer requests (what happens without a command)")
    commands.add_parser("migrate", help="create the database's indexes; do it before the first start")
    commands.add_parser("openapi", help="describe the JSON API, in OpenAPI")
    commands.add_parser("ops", help="what operators ask: lag, pending, dead, parked, why")
    importing = commands.add_parser("import", help="import a roster; docs/roster.md names its columns")
    importing.add_argument("file", type=Path, help="a CSV file in UTF-8")
    arguments = parser.parse_args()
    settings = ProfilesSettings()
    if arguments.command == "import":
        return _import(settings, arguments.file)
    compose(settings).carry_out(arguments.command)
    return 0


def _import(settings: ProfilesSettings, path: Path) -> int:
    # A name of its own: the running replica of the same name would otherwise share its marks with this command.
    own = settings.model_copy(update={"instance": f"{settings.instance}-import", "log_level": "ERROR"})
    logs.configure(own, "profiles")
    logging.disable(logging.ERROR)  # what libraries log about a broker that is away would drown the progress bar
    clock.configure(own)
    return asyncio.run(import_file(compose(own), own.tenant, path))

"""`python -m analytics [serve | migrate | openapi | rebuild [--check]]`."""

import argparse
import asyncio
import sys

from analytics.app import build
from analytics.rebuild import check, rebuild
from analytics.settings import SERVICE, Settings
from chassis import clock, logs


def main() -> int:
    """Run the service or one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analytics")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the service (the default)")
    commands.add_parser("migrate", help="create the indexes")
    commands.add_parser("openapi", help="describe the JSON API, in OpenAPI")
    commands.add_parser("ops", help="what operators ask: lag, pending, dead, parked, why")
    again = commands.add_parser("rebuild", help="make all rows anew from the compacted topics")
    again.add_argument("--check", action="store_true", help="change nothing; exit 1 when the stored rows differ")
    arguments = parser.parse_args()
    settings = Settings()
    if arguments.command == "rebuild":
        return asyncio.run(_rebuild(settings, only_check=arguments.check))
    build(settings).carry_out(arguments.command)
    return 0


async def _rebuild(settings: Settings, *, only_check: bool) -> int:
    logs.configure(settings, SERVICE)
    clock.configure(settings)
    async with build(settings).opened(relaying=False) as (_, store):
        if not only_check:
            sys.stdout.write(f"{await rebuild(settings, store)}\n")
            return 0
        fresh, stored = await check(settings, store)
    sys.stdout.write(f"{fresh} from the topics\n{stored} stored\n")
    return 0 if fresh == stored else 1

"""`python -m matching api | engine | migrate | openapi | programme … | rehearse … | ops …`."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chassis.app import Service


def main() -> int:
    """Answer an operator, rehearse, or do whatever else was asked; returns the exit code."""
    # ruff: noqa: PLC0415 - operators and rehearsals do not wait for the web framework, nor for each other's parts
    match sys.argv[1:2]:
        case ["ops"]:
            from chassis import ops

            return ops.operate("matching", sys.argv[2:], _service)
        case ["rehearse"]:
            from matching.rehearsal import command

            return command.main(sys.argv[2:])
    from matching import command_line

    return command_line.main()


def _service() -> "Service[Any]":
    from matching.app import compose_api
    from matching.settings import MatchingSettings

    return compose_api(MatchingSettings())


if __name__ == "__main__":
    sys.exit(main())

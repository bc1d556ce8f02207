"""`python -m matching api | engine | migrate | programme … | ops …`."""

import sys
from typing import TYPE_CHECKING, Any

from chassis import ops

if TYPE_CHECKING:
    from chassis.app import Service


def main() -> int:
    """Answer an operator, or do whatever else was asked; returns the exit code."""
    if sys.argv[1:2] == ["ops"]:
        return ops.operate("matching", sys.argv[2:], _service)
    from matching import command_line  # noqa: PLC0415 - an operator does not wait for the web framework

    return command_line.main()


def _service() -> "Service[Any]":
    from matching.app import compose_api  # noqa: PLC0415
    from matching.settings import MatchingSettings  # noqa: PLC0415

    return compose_api(MatchingSettings())


if __name__ == "__main__":
    sys.exit(main())

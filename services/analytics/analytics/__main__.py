"""`python -m analytics [serve | migrate | openapi | rebuild [--check] | ops …]`."""

import sys
from typing import TYPE_CHECKING, Any

from chassis import ops

if TYPE_CHECKING:
    from chassis.app import Service


def main() -> int:
    """Answer an operator, or do whatever else was asked; returns the exit code."""
    if sys.argv[1:2] == ["ops"]:
        return ops.operate("analytics", sys.argv[2:], _service)
    from analytics import command_line  # noqa: PLC0415 - an operator does not wait for the web framework

    return command_line.main()


def _service() -> "Service[Any]":
    from analytics.app import build  # noqa: PLC0415
    from analytics.settings import Settings  # noqa: PLC0415

    return build(Settings())


if __name__ == "__main__":
    sys.exit(main())

"""`python -m notifications [serve | migrate | openapi | ops …]`."""

import sys
from typing import TYPE_CHECKING, Any

from chassis import ops

if TYPE_CHECKING:
    from chassis.app import Service


def main() -> int:
    """Serve, migrate, or answer an operator."""
    if sys.argv[1:2] == ["ops"]:
        return ops.operate("notifications", sys.argv[2:], _service)
    _service().main()
    return 0


def _service() -> "Service[Any]":
    # What only reads for an operator goes without the web framework, which takes most of a start.
    from notifications.app import compose  # noqa: PLC0415
    from notifications.settings import NotificationsSettings  # noqa: PLC0415

    return compose(NotificationsSettings())


if __name__ == "__main__":
    sys.exit(main())

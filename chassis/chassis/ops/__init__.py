"""What an operator asks of one service: `python -m <service> ops …`, JSON on stdout.

Whatever only reads gets along without the service itself, so that it answers within a second: its groups are those of
the catalogue, its documents the collections with the relay's index. Only a redrive composes the service.
"""

from chassis.ops.command import operate

__all__ = ["operate"]

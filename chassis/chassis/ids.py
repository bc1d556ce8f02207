"""Identifiers: ordered for events and aggregates, random for people."""

from uuid import uuid4

from uuid_utils import uuid7


def new_id() -> str:
    """An id for an event or an aggregate: UUIDv7, so that ids made later sort later."""
    return str(uuid7())


def new_member_id() -> str:
    """An id for a member: UUIDv4, because an ordered one would show who joined when."""
    return str(uuid4())

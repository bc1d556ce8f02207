"""Access to the broker: what it allows, what the contracts say, and systems outside that are let in."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from chassis.errors import DeniedError, TransientError
from chassis.settings import Settings
from contracts.access import ADMINISTRATOR, Access, AccessError, Acl
from rich.table import Table

from operations.asking import Answer, NotPossibleError, acting_as

T = TypeVar("T")
_RULES = Access()


def listing(found: Settings) -> Answer:
    """Every ACL of the broker, and what is missing."""

    def look(administrator: Any) -> Answer:
        there, users = administrator.acls(), administrator.users()
        difference = administrator.difference(_RULES)
        notes = dict.fromkeys(difference.extra, "not in the contracts") | dict.fromkeys(difference.missing, "missing")
        shown = sorted({*there, *difference.missing})
        return {"acls": [_told(acl) | {"note": notes.get(acl, "")} for acl in shown], "users": sorted(users)}

    return _as_administrator(found, look)


def apply(found: Settings, *, yes: bool) -> Answer:
    """Put the broker right."""

    def change(administrator: Any) -> Answer:
        difference = administrator.put_right(_RULES) if yes else administrator.difference(_RULES)
        return _change(difference.missing, difference.extra, done=yes)

    return _as_administrator(found, change)


def grant(found: Settings, name: str, *, new_password: bool, yes: bool) -> Answer:
    """Let a subscriber in. One that has a password already keeps it, unless a new one is asked for."""
    wanted = _subscriber(name)

    def change(administrator: Any) -> Answer:
        from chassis.ops import access  # noqa: PLC0415 - as below

        missing = sorted(wanted - administrator.acls())
        answer = _change(missing, (), done=yes)
        if new_password or name not in administrator.users():
            answer["password"] = None
            if yes:
                answer["password"] = access.new_password()
                administrator.set_password(name, answer["password"])
        if yes:
            administrator.add(missing)
        return answer | {"user": name}

    return _as_administrator(found, change)


def revoke(found: Settings, name: str, *, yes: bool) -> Answer:
    """Take away whatever a subscriber was ever allowed, and its password."""
    _subscriber(name)

    def change(administrator: Any) -> Answer:
        extra = sorted(acl for acl in administrator.acls() if acl.principal == name)
        known = name in administrator.users()
        if yes:
            administrator.remove(extra)
            if known:
                administrator.shut_out(name)
        return _change((), extra, done=yes) | ({"shut_out": name} if known else {})

    return _as_administrator(found, change)


def _subscriber(name: str) -> frozenset[Acl]:
    try:
        return _RULES.subscriber(name)
    except AccessError as error:
        raise NotPossibleError(str(error)) from error


def _as_administrator(found: Settings, action: Callable[[Any], T]) -> T:
    if found.kafka_user is None:
        raise NotPossibleError("This broker is used without passwords. Set TURNABOUT_KAFKA_USER to its administrator.")
    from chassis.ops.access import Administrator  # noqa: PLC0415 - librdkafka is no use to the other commands

    try:
        return action(asyncio.run(Administrator.opened(acting_as(found, ADMINISTRATOR))))
    except DeniedError as error:
        raise NotPossibleError(str(error)) from error
    except TransientError as error:
        away = f"The broker at {found.kafka} does not answer. Nothing is lost; try again once it is back."
        raise NotPossibleError(away) from error


def _told(acl: Acl) -> Answer:
    return {
        "principal": acl.principal,
        "operation": acl.operation.value,
        "resource": acl.resource.value,
        "name": f"{acl.name}*" if acl.prefixed else acl.name,
    }


def _change(missing: Any, extra: Any, *, done: bool) -> Answer:
    return {"done": done, "allowed": [_told(acl) for acl in missing], "taken": [_told(acl) for acl in extra]}


# --- in words ------------------------------------------------------------------------------------------------------


def tell_listing(found: Answer) -> Iterator[Any]:
    """A row for everything that is allowed or should be."""
    table = Table("principal", "may", "what", "", box=None, padding=(0, 2, 0, 0))
    for acl in found["acls"]:
        table.add_row(acl["principal"], acl["operation"], f"{acl['resource']} {acl['name']}", acl["note"])
    yield table
    if any(acl["note"] for acl in found["acls"]):
        yield "Put it right with `turnabout access apply`."


def tell_change(found: Answer) -> Iterator[Any]:
    """What was or would be changed."""
    for acl in found["allowed"]:
        yield f"allow  {_sentence(acl)}"
    for acl in found["taken"]:
        yield f"take   {_sentence(acl)}"
    if "shut_out" in found:
        yield f"take   the password of {found['shut_out']}"
    if not (found["allowed"] or found["taken"] or "password" in found or "shut_out" in found):
        yield "Everything is as it should be."
    elif not found["done"]:
        yield "Nothing is done yet: add --yes."
    elif found.get("password"):
        yield f"Done. User {found['user']}, password {found['password']}: it is not shown again. Hand it over safely."
    else:
        yield "Done."


def _sentence(acl: Answer) -> str:
    return f"{acl['principal']} to {acl['operation']} {acl['resource']} {acl['name']}"

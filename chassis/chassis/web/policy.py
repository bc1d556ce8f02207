"""Authorisation as one pure function over a table: what is not in the table is denied.

A service writes its table once and asks it everywhere:

    POLICY = Policy({
        "mentorship.read": Grant(relations={"mentor", "mentee", "lead"}),
        "insights.read": Grant(roles={"analyst"}),
        "inbox.read": Grant(everyone=True),
    })

    POLICY.require(caller, "mentorship.read", Resource(tenant=m.tenant, relations=m.relations_of(caller.member)))

Roles come with the caller and hold in the whole tenant. Relations ("lead of", "party to") are facts of the service's
own data, which the caller's code looks up before it asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import ForbiddenError, NotFoundError
from chassis.translation import gettext as _


class Subject(Protocol):
    """Who wants to act: `chassis.web.identity.Caller` is one."""

    @property
    def tenant(self) -> str:
        """The one tenant that the subject belongs to."""

    @property
    def roles(self) -> frozenset[str]:
        """Tenant-wide roles."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What is acted upon, as far as authorisation cares."""

    tenant: str
    relations: frozenset[str] = frozenset()
    secret: bool = False
    """True when a stranger must not even learn that it exists."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do one action: any of these roles, or any of these relations, or every member of the tenant."""

    roles: frozenset[str] | set[str] = frozenset()
    relations: frozenset[str] | set[str] = frozenset()
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes."""


@dataclass(frozen=True, slots=True)
class Deny:
    """No, and why: a constant for logs and tests, never shown as it is."""

    reason: str
    hide: bool = False


class Policy:
    """The table of one service."""

    def __init__(self, table: Mapping[str, Grant]) -> None:
        self._table = dict(table)

    @property
    def actions(self) -> frozenset[str]:
        """Every action that somebody may do."""
        return frozenset(self._table)

    def decide(self, subject: Subject, action: str, resource: Resource) -> Permit | Deny:
        """Whether the subject may do this; pure, and the only place that says so."""
        if subject.tenant != resource.tenant:
            return Deny("other-tenant", hide=True)
        if (grant := self._table.get(action)) is None:
            return Deny("unknown-action")
        if grant.everyone or grant.roles & subject.roles or grant.relations & resource.relations:
            return Permit()
        return Deny("not-granted", hide=resource.secret)

    def require(self, subject: Subject, action: str, resource: Resource) -> None:
        """Go on only with a permit.

        Raises:
            NotFoundError: the subject may not know that the resource exists.
            ForbiddenError: the subject may not do this.
        """
        decision = self.decide(subject, action, resource)
        if isinstance(decision, Permit):
            return
        if decision.hide:
            raise NotFoundError(_("We could not find that. It may have been removed."))
        raise ForbiddenError(_("Your account does not allow this. Ask the lead of the programme if you need it."))

"""What is not in the table is denied, and a stranger learns nothing."""

import itertools
from dataclasses import dataclass

import pytest
from chassis.errors import ForbiddenError, NotFoundError
from chassis.web.policy import Deny, Grant, Permit, Policy, Resource

POLICY = Policy(
    {
        "mentorship.read": Grant(relations={"mentor", "mentee"}),
        "insights.read": Grant(roles={"analyst"}),
        "programme.run": Grant(roles={"operator"}, relations={"lead"}),
        "inbox.read": Grant(everyone=True),
    }
)


@dataclass(frozen=True)
class Subject:
    """Somebody of a tenant with roles."""

    tenant: str = "demo"
    roles: frozenset[str] = frozenset()


ROLES = ("analyst", "operator")
RELATIONS = ("mentor", "mentee", "lead")
# Which role or relation opens which action, written out by hand; "anyone" needs neither.
OPENS = {
    "mentorship.read": {"mentor", "mentee"},
    "insights.read": {"analyst"},
    "programme.run": {"operator", "lead"},
    "inbox.read": {"anyone"},
    "mentorship.erase": set[str](),
}


def sets_of(names: tuple[str, ...]) -> list[frozenset[str]]:
    """Every combination of these names."""
    sizes = range(len(names) + 1)
    return [frozenset(chosen) for size in sizes for chosen in itertools.combinations(names, size)]


def test_every_combination_of_roles_and_relations() -> None:
    """Four role sets, eight of relations, five actions, two tenants: 320 decisions, each as the table says."""
    decided = 0
    for action, roles, relations, own in itertools.product(OPENS, sets_of(ROLES), sets_of(RELATIONS), (True, False)):
        subject, resource = Subject(roles=roles), Resource("demo" if own else "other", relations)
        allowed = own and bool(OPENS[action] & (roles | relations | {"anyone"}))
        assert isinstance(POLICY.decide(subject, action, resource), Permit) is allowed
        decided += 1
    assert decided == 320


def test_an_unknown_action_is_denied_even_to_everybody() -> None:
    """A typing error in an action's name opens nothing."""
    assert POLICY.decide(Subject(roles=frozenset(ROLES)), "inbox.raed", Resource("demo")) == Deny("unknown-action")


def test_another_tenant_is_told_that_there_is_nothing() -> None:
    """Not "not allowed": that would say that it exists."""
    with pytest.raises(NotFoundError):
        POLICY.require(Subject(tenant="other"), "inbox.read", Resource("demo"))


def test_a_secret_resource_hides_and_an_open_one_forbids() -> None:
    """The resource says which of the two answers a stranger gets."""
    with pytest.raises(NotFoundError):
        POLICY.require(Subject(), "mentorship.read", Resource("demo", secret=True))
    with pytest.raises(ForbiddenError):
        POLICY.require(Subject(), "mentorship.read", Resource("demo"))


def test_a_permit_lets_on() -> None:
    """Nothing is raised."""
    POLICY.require(Subject(), "mentorship.read", Resource("demo", frozenset({"mentee"}), secret=True))

"""Who may do what in profiles; what is not here is denied."""

from typing import Final

from chassis.web.policy import Grant, Policy

from profiles.domain import Role

POLICY: Final = Policy(
    {
        "profile.edit": Grant(relations={"self"}),
        "cards.read": Grant(everyone=True),
        "taxonomy.read": Grant(everyone=True),
        "taxonomy.edit": Grant(roles={Role.ORGANISER.value}),
        "roster.import": Grant(roles={Role.OPERATOR.value}),
        "member.remove": Grant(roles={Role.OPERATOR.value}),
    }
)

# What a service's token is good for, and which services may have one for it.
PURPOSES: Final = {
    "mail": frozenset({"notifications"}),
    "calendar": frozenset({"notifications"}),
    "lookup": frozenset({"matching"}),
    "import": frozenset({"operations"}),
    "taxonomy": frozenset({"matching", "notifications"}),
}

"""Who may see the figures."""

from typing import Final

from chassis.web.policy import Grant, Policy

READ: Final = "insights.read"
POLICY: Final = Policy({READ: Grant(roles={"analyst", "operator"})})

"""What members call the kinds of notices, and why a mail came."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from chassis.translation import gettext as _
from chassis.translation import mark

from notifications.domain.notice import Kind

PREFERENCES_PAGE: Final = "/preferences"
NAMES: Final[Mapping[Kind, str]] = {
    Kind.MATCH_PROPOSED: mark("A new proposal"),
    Kind.ASKED: mark("Somebody asks you, or offers"),
    Kind.ANSWER_AWAITED: mark("Somebody waits for your answer"),
    Kind.MATCH_ACCEPTED: mark("You have both said yes"),
    Kind.MATCH_CLOSED: mark("A proposal is not available any more"),
    Kind.MENTORSHIP_STARTED: mark("A mentorship has started"),
    Kind.SESSION_HELD: mark("A session was held"),
    Kind.SESSION_CANCELLED: mark("A session was cancelled"),
    Kind.MENTORSHIP_PAUSED: mark("A mentorship is paused"),
    Kind.MENTORSHIP_RESUMED: mark("A mentorship goes on"),
    Kind.MENTORSHIP_ENDED: mark("A mentorship has ended"),
    Kind.TIMES_PROPOSED: mark("Times for a session are proposed"),
    Kind.SESSION_ARRANGED: mark("A session is arranged"),
    Kind.SESSION_MOVED: mark("A session is moved"),
    Kind.SESSION_CALLED_OFF: mark("A session is called off"),
    Kind.SESSION_NEAR: mark("A session is a day away"),
    Kind.INVITED: mark("You are invited to a programme"),
    Kind.DELEGATED: mark("Somebody lets you arrange their times"),
    Kind.TIMES_TO_PICK: mark("Times wait that you pick for somebody"),
    Kind.PLAN_CHANGED: mark("What you arrange for somebody has changed"),
    Kind.DELEGATE_GONE: mark("Nobody arranges your times for you any more"),
}


def name_of(kind: Kind) -> str:
    """A kind in the reader's words."""
    return _(NAMES[kind])


def why(kind: Kind) -> str:
    """The sentence below a mail that says why it came; the address of the page follows it."""
    return _(
        "You get this mail because you get mail of the kind “%(kind)s”. Switch it off, or choose when mail may come:"
    ) % {"kind": name_of(kind)}


def preferences_link(public_url: str, kind: Kind) -> str:
    """The page on which mail of this kind can be switched off, with the kind marked."""
    return f"{public_url.rstrip('/')}{PREFERENCES_PAGE}?{urlencode({'kind': kind.value})}"

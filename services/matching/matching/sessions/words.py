"""What people read about an arranged session, on a page and in their calendar."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.translation import gettext as _
from chassis.web import calendar
from chassis.web.pages import when
from contracts.matching import Side

from matching.domain.mentorship import Mentorship
from matching.domain.times import ArrangedSession
from matching.wording import area_label, customs_words


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of the reader and, by member, of others."""

    mine: str
    others: Mapping[str, str] = field(default_factory=dict)

    def told(self, at: str) -> "Told":
        """One moment by all clocks; another's is left out where it shows the same."""
        others = ((member, when(at, zone)) for member, zone in self.others.items() if zone != self.mine)
        return Told(at, when(at, self.mine), tuple(others))


@dataclass(frozen=True, slots=True)
class Told:
    """A time as its reader sees it, and as others do."""

    at: str
    mine: str
    others: tuple[tuple[str, str], ...]
    """By member."""


def entry_of(
    pair: Mentorship, session: ArrangedSession, member: str, areas: Mapping[str, str], public_url: str
) -> calendar.Entry:
    """What stands in one side's calendar: role and focus as on every notice, and nobody's name."""
    intent = pair.agreement.intent if pair.agreement else None
    codes = intent.areas if intent else pair.terms.areas
    page = f"{public_url.rstrip('/')}/mentorships/{pair.id}"
    mentors = pair.side_of(member) is Side.MENTOR
    lines = [
        _("Your role: mentor, you share what you know.") if mentors else _("Your role: mentee, you learn."),
        _("Focus: %(areas)s") % {"areas": ", ".join(area_label(areas, code) for code in codes)},
        *([_("Video call: %(link)s") % {"link": session.link}] if session.link else []),
        _("Who it is with, and everything else: %(page)s") % {"page": page},
    ]
    return calendar.Entry(
        uid=calendar.uid(session.id, public_url),
        version=session.version,
        starts=session.time.wall,
        minutes=session.minutes,
        summary=_("Mentoring session: you mentor") if mentors else _("Mentoring session: you learn"),
        description="\n".join(lines),
        page=page,
        place=session.link or (customs_words()["medium"][intent.medium.value] if intent else ""),
        cancelled=session.called_off,
    )

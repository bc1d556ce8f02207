"""Readable beginnings for tests of matching."""

from contracts.matching import PersonBands
from contracts.profiles import DirectoryUpdated, ProfileUpdated
from matching.domain.mentorship import Mentorship
from matching.domain.proposal import Partner, Terms

PROPOSED_AT = "2026-03-01T09:00:00.000Z"
EXPIRES_AT = "2026-03-11T09:00:00.000Z"
LATER = "2026-03-02T09:00:00.000Z"


def a_proposal(id_: str = "m-1", mentor: str = "ana", mentee: str = "dora", tenant: str = "demo") -> Mentorship:
    """A junior mentor and a director, proposed for one area and with nothing left to commit."""
    return Mentorship.propose(
        id_,
        tenant,
        "programme-1",
        mentor=Partner(member=mentor, bands=PersonBands(level=2, unit="retail", country="GB")),
        mentee=Partner(member=mentee, bands=PersonBands(level=9, unit="finance", country="DE")),
        direction="reverse",
        terms=Terms(areas=("ai-tools",)),
        at=PROPOSED_AT,
        until=EXPIRES_AT,
    )


def a_profile(member: str, **changes: object) -> ProfileUpdated:
    """Somebody enrolled with one place on each side."""
    plain: dict[str, object] = {
        "member": member,
        "enrolled": True,
        "open_to_mentor": True,
        "open_to_be_mentored": True,
        "offers": ("ai-tools",),
        "seeks": ("sustainability",),
        "mentor_capacity": 1,
        "mentee_capacity": 1,
    }
    return ProfileUpdated.model_validate(plain | changes)


def an_entry(member: str, **changes: object) -> DirectoryUpdated:
    """Somebody in retail in Britain without a manager."""
    plain: dict[str, object] = {
        "member": member,
        "level": 2,
        "unit": "retail",
        "country": "GB",
        "time_zone": "Europe/London",
        "joined": "2020-01",
    }
    return DirectoryUpdated.model_validate(plain | changes)

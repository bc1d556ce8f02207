"""A mentorship that is running, and times at which its two people could meet."""

from collections.abc import Sequence
from datetime import datetime

from contracts.matching import Side
from matching.domain.mentorship import Mentorship
from matching.domain.times import LocalTime
from matching_people import LATER, a_proposal

STARTED_AT = "2026-03-03T10:00:00.000Z"
TUESDAY = "2026-03-10T09:00:00.000Z"
WEDNESDAY = "2026-03-11T13:30:00.000Z"


def a_mentorship(id_: str = "m-1", mentor: str = "ana", mentee: str = "dora", tenant: str = "demo") -> Mentorship:
    """Ana mentors dora, fifty minutes a session, since 3 March; nothing is left to commit."""
    pair = a_proposal(id_, mentor, mentee, tenant)
    for side in Side:
        pair.accept(side, LATER)
    pair.finalise(LATER)
    for side in Side:
        pair.confirm_agreement(side, 1, STARTED_AT)
    pair.take_uncommitted()
    return pair


def berlin(*walls: str) -> list[LocalTime]:
    """Times by the clocks of Berlin."""
    return [LocalTime.of(datetime.fromisoformat(wall), "Europe/Berlin") for wall in walls]


def propose(pair: Mentorship, side: Side, walls: Sequence[str], link: str = "", now: str = STARTED_AT) -> None:
    """One side proposes times by the clocks of Berlin."""
    pair.propose_times(side, berlin(*walls), link, now)


def arranged(walls: Sequence[str] = ("2026-03-10 10:00",), now: str = STARTED_AT) -> Mentorship:
    """Dora proposed, ana picked the first time: session s-1; nothing is left to commit."""
    pair = a_mentorship()
    propose(pair, Side.MENTEE, walls, now=now)
    pair.pick_time(Side.MENTOR, berlin(walls[0])[0].at, "s-1", now)
    pair.take_uncommitted()
    return pair

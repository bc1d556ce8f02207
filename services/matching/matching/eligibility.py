"""From what matching knows of people to the engine's terms, and the hard rules for one pair."""

from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from contracts.matching import Side
from contracts.profiles import DirectoryUpdated, ProfileUpdated

from matching.domain.members import Member
from matching.engine.directory import Directory
from matching.engine.live.table import table
from matching.engine.packed.detail import RULE_BIT, fail
from matching.engine.people import Person
from matching.engine.rules import Rule, Rules


class Absence(StrEnum):
    """Why somebody takes no part on a side, told beside the engine's rules."""

    NOT_OPEN = "not-open"
    UNKNOWN = "not-in-directory"


def engine_person(
    entry: DirectoryUpdated,
    profile: ProfileUpdated | None,
    today: date,
    waiting_days: int = 0,
    programme: str | None = None,
) -> Person:
    """One member as the engine of a programme knows them, or of whatever programme they did not leave.

    Somebody who takes no part still holds the management chain together.
    """
    takes_part = profile is not None and profile.enrolled and programme not in entry.left
    return Person(
        id=entry.member,
        level=entry.level,
        unit=entry.unit,
        country=entry.country,
        manager=entry.manager,
        utc_offset=utc_offset(entry.time_zone, today),
        work_from=entry.work_from,
        work_to=entry.work_to,
        languages=entry.languages,
        offers=profile.offers if profile else (),
        seeks=profile.seeks if profile else (),
        open_to_mentor=bool(profile and takes_part and profile.open_to_mentor),
        open_to_be_mentored=bool(profile and takes_part and profile.open_to_be_mentored),
        mentor_capacity=profile.mentor_capacity if profile else 0,
        mentee_capacity=profile.mentee_capacity if profile else 0,
        waiting_days=waiting_days,
        tenure=months_since(entry.joined, today),
        joined=int(entry.joined[:4]),
        function=entry.function,
        site=entry.site,
        likes=profile.wishes if profile else (),
        in_person=bool(profile and profile.in_person),
    )


def months_since(month: str, day: date) -> int:
    """Whole months from a month, written ``2024-03``, to a day; none when it has yet to come."""
    year, number = map(int, month.split("-"))
    return max(0, (day.year - year) * 12 + day.month - number)


def utc_offset(zone: str, day: date) -> int:
    """Minutes east of UTC at noon of a day; a zone that this machine does not know counts as UTC."""
    try:
        offset = datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    return int(offset.total_seconds() // 60) if offset else 0


def broken_rule(
    rules: Rules, mentor: Member, mentee: Member, above: Iterable[Member], today: date
) -> Rule | Absence | None:
    """The first hard rule that keeps two members apart; none when they may be proposed to each other.

    Args:
        rules: the programme's.
        mentor: the one who would share.
        mentee: the one who would learn.
        above: everybody in either one's management chain.
        today: the day for time zones and for months since joining.
    """
    if mentor.directory is None or mentee.directory is None:
        return Absence.UNKNOWN
    if not mentor.capacity(Side.MENTOR) or not mentee.capacity(Side.MENTEE):
        return Absence.NOT_OPEN
    known = {each.id: each for each in (*above, mentor, mentee)}
    people = [engine_person(each.directory, each.profile, today) for each in known.values() if each.directory]
    directory = Directory(rules, people)
    rows = (np.array([directory.row[member.id]], np.int32) for member in (mentor, mentee))
    failed = int(fail(table(rules, directory, len(directory.codes.common_minutes), 0), *rows)[0])
    return next((rule for rule in Rule if failed & RULE_BIT[rule]), None)

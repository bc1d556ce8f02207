"""The records of a whole directory, one row a person on either side, whether or not they take part."""

import numpy as np

from matching.engine.directory import Directory
from matching.engine.live.rows import Columns
from matching.engine.packed.packing import hours_points, waiting_points, weights_of
from matching.engine.packed.records import PLACE, WORDS, Facts, Market, name_areas, write
from matching.engine.packed.seniority import barred
from matching.engine.rules import Rules


def table(rules: Rules, people: Directory, days: int, blocked: int) -> Market:
    """Records by row.

    Args:
        rules: of the programme.
        people: everybody.
        days: room for so many working days.
        blocked: room for so many people whom somebody is never paired with; nobody is yet.
    """
    columns, rows = columns_of(people), np.arange(len(people.level), dtype=np.int32)
    points, kept_out = waiting_points(people.waiting, rules), barred(rules, people.tenure)
    mentors = np.zeros((len(rows), WORDS), np.int64)
    write(mentors, rows, columns.facts, rows)
    mentees, bit = mentors.copy(), np.arange(64)
    name_areas(mentors, rows, columns.offers, bit, rows)
    name_areas(mentees, rows, columns.seeks, bit, rows)
    mentors[:, PLACE] |= kept_out[0]
    mentees[:, PLACE] |= kept_out[1]
    hours, known = np.full((days, days), -1, np.int32), len(people.codes.common_minutes)
    hours[:known, :known] = hours_points(people.codes.common_minutes, rules)
    none = np.zeros(0, np.int32)
    return Market(
        mentors=mentors,
        mentees=mentees,
        mentor_points=points.copy(),
        mentee_points=points,
        mentor_rows=none,
        mentee_rows=none,
        mentor_places=none,
        mentee_places=none,
        mentor_load=none,
        mentee_load=none,
        hours=hours,
        weights=weights_of(rules, people.codes.area_points),
        blocked_from=np.zeros(len(rows), np.int32),
        blocked_to=np.zeros(len(rows), np.int32),
        blocked=np.zeros(blocked, np.int32),
    )


def columns_of(people: Directory) -> Columns:
    """What records are written from; the columns of the directory themselves, so that they stay true while it lives."""
    facts = Facts(
        rank=people.rank,
        unit=people.unit,
        function=people.function,
        country=people.country,
        site=people.site,
        manager=people.manager,
        languages=people.languages,
        more_languages=people.more_languages,
        likes=people.likes,
        in_person=people.in_person,
        window=people.window,
        enter=people.tree.enter,
        leave=people.tree.leave,
    )
    return Columns(facts, people.offers, people.seeks)

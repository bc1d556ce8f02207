"""What joining early or late means to a programme: who is the senior of two, and who may not be on a side at all."""

from typing import Final

import numpy as np

from matching.engine.packed.records import LEVEL, TOO_LONG_AT, TOO_NEW_AT, Ints, Words
from matching.engine.rules import Direction, Rules

_LATEST: Final = 2_155
"""The year of joining that ranks lowest; ranks have the eight bits of a level."""


def ranks(rules: Rules, level: Ints, joined: Ints) -> Ints:
    """[n] what puts people above each other, in the place of their level wherever pairs are looked at.

    By experience it is the year of joining, turned round. Between two people it differs by the same number of years on
    whatever day it is looked at, so that no pair holds today and fails tomorrow only because time has passed.
    """
    if rules.direction is Direction.LEVEL:
        return level
    return np.clip(_LATEST - joined, 0, LEVEL)


def barred(rules: Rules, tenure: Ints) -> Words:
    """[2, n] of mentors and of mentees, the bits of `PLACE` for who joined too lately or too long ago; 0 for others."""
    settled = (rules.new_joiner_months > 0) & (tenure > rules.new_joiner_months)
    mentors = (tenure < rules.mentor_tenure).astype(np.int64) << TOO_NEW_AT
    mentors |= settled.astype(np.int64) << TOO_LONG_AT
    return np.stack([mentors, (tenure < rules.mentee_tenure).astype(np.int64) << TOO_NEW_AT])


def barred_alone(rules: Rules, tenure: int) -> Words:
    """[2] the same for one person, without the cost of columns."""
    mentor = (tenure < rules.mentor_tenure) << TOO_NEW_AT | rules.settled(tenure) << TOO_LONG_AT
    return np.array([mentor, (tenure < rules.mentee_tenure) << TOO_NEW_AT], np.int64)

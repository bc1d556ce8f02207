"""What the organisation calls its levels."""

from typing import Final

from chassis.translation import mark

LEVEL_NAMES: Final = {
    1: mark("Trainee"),
    2: mark("Associate"),
    3: mark("Specialist"),
    4: mark("Senior specialist"),
    5: mark("Expert"),
    6: mark("Team lead"),
    7: mark("Manager"),
    8: mark("Senior manager"),
    9: mark("Head of department"),
    10: mark("Director"),
    11: mark("Managing director"),
    12: mark("Chief officer"),
}

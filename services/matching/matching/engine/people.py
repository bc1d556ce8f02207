"""A person as the engine knows them: opaque id, codes and numbers, nothing that names anybody."""

from dataclasses import dataclass

from contracts.matching import Side


@dataclass(frozen=True, slots=True)
class Person:
    """One member of the tenant.

    Hand over everybody in the directory, also those who take no part: they hold the management chain together.
    Capacities are the whole ones of the profile; the engine itself subtracts the live pairs that it is told of.
    """

    id: str
    level: int
    unit: str
    country: str
    manager: str | None = None
    utc_offset: int = 0
    """Minutes east of UTC on the day of the run: 345 in Kathmandu."""
    work_from: int = 9
    work_to: int = 17
    """Local hours; an end before the begin is a night shift."""
    languages: tuple[str, ...] = ("en",)
    offers: tuple[str, ...] = ()
    seeks: tuple[str, ...] = ()
    """Area codes, most important first."""
    open_to_mentor: bool = False
    open_to_be_mentored: bool = False
    mentor_capacity: int = 0
    mentee_capacity: int = 0
    waiting_days: int = 0
    tenure: int = 0
    """Whole months since joining."""
    joined: int = 0
    """The year of joining."""
    function: str = ""
    site: str = ""
    """Codes; empty where nobody has told."""
    likes: tuple[str, ...] = ()
    """Functions whose people they would like to meet."""
    in_person: bool = False

    def capacity(self, side: Side) -> int:
        """How many pairs this person may have on one side; none on a side that is not open."""
        if side is Side.MENTOR:
            return self.mentor_capacity if self.open_to_mentor else 0
        return self.mentee_capacity if self.open_to_be_mentored else 0

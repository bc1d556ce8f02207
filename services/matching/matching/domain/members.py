"""What matching knows of a member: the profile and the directory entry, merged from two topics."""

from chassis.state.aggregate import Aggregate
from contracts.matching import PersonBands, Side
from contracts.profiles import DirectoryUpdated, ProfileUpdated


class Member(Aggregate):
    """One member. `manager` repeats the directory's for look-ups; `profile_version` puts capacities in order."""

    profile: ProfileUpdated | None = None
    directory: DirectoryUpdated | None = None
    manager: str | None = None
    profile_version: int = 0

    @classmethod
    def unknown(cls, tenant: str, member: str) -> "Member":
        """A member of whom nothing was heard yet."""
        return cls(id=member, tenant=tenant)

    def learn_profile(self, profile: ProfileUpdated | None, version: int) -> None:
        """Take over a newer profile; none means that it is gone. Standing pairs are looked at again."""
        before, self.profile, self.profile_version = self.profile, profile, version
        if before is None or before == profile:
            return
        self.ask("recheck-pairs", member=self.id)
        if any(capacity_in(before, side) != capacity_in(profile, side) for side in Side):
            self.ask("follow-capacity", member=self.id)

    def learn_directory(self, directory: DirectoryUpdated | None) -> None:
        """Take over a newer directory entry. A new manager changes the chain of everybody below, too."""
        before, self.directory = self.directory, directory
        self.manager = directory.manager if directory else None
        if before is None or before == directory:
            return
        if directory is None:
            self.ask("end-pairs", member=self.id)
        self.ask("recheck-pairs", member=self.id, reports=before.manager != self.manager)

    def capacity(self, side: Side) -> int:
        """How many places the profile allows on a side now."""
        return capacity_in(self.profile, side)

    def takes_part_in(self, programme: str) -> bool:
        """Whether they did not leave this one programme."""
        return self.directory is None or programme not in self.directory.left

    @property
    def bands(self) -> PersonBands | None:
        """What is frozen onto a proposal; none while the directory is silent."""
        if self.directory is None:
            return None
        return PersonBands(level=self.directory.level, unit=self.directory.unit, country=self.directory.country)


def capacity_in(profile: ProfileUpdated | None, side: Side) -> int:
    """Places that a profile allows; none when it is gone, not enrolled or closed on that side."""
    if profile is None or not profile.enrolled:
        return 0
    if side is Side.MENTOR:
        return profile.mentor_capacity if profile.open_to_mentor else 0
    return profile.mentee_capacity if profile.open_to_be_mentored else 0

"""The rules of the relay's protocol that can be taken out one by one, and the bounds of an exploration."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rules:
    """What the protocol demands. Each is True in the protocol; False takes it out."""

    everything_acknowledged: bool = True  # only a publication acknowledged in full is cleared
    whole_list: bool = True  # the owner sends all that is owed, whoever said it
    clears_by_revision: bool = True  # a clearing names the revision that was published
    clears_by_mark: bool = True  # a clearing names the owner
    command_names_owner: bool = True  # a command's compare-and-set names the owner that it read
    heals_after_adoption: bool = True  # a minute after
    heals_after_conflict: bool = True  # at once, when what was published here now belongs to somebody else
    heals_after_doubt: bool = True  # a minute after a send whose fate is not known
    doubt_postpones: bool = True  # also when a moment of healing is there already
    conflict_keeps_later: bool = True  # healing at once leaves a later moment of healing as it is
    looks_after_every_send: bool = True  # also when work has to wait, or when there is more to publish
    counts_hands: bool = True  # the document counts its adoptions, and they tell whether it changed hands meanwhile
    name_per_start: bool = True  # a process started anew is another owner than its predecessor


@dataclass(frozen=True)
class Bounds:
    """How much happens. `commands` has a letter for each: f says a fact, s a state, b both."""

    commands: str = "bb"
    failures: int = 1
    suspicions: int = 1
    crashes: int = 1
    twins: int = 0
    work: int = 0
    # Until when records of a sender that was given up arrive, seen from the moment at which healing was put off by a
    # minute. "network": those that had left the process arrive within the minute, one that leaves later (from a
    # process that was frozen) may come later. "within a minute of the adoption": those too. "whenever": no limit.
    late: Literal["network", "within a minute of the adoption", "whenever"] = "network"

    def facts(self, commands: int) -> int:
        """How many facts the first so many commands say."""
        return commands - self.commands[:commands].count("s")
